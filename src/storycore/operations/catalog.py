"""Every operation as plain data: listing it loads nothing.

HTTP routes, command line commands, the OpenAPI document and the reference pages are made from this list.
"""

from typing import NamedTuple


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

    @property
    def scope(self) -> str:
        """What an API key must allow to call it."""
        return SCOPES[self.name]

    @property
    def words(self) -> tuple[str, ...]:
        """How it is said on the command line: the dotted name without `storycore` and `integration`."""
        words = tuple(word.replace("_", "-") for word in self.name.split(".")[1:] if word != "integration")
        return (*words[:-1], self.command) if self.command else words


_EXPORT = "storycore.operations.export"
_PRESETS = "storycore.operations.presets"
_PROJECT = "storycore.operations.project"
_TASK = "storycore.operations.task"
_ARTIFACT = "storycore.operations.artifact"
_KEY = "storycore.operations.key"

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "storycore.export.package", "POST", f"{_EXPORT}:package", f"{_EXPORT}:PackageRequest",
        "Pack a project into one ZIP that anyone can verify",
        (
            "storycore export package film/",
            "storycore export package film/ -o delivery/ --include-source",
            "storycore export package film/ -o - | ssh archive 'cat > film.zip'",
        ),
        long=True, stream=f"{_EXPORT}:stream_package", dry_run="storycore.export.plan",
        check=f"{_EXPORT}:check_project",
    ),
    Operation(
        "storycore.export.format", "POST", f"{_EXPORT}:convert", f"{_EXPORT}:FormatRequest",
        "Write a project as a film, sound, captions, pictures or data",
        (
            "storycore export format film/ --to mp4",
            "storycore export format film/ --preset youtube-1080p -o delivery/",
            "storycore export format film/ --to mov,wav,srt -O loudness_lufs=-23",
        ),
        long=True, check=f"{_EXPORT}:check_formats",
    ),
    Operation(
        "storycore.export.presets", "GET", f"{_PRESETS}:presets", f"{_PRESETS}:PresetsRequest",
        "List presets: what platforms and purposes ask for",
        ("storycore export presets", "storycore export presets film/ --json"),
    ),
    Operation(
        "storycore.export.metadata", "POST", f"{_EXPORT}:metadata", f"{_EXPORT}:MetadataRequest",
        "Describe a project for people and machines, as JSON, XML or YAML",
        ("storycore export metadata film/", "storycore export metadata film/ --format xml > film.xml"),
        long=True, check=f"{_EXPORT}:check_project",
    ),
    Operation(
        "storycore.export.verify", "POST", f"{_EXPORT}:verify", f"{_EXPORT}:VerifyRequest",
        "Check a package down to the last byte",
        ("storycore export verify film.zip", "storycore export verify film.zip --unpack-to film-copy/"),
        long=True, check=f"{_EXPORT}:check_package",
    ),
    Operation(
        "storycore.export.plan", "POST", f"{_EXPORT}:plan", f"{_EXPORT}:PlanRequest",
        "Tell what an export would hold, without writing anything",
        ("storycore export plan film/",),
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
)  # fmt: skip


SCOPES = {
    "storycore.export.package": "exports:write",
    "storycore.export.format": "exports:write",
    "storycore.export.metadata": "exports:read",
    "storycore.export.verify": "exports:write",
    "storycore.export.plan": "exports:read",
    "storycore.export.presets": "exports:read",
    "storycore.project.inspect": "projects:read",
    "storycore.project.list": "projects:read",
    "storycore.task.status": "tasks:read",
    "storycore.task.list": "tasks:read",
    "storycore.task.events": "tasks:read",
    "storycore.task.cancel": "tasks:cancel",
    "storycore.artifact.list": "artifacts:read",
    "storycore.artifact.download": "artifacts:read",
    "storycore.key.create": "admin",
    "storycore.key.list": "admin",
    "storycore.key.revoke": "admin",
}
"""What an API key must allow, by operation; `export.verify` writes when it unpacks."""


GROUPS = {
    "export": "Pack, convert, describe and verify a project",
    "project": "Look at projects",
    "task": "See, follow and stop long work",
    "artifact": "Find and fetch the files that tasks made",
    "key": "Say who may call the server, and for what",
}
"""What the operations of a group do together, by their first word."""


def find(name: str) -> Operation | None:
    """The operation of a dotted name."""
    return next((operation for operation in OPERATIONS if operation.name == name), None)
