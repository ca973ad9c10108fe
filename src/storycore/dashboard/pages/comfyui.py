"""ComfyUI: the servers that are known, what they do for us, and what they made."""

from storycore.dashboard.page import Answer, Go, Page, Picture
from storycore.dashboard.visit import Visit
from storycore.errors import DependencyFailed, InvalidInput, NotFound, Reason
from storycore.json_text import BadJson, read_strict
from storycore.operations.artifact import ArtifactEntry, ArtifactListRequest
from storycore.operations.comfyui_graph import CheckRequest
from storycore.operations.comfyui_servers import BackendsRequest, ConnectRequest, DisconnectRequest
from storycore.operations.task import TaskEntry, TaskListRequest

KINDS = tuple(f"storycore.integration.comfyui.{name}" for name in ("workflow", "generate_video", "batch"))
_MOST_RUNS = 20
_MOST_PICTURES = 12


def comfyui(visit: Visit) -> Answer:
    """Servers, runs and pictures."""
    return _shown(visit)


def connect(visit: Visit) -> Answer:
    """Connects a server."""
    port = visit.sent("port")
    made = visit.run(
        ConnectRequest(
            host=visit.sent("host") or "localhost",
            port=int(port) if port.isascii() and port.isdigit() else 8188,
            tls=visit.sent("tls") == "1",
            token=visit.sent("token"),
        )
    )
    if not made.connected:
        raise DependencyFailed(
            made.error_message or "The server does not answer.",
            reason=Reason.COMFYUI_NOT_CONNECTED,
            remediation=made.hint or "See that ComfyUI runs, and that host and port are right.",
        )
    return Go(to="/comfyui", said="connected")


def disconnect(visit: Visit) -> Answer:
    """Forgets a server, or gives it nothing new."""
    drain = visit.sent("drain") == "1"
    visit.run(DisconnectRequest(backend_id=visit.names["backend_id"], drain=drain))
    return Go(to="/comfyui", said="drained" if drain else "forgotten")


def check(visit: Visit) -> Answer:
    """What a workflow lacks on the connected server: nodes, models, files."""
    text = visit.sent("workflow")
    try:
        workflow = read_strict(text)
    except BadJson as fault:
        raise InvalidInput(f"This is no workflow: {fault}", reason=Reason.MALFORMED_JSON) from None
    if not isinstance(workflow, dict):
        raise InvalidInput("This is no workflow: an object is needed.", reason=Reason.WORKFLOW_INVALID)
    checked = visit.run(CheckRequest(workflow_definition=workflow))
    return _shown(visit, checked=checked)


def preview(visit: Visit) -> Answer:
    """The latest picture of a run."""
    visit.require("tasks:read")
    run_id = visit.names["run_id"]
    found = visit.core.preview(run_id) if run_id.replace("_", "").isalnum() else None
    try:
        content = b"" if found is None else found.read_bytes()
    except OSError:  # the run has just ended
        content = b""
    if found is None or not content:
        raise NotFound("There is no picture of this run now.", reason=Reason.ARTIFACT_NOT_FOUND)
    return Picture(content=content, media_type="image/png" if found.suffix == ".png" else "image/jpeg")


def _shown(visit: Visit, **more: object) -> Page:
    look = visit.asked("look") == "1" and not visit.asked("live")
    servers = visit.run(BackendsRequest(look=look)).items
    runs = _runs(visit) if visit.may("task.list") else []
    return Page(
        template="comfyui.html",
        title="ComfyUI",
        data={"servers": servers, "runs": runs, "checked": None, **more},
        more={
            "as_json": not more,
            "pictures": _pictures(visit, runs) if not visit.asked("live") else [],
        },
        live=not more,
    )


def _runs(visit: Visit) -> list[TaskEntry]:
    found = [it for kind in KINDS for it in visit.run(TaskListRequest(kind=kind, limit=_MOST_RUNS)).items]
    return sorted(found, key=lambda it: it.created_at, reverse=True)[:_MOST_RUNS]


def _pictures(visit: Visit, runs: list[TaskEntry]) -> list[ArtifactEntry]:
    """The newest pictures that they made."""
    if not visit.may("artifact.list"):
        return []
    ours = {it.task_id for it in runs}
    newest = visit.run(ArtifactListRequest(limit=200)).items
    return [it for it in newest if it.task_id in ours and it.media_type.startswith("image/")][:_MOST_PICTURES]
