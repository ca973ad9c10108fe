"""Every operation as plain data: listing it loads nothing.

HTTP routes, command line commands, the OpenAPI document and the reference pages are made from this list.
"""

from typing import Final, NamedTuple


class Operation(NamedTuple):
    """One public name.

    Attributes:
        name: dotted, as callers know it.
        method: "GET" for looking, "POST" for everything else.
        function: `module:function`; takes `(app, request)`, and a `Progress` third if `long`.
        request: `module:RequestType`.
        summary: one line.
        examples: command lines that work, for `--help`.
        long: whether it can take more than a moment: it becomes a task, tells its progress and can be cancelled.
        stream: `module:function` that writes the product to an open file instead, or "".
        dry_run: dotted name of the operation that tells what this one would do, or "".
        check: `module:function`, takes `(app, request)` and raises what can be refused before it is accepted, or "".
        answer: "data"; or "file" and "events" for operations that answer by HTTP with a file or a stream of events.
        command: last word on the command line, if it is not that of the name.
        secret: whether its answer holds a secret, which is then kept nowhere.
        order: `module:function`, takes the request and gives further facts of the task's `Order`, or "".
        accepted: `module:function`, takes the request and the id of its task and gives the answer for callers who
            do not say that they wait, or "".
        body_bytes: largest body by HTTP, where it may be larger than the setting `max_body_bytes`.
        resumes: whether it goes on where it was when it is begun anew, so that what a killed command leaves behind is
            taken up by the same command, or by `serve` and `worker`.
        folder: whether what it makes is one new folder, the `delivery_path` of its result, rather than files.
    """

    name: str
    method: str
    function: str
    request: str
    summary: str
    examples: tuple[str, ...] = ()
    long: bool = False
    stream: str = ""
    dry_run: str = ""
    check: str = ""
    answer: str = "data"
    command: str = ""
    secret: bool = False
    order: str = ""
    accepted: str = ""
    body_bytes: int = 0
    resumes: bool = False
    folder: bool = False

    @property
    def scope(self) -> str:
        """What an API key must allow to call it."""
        return SCOPES[self.name]

    @property
    def changes(self) -> bool:
        """Whether it changes anything: writes a file, a record, or something on another system."""
        return self.method != "GET" and self.name not in LOOKS_ONLY

    @property
    def words(self) -> tuple[str, ...]:
        """How it is said on the command line: the dotted name without `storycore` and `integration`."""
        words = tuple(word.replace("_", "-") for word in self.name.split(".")[1:] if word != "integration")
        return (*words[:-1], self.command) if self.command else words


_PACKAGE = "storycore.operations.package"
_FORMAT = "storycore.operations.conversion"
_VERIFY = "storycore.operations.verification"
_DELIVER = "storycore.operations.film_delivery"
_PLAN = "storycore.operations.plan"
_METADATA = "storycore.operations.description"
_FOLDER = "storycore.operations.project_folder"
_PRESETS = "storycore.operations.presets"
_PROJECT = "storycore.operations.project"
_GRAPH = "storycore.operations.comfyui_graph"
_TASK = "storycore.operations.task"
_ARTIFACT = "storycore.operations.artifact"
_KEY = "storycore.operations.key"
_SERVERS = "storycore.operations.comfyui_servers"
_WORKFLOW = "storycore.operations.workflow"
_VIDEO = "storycore.operations.shot_video"
_BATCH = "storycore.operations.batch"
_TAKE = "storycore.operations.take"

_WORKFLOW_BYTES = 8 * 1024 * 1024
"""A workflow holds every text and every group of nodes that its author drew."""

_PICTURE_BYTES = 64 * 1024 * 1024
"""With a picture in it, in base64."""
_WEBHOOK = "storycore.operations.webhook"
_DELIVERY = "storycore.operations.delivery"
_EVENT = "storycore.operations.event"

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "storycore.export.package", "POST", f"{_PACKAGE}:package", f"{_PACKAGE}:PackageRequest",
        "Pack a project into one ZIP that anyone can verify",
        (
            "storycore export package film/",
            "storycore export package film/ -o delivery/ --include-source",
            "storycore export package film/ -o - | ssh archive 'cat > film.zip'",
        ),
        long=True, stream=f"{_PACKAGE}:stream_package", dry_run="storycore.export.plan",
        check=f"{_FOLDER}:check_project",
    ),
    Operation(
        "storycore.export.format", "POST", f"{_FORMAT}:convert", f"{_FORMAT}:FormatRequest",
        "Write a project as a film, sound, captions, pictures or data",
        (
            "storycore export format film/ --to mp4",
            "storycore export format film/ --preset youtube-1080p -o delivery/",
            "storycore export format film/ --to mov,wav,srt -O loudness_lufs=-23",
        ),
        long=True, check=f"{_FORMAT}:check_formats", dry_run="storycore.export.plan",
    ),
    Operation(
        "storycore.export.deliver", "POST", f"{_DELIVER}:deliver", f"{_DELIVER}:DeliverRequest",
        "Make a whole delivery: films, sound, captions, documents, stills, package and report",
        (
            "storycore export deliver film/ --template festival",
            "storycore export deliver film/ --template social --dry-run",
            "storycore export deliver film/ -t archive -o /media/disk/film -O effort=slow",
        ),
        long=True, check=f"{_DELIVER}:check_delivery", dry_run="storycore.export.plan", folder=True,
    ),
    Operation(
        "storycore.export.presets", "GET", f"{_PRESETS}:presets", f"{_PRESETS}:PresetsRequest",
        "List presets and delivery templates: what platforms and purposes ask for",
        ("storycore export presets", "storycore export presets film/ --json"),
    ),
    Operation(
        "storycore.export.metadata", "POST", f"{_METADATA}:metadata", f"{_METADATA}:MetadataRequest",
        "Describe a project, or the package of one, for people and machines, as JSON, XML or YAML",
        (
            "storycore export metadata film/",
            "storycore export metadata film/ --format xml > film.xml",
            "storycore export metadata s3://studio-films/little.zip",
        ),
        long=True, check=f"{_METADATA}:check_described",
    ),
    Operation(
        "storycore.export.verify", "POST", f"{_VERIFY}:verify", f"{_VERIFY}:VerifyRequest",
        "Check a package down to the last byte",
        ("storycore export verify film.zip", "storycore export verify film.zip --unpack-to film-copy/"),
        long=True, check=f"{_VERIFY}:check_package",
    ),
    Operation(
        "storycore.export.plan", "POST", f"{_PLAN}:plan", f"{_PLAN}:PlanRequest",
        "Tell what an export would hold, without writing anything",
        ("storycore export plan film/", "storycore export plan film/ --to mp4", "storycore export plan film/ -p web"),
    ),
    Operation(
        "storycore.project.inspect", "GET", f"{_PROJECT}:inspect", f"{_PROJECT}:InspectRequest",
        "Show a project: its shots, its sound, and what is missing",
        ("storycore project inspect film/", "storycore project inspect film/ --json"),
    ),
    Operation(
        "storycore.project.list", "GET", f"{_PROJECT}:list_projects", f"{_PROJECT}:ListRequest",
        "List the projects in a folder",
        ("storycore project list", "storycore project list ~/films"),
    ),
    Operation(
        "storycore.integration.comfyui.connect", "POST", f"{_SERVERS}:connect", f"{_SERVERS}:ConnectRequest",
        "Connect a ComfyUI server",
        ("storycore comfyui connect", "storycore comfyui connect gpu.local --port 8188 --tls"),
    ),
    Operation(
        "storycore.integration.comfyui.workflow", "POST", f"{_WORKFLOW}:workflow", f"{_WORKFLOW}:WorkflowRequest",
        "Run a workflow on a ComfyUI server, and bring home what it makes",
        (
            "storycore comfyui workflow shot.json",
            "storycore comfyui workflow shot.json --project film/ --shot shot_01 -p prompt='a red car'",
        ),
        long=True, check=f"{_WORKFLOW}:check_workflow", order=f"{_WORKFLOW}:order", accepted=f"{_WORKFLOW}:accepted",
        body_bytes=_WORKFLOW_BYTES, resumes=True,
    ),
    Operation(
        "storycore.integration.comfyui.generate_video", "POST", f"{_VIDEO}:generate_video",
        f"{_VIDEO}:GenerateVideoRequest",
        "Make the clip of a shot from its picture",
        ("storycore comfyui generate-video film/ shot_01 --workflow image-to-video.json",),
        long=True, check=f"{_VIDEO}:check_video", order=f"{_WORKFLOW}:order", accepted=f"{_VIDEO}:accepted_video",
        body_bytes=_PICTURE_BYTES, resumes=True,
    ),
    Operation(
        "storycore.integration.comfyui.get_status", "GET", f"{_VIDEO}:get_status", f"{_VIDEO}:GetStatusRequest",
        "Tell how far a clip is",
        ("storycore comfyui get-status workflow_0123456789ab",),
    ),
    Operation(
        "storycore.integration.comfyui.batch", "POST", f"{_BATCH}:batch", f"{_BATCH}:BatchRequest",
        "Run one workflow for the shots of a project, or for the rows of a table",
        (
            "storycore comfyui batch shot.json --project film/",
            "storycore comfyui batch shot.json --project film/ --missing --seed 7",
            "storycore comfyui batch shot.json --csv prompts.csv",
            "storycore comfyui batch shot.json --project film/ --again task_0123456789ab",
        ),
        long=True, check=f"{_BATCH}:check_batch", order=f"{_BATCH}:order", body_bytes=_WORKFLOW_BYTES,
        resumes=True,
    ),
    Operation(
        "storycore.integration.comfyui.backends", "GET", f"{_SERVERS}:backends", f"{_SERVERS}:BackendsRequest",
        "List the ComfyUI servers that are known, and how they stand",
        ("storycore comfyui backends",),
    ),
    Operation(
        "storycore.integration.comfyui.disconnect", "POST", f"{_SERVERS}:disconnect", f"{_SERVERS}:DisconnectRequest",
        "Forget a ComfyUI server, or give it nothing new",
        ("storycore comfyui disconnect backend_0123456789ab",),
    ),
    Operation(
        "storycore.project.pick", "POST", f"{_TAKE}:pick", f"{_TAKE}:PickRequest",
        "Choose which take of a shot counts",
        (
            "storycore project pick film/ shot_01",
            "storycore project pick film/ shot_01 workflow_0123456789ab/ComfyUI_00001_.png",
        ),
    ),
    Operation(
        "storycore.integration.comfyui.convert", "POST", f"{_GRAPH}:convert", f"{_GRAPH}:ConvertRequest",
        "Make workflows that ComfyUI's page saved into graphs that ComfyUI runs",
        (
            "storycore comfyui convert shot.json --object-info object_info.json > graph.json",
            "storycore comfyui convert workflows/ --object-info object_info.json.gz -o graphs/",
        ),
        body_bytes=_WORKFLOW_BYTES,
    ),
    Operation(
        "storycore.integration.comfyui.check", "POST", f"{_GRAPH}:check", f"{_GRAPH}:CheckRequest",
        "Check a workflow against what a ComfyUI server has: nodes, models, files, inputs, values",
        (
            "storycore comfyui check shot.json",
            "storycore comfyui check shot.json --object-info object_info.json",
            "storycore comfyui check shot.json --object-info object_info.json -p 3.seed=7",
        ),
        body_bytes=_WORKFLOW_BYTES,
    ),
    Operation(
        "storycore.task.status", "GET", f"{_TASK}:status", f"{_TASK}:TaskStatusRequest",
        "Tell how far a task is, and what came of it",
        ("storycore task status task_0123456789ab",),
    ),
    Operation(
        "storycore.task.list", "GET", f"{_TASK}:list_tasks", f"{_TASK}:TaskListRequest",
        "List tasks, the newest first",
        ("storycore task list", "storycore task list --status failed"),
    ),
    Operation(
        "storycore.task.cancel", "POST", f"{_TASK}:cancel", f"{_TASK}:TaskCancelRequest",
        "Stop a task",
        ("storycore task cancel task_0123456789ab",),
    ),
    Operation(
        "storycore.task.events", "GET", f"{_TASK}:events", f"{_TASK}:TaskEventsRequest",
        "Follow a task to its end",
        ("storycore task watch task_0123456789ab",),
        answer="events", command="watch",
    ),
    Operation(
        "storycore.artifact.list", "GET", f"{_ARTIFACT}:list_artifacts", f"{_ARTIFACT}:ArtifactListRequest",
        "List the files that tasks made, the newest first",
        ("storycore artifact list", "storycore artifact list --task-id task_0123456789ab"),
    ),
    Operation(
        "storycore.artifact.download", "GET", f"{_ARTIFACT}:download", f"{_ARTIFACT}:ArtifactDownloadRequest",
        "Fetch a file that a task made",
        ("storycore artifact download artifact_0123456789ab -o film.zip",),
        answer="file",
    ),
    Operation(
        "storycore.key.create", "POST", f"{_KEY}:create", f"{_KEY}:KeyCreateRequest",
        "Make a key for callers of the server",
        ("storycore key create 'edit suite'", "storycore key create dashboard --scope tasks:read --expires-days 90"),
        secret=True,
    ),
    Operation(
        "storycore.key.list", "GET", f"{_KEY}:list_keys", f"{_KEY}:KeyListRequest",
        "List the keys, without the part that opens",
        ("storycore key list",),
    ),
    Operation(
        "storycore.key.revoke", "POST", f"{_KEY}:revoke", f"{_KEY}:KeyRevokeRequest",
        "End a key for good",
        ("storycore key revoke 0123abcd",),
    ),
    Operation(
        "storycore.integration.webhook.register", "POST", f"{_WEBHOOK}:register",
        f"{_WEBHOOK}:WebhookRegisterRequest",
        "Tell another system of events, signed",
        (
            "storycore webhook register https://studio.example/hooks --event export.completed,export.failed",
            "storycore webhook register https://studio.example/hooks --event '*' --secret-file - < secret.txt",
        ),
        secret=True,
    ),
    Operation(
        "storycore.integration.webhook.list", "GET", f"{_WEBHOOK}:list_webhooks", f"{_WEBHOOK}:WebhookListRequest",
        "List the webhooks, the newest first",
        ("storycore webhook list",),
    ),
    Operation(
        "storycore.integration.webhook.get", "GET", f"{_WEBHOOK}:get", f"{_WEBHOOK}:WebhookGetRequest",
        "Show a webhook: how it is spoken to, how it has been doing, what waits for it",
        ("storycore webhook get webhook_0123456789ab",),
    ),
    Operation(
        "storycore.integration.webhook.update", "POST", f"{_WEBHOOK}:update", f"{_WEBHOOK}:WebhookUpdateRequest",
        "Change a webhook",
        (
            "storycore webhook update webhook_0123456789ab --no-active",
            "storycore webhook update webhook_0123456789ab --url https://studio.example/new",
        ),
    ),
    Operation(
        "storycore.integration.webhook.delete", "POST", f"{_WEBHOOK}:delete", f"{_WEBHOOK}:WebhookDeleteRequest",
        "End a webhook, and what waits for it",
        ("storycore webhook delete webhook_0123456789ab",),
    ),
    Operation(
        "storycore.integration.webhook.rotate_secret", "POST", f"{_WEBHOOK}:rotate_secret",
        f"{_WEBHOOK}:WebhookRotateSecretRequest",
        "Give a webhook a new secret; for a while both sign",
        ("storycore webhook rotate-secret webhook_0123456789ab --overlap-hours 48",),
        secret=True,
    ),
    Operation(
        "storycore.integration.webhook.trigger", "POST", f"{_DELIVERY}:trigger", f"{_DELIVERY}:WebhookTriggerRequest",
        "Send a webhook a message of your own, or show what would be sent",
        ("storycore webhook trigger webhook_0123456789ab -e export.completed --payload project=dream --test-mode",),
    ),
    Operation(
        "storycore.integration.webhook.ping", "POST", f"{_DELIVERY}:ping", f"{_DELIVERY}:WebhookPingRequest",
        "See whether a webhook answers",
        ("storycore webhook ping webhook_0123456789ab",),
    ),
    Operation(
        "storycore.integration.webhook.deliveries", "GET", f"{_DELIVERY}:deliveries",
        f"{_DELIVERY}:WebhookDeliveriesRequest",
        "List what is, or was, on its way to webhooks",
        (
            "storycore webhook deliveries --state exhausted",
            "storycore webhook deliveries --webhook webhook_0123456789ab --attempts",
        ),
    ),
    Operation(
        "storycore.integration.webhook.redeliver", "POST", f"{_DELIVERY}:redeliver",
        f"{_DELIVERY}:WebhookRedeliverRequest",
        "Send one delivery again",
        ("storycore webhook redeliver delivery_0123456789abcdef",),
    ),
    Operation(
        "storycore.integration.webhook.recover", "POST", f"{_DELIVERY}:recover", f"{_DELIVERY}:WebhookRecoverRequest",
        "Send a webhook again what it did not get since a time",
        ("storycore webhook recover webhook_0123456789ab --since 2026-11-25T08:00:00+00:00 --dry-run",),
    ),
    Operation(
        "storycore.event.publish", "POST", f"{_EVENT}:publish", f"{_EVENT}:EventPublishRequest",
        "Report an event of another part of the pipeline",
        ("storycore event publish pipeline.completed --data pipeline=nightly",),
    ),
    Operation(
        "storycore.event.list", "GET", f"{_EVENT}:list_events", f"{_EVENT}:EventListRequest",
        "List events since a place in their order",
        ("storycore event list", "storycore event list --after c1200 --event export.completed"),
    ),
)  # fmt: skip


SCOPES = {
    "storycore.export.package": "exports:write",
    "storycore.export.format": "exports:write",
    "storycore.export.deliver": "exports:write",
    "storycore.export.metadata": "exports:read",
    "storycore.export.verify": "exports:write",
    "storycore.export.plan": "exports:read",
    "storycore.export.presets": "exports:read",
    "storycore.project.inspect": "projects:read",
    "storycore.project.list": "projects:read",
    "storycore.project.pick": "projects:write",
    "storycore.integration.comfyui.connect": "comfyui:manage",
    "storycore.integration.comfyui.workflow": "comfyui:run",
    "storycore.integration.comfyui.generate_video": "comfyui:run",
    "storycore.integration.comfyui.get_status": "tasks:read",
    "storycore.integration.comfyui.batch": "comfyui:run",
    "storycore.integration.comfyui.backends": "comfyui:read",
    "storycore.integration.comfyui.disconnect": "comfyui:manage",
    "storycore.integration.comfyui.convert": "comfyui:read",
    "storycore.integration.comfyui.check": "comfyui:read",
    "storycore.task.status": "tasks:read",
    "storycore.task.list": "tasks:read",
    "storycore.task.events": "tasks:read",
    "storycore.task.cancel": "tasks:cancel",
    "storycore.artifact.list": "artifacts:read",
    "storycore.artifact.download": "artifacts:read",
    "storycore.key.create": "admin",
    "storycore.key.list": "admin",
    "storycore.key.revoke": "admin",
    "storycore.integration.webhook.register": "webhooks:write",
    "storycore.integration.webhook.list": "webhooks:read",
    "storycore.integration.webhook.get": "webhooks:read",
    "storycore.integration.webhook.update": "webhooks:write",
    "storycore.integration.webhook.delete": "webhooks:write",
    "storycore.integration.webhook.rotate_secret": "webhooks:write",
    "storycore.integration.webhook.trigger": "webhooks:write",
    "storycore.integration.webhook.ping": "webhooks:write",
    "storycore.integration.webhook.deliveries": "webhooks:read",
    "storycore.integration.webhook.redeliver": "webhooks:write",
    "storycore.integration.webhook.recover": "webhooks:write",
    "storycore.event.publish": "events:write",
    "storycore.event.list": "events:read",
}
"""What an API key must allow, by operation; `export.verify` writes when it unpacks."""


LOOKS_ONLY = frozenset({"storycore.export.plan", "storycore.integration.comfyui.check"})
"""Operations that change nothing although they are POST, since their requests hold objects."""

DESTRUCTIVE = frozenset({
    "storycore.task.cancel", "storycore.key.revoke", "storycore.integration.comfyui.disconnect",
    "storycore.integration.webhook.update", "storycore.integration.webhook.delete",
    "storycore.integration.webhook.rotate_secret",
})  # fmt: skip
"""Operations that end or replace what stood; all others only add."""

REPEATABLE = frozenset({
    "storycore.project.pick", "storycore.integration.comfyui.connect", "storycore.integration.comfyui.disconnect",
    "storycore.export.metadata", "storycore.integration.webhook.update",
})  # fmt: skip
"""Operations that change something, and that change no more when they are called again with the same request."""

OUTSIDE = frozenset({
    "storycore.integration.comfyui.connect", "storycore.integration.comfyui.workflow",
    "storycore.integration.comfyui.generate_video", "storycore.integration.comfyui.batch",
    "storycore.integration.comfyui.check", "storycore.integration.comfyui.backends",
    "storycore.integration.webhook.register", "storycore.integration.webhook.trigger",
    "storycore.integration.webhook.ping", "storycore.integration.webhook.redeliver",
    "storycore.integration.webhook.recover", "storycore.event.publish",
})  # fmt: skip
"""Operations that speak to other systems, or lead to that."""

NOT_FOR_AGENTS = frozenset({"storycore.key.create"})
"""Operations whose only product is a secret: an agent would have it in its conversation, and rights of its own."""


GROUPS = {
    "export": "Pack, convert, deliver, describe and verify a project",
    "project": "Look at projects",
    "comfyui": "Drive ComfyUI servers",
    "task": "See, follow and stop long work",
    "artifact": "Find and fetch the files that tasks made",
    "webhook": "Tell other systems what happened, signed",
    "event": "See and report what happened",
    "key": "Say who may call the server, and for what",
}
"""What the operations of a group do together, by their first word."""


GENERATING: Final = frozenset(it.name for it in OPERATIONS if it.long and it.words[0] == "comfyui")
"""What has a ComfyUI server do the work."""


def find(name: str) -> Operation | None:
    """The operation of a dotted name."""
    return next((operation for operation in OPERATIONS if operation.name == name), None)
