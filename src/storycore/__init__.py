"""StoryCore takes a film project folder and packs, describes and verifies it, by library, command line and HTTP."""

TYPE_CHECKING = False  # what type checkers take for true; loading `typing` takes longer than all the rest of this
if TYPE_CHECKING:
    from typing import Any

    from storycore.errors import StoryCoreError as StoryCoreError
    from storycore.library import StoryCore as StoryCore
    from storycore.observe.progress import Progress as Progress
    from storycore.observe.progress import Report as Report
    from storycore.operations.artifact import ArtifactDownloadRequest as ArtifactDownloadRequest
    from storycore.operations.artifact import ArtifactDownloadResult as ArtifactDownloadResult
    from storycore.operations.artifact import ArtifactListRequest as ArtifactListRequest
    from storycore.operations.artifact import ArtifactListResult as ArtifactListResult
    from storycore.operations.batch import BatchRequest as BatchRequest
    from storycore.operations.batch import BatchResult as BatchResult
    from storycore.operations.comfyui_graph import CheckRequest as CheckRequest
    from storycore.operations.comfyui_graph import CheckResult as CheckResult
    from storycore.operations.comfyui_graph import ConvertRequest as ConvertRequest
    from storycore.operations.comfyui_graph import ConvertResult as ConvertResult
    from storycore.operations.comfyui_servers import BackendsRequest as BackendsRequest
    from storycore.operations.comfyui_servers import BackendsResult as BackendsResult
    from storycore.operations.comfyui_servers import ConnectRequest as ConnectRequest
    from storycore.operations.comfyui_servers import ConnectResult as ConnectResult
    from storycore.operations.comfyui_servers import DisconnectRequest as DisconnectRequest
    from storycore.operations.comfyui_servers import DisconnectResult as DisconnectResult
    from storycore.operations.conversion import FormatRequest as FormatRequest
    from storycore.operations.conversion import FormatResult as FormatResult
    from storycore.operations.delivery import WebhookDeliveriesRequest as WebhookDeliveriesRequest
    from storycore.operations.delivery import WebhookDeliveriesResult as WebhookDeliveriesResult
    from storycore.operations.delivery import WebhookPingRequest as WebhookPingRequest
    from storycore.operations.delivery import WebhookPingResult as WebhookPingResult
    from storycore.operations.delivery import WebhookRecoverRequest as WebhookRecoverRequest
    from storycore.operations.delivery import WebhookRecoverResult as WebhookRecoverResult
    from storycore.operations.delivery import WebhookRedeliverRequest as WebhookRedeliverRequest
    from storycore.operations.delivery import WebhookRedeliverResult as WebhookRedeliverResult
    from storycore.operations.delivery import WebhookTriggerRequest as WebhookTriggerRequest
    from storycore.operations.delivery import WebhookTriggerResult as WebhookTriggerResult
    from storycore.operations.description import MetadataRequest as MetadataRequest
    from storycore.operations.description import MetadataResult as MetadataResult
    from storycore.operations.event import EventListRequest as EventListRequest
    from storycore.operations.event import EventListResult as EventListResult
    from storycore.operations.event import EventPublishRequest as EventPublishRequest
    from storycore.operations.event import EventPublishResult as EventPublishResult
    from storycore.operations.film_delivery import DeliverRequest as DeliverRequest
    from storycore.operations.film_delivery import DeliverResult as DeliverResult
    from storycore.operations.key import KeyCreateRequest as KeyCreateRequest
    from storycore.operations.key import KeyCreateResult as KeyCreateResult
    from storycore.operations.key import KeyListRequest as KeyListRequest
    from storycore.operations.key import KeyListResult as KeyListResult
    from storycore.operations.key import KeyRevokeRequest as KeyRevokeRequest
    from storycore.operations.key import KeyRevokeResult as KeyRevokeResult
    from storycore.operations.package import PackageRequest as PackageRequest
    from storycore.operations.package import PackageResult as PackageResult
    from storycore.operations.plan import PlanRequest as PlanRequest
    from storycore.operations.plan import PlanResult as PlanResult
    from storycore.operations.presets import PresetsRequest as PresetsRequest
    from storycore.operations.presets import PresetsResult as PresetsResult
    from storycore.operations.project import InspectRequest as InspectRequest
    from storycore.operations.project import InspectResult as InspectResult
    from storycore.operations.project import ListRequest as ListRequest
    from storycore.operations.project import ListResult as ListResult
    from storycore.operations.shot_video import GenerateVideoRequest as GenerateVideoRequest
    from storycore.operations.shot_video import GenerateVideoResult as GenerateVideoResult
    from storycore.operations.shot_video import GetStatusRequest as GetStatusRequest
    from storycore.operations.shot_video import GetStatusResult as GetStatusResult
    from storycore.operations.take import PickRequest as PickRequest
    from storycore.operations.take import PickResult as PickResult
    from storycore.operations.task import TaskCancelRequest as TaskCancelRequest
    from storycore.operations.task import TaskCancelResult as TaskCancelResult
    from storycore.operations.task import TaskEventsRequest as TaskEventsRequest
    from storycore.operations.task import TaskEventsResult as TaskEventsResult
    from storycore.operations.task import TaskListRequest as TaskListRequest
    from storycore.operations.task import TaskListResult as TaskListResult
    from storycore.operations.task import TaskStatusRequest as TaskStatusRequest
    from storycore.operations.task import TaskStatusResult as TaskStatusResult
    from storycore.operations.verification import VerifyRequest as VerifyRequest
    from storycore.operations.verification import VerifyResult as VerifyResult
    from storycore.operations.webhook import WebhookDeleteRequest as WebhookDeleteRequest
    from storycore.operations.webhook import WebhookDeleteResult as WebhookDeleteResult
    from storycore.operations.webhook import WebhookGetRequest as WebhookGetRequest
    from storycore.operations.webhook import WebhookGetResult as WebhookGetResult
    from storycore.operations.webhook import WebhookListRequest as WebhookListRequest
    from storycore.operations.webhook import WebhookListResult as WebhookListResult
    from storycore.operations.webhook import WebhookRegisterRequest as WebhookRegisterRequest
    from storycore.operations.webhook import WebhookRegisterResult as WebhookRegisterResult
    from storycore.operations.webhook import WebhookRotateSecretRequest as WebhookRotateSecretRequest
    from storycore.operations.webhook import WebhookRotateSecretResult as WebhookRotateSecretResult
    from storycore.operations.webhook import WebhookUpdateRequest as WebhookUpdateRequest
    from storycore.operations.webhook import WebhookUpdateResult as WebhookUpdateResult
    from storycore.operations.workflow import WorkflowRequest as WorkflowRequest
    from storycore.operations.workflow import WorkflowResult as WorkflowResult
    from storycore.settings import Settings as Settings

__version__ = "0.1.0"

_HOMES = {
    "ArtifactDownloadRequest": "storycore.operations.artifact",
    "ArtifactDownloadResult": "storycore.operations.artifact",
    "ArtifactListRequest": "storycore.operations.artifact",
    "ArtifactListResult": "storycore.operations.artifact",
    "BackendsRequest": "storycore.operations.comfyui_servers",
    "BackendsResult": "storycore.operations.comfyui_servers",
    "BatchRequest": "storycore.operations.batch",
    "BatchResult": "storycore.operations.batch",
    "CheckRequest": "storycore.operations.comfyui_graph",
    "CheckResult": "storycore.operations.comfyui_graph",
    "ConnectRequest": "storycore.operations.comfyui_servers",
    "ConnectResult": "storycore.operations.comfyui_servers",
    "ConvertRequest": "storycore.operations.comfyui_graph",
    "ConvertResult": "storycore.operations.comfyui_graph",
    "DeliverRequest": "storycore.operations.film_delivery",
    "DeliverResult": "storycore.operations.film_delivery",
    "DisconnectRequest": "storycore.operations.comfyui_servers",
    "DisconnectResult": "storycore.operations.comfyui_servers",
    "EventListRequest": "storycore.operations.event",
    "EventListResult": "storycore.operations.event",
    "EventPublishRequest": "storycore.operations.event",
    "EventPublishResult": "storycore.operations.event",
    "FormatRequest": "storycore.operations.conversion",
    "FormatResult": "storycore.operations.conversion",
    "GenerateVideoRequest": "storycore.operations.shot_video",
    "GenerateVideoResult": "storycore.operations.shot_video",
    "GetStatusRequest": "storycore.operations.shot_video",
    "GetStatusResult": "storycore.operations.shot_video",
    "InspectRequest": "storycore.operations.project",
    "InspectResult": "storycore.operations.project",
    "KeyCreateRequest": "storycore.operations.key",
    "KeyCreateResult": "storycore.operations.key",
    "KeyListRequest": "storycore.operations.key",
    "KeyListResult": "storycore.operations.key",
    "KeyRevokeRequest": "storycore.operations.key",
    "KeyRevokeResult": "storycore.operations.key",
    "ListRequest": "storycore.operations.project",
    "ListResult": "storycore.operations.project",
    "MetadataRequest": "storycore.operations.description",
    "MetadataResult": "storycore.operations.description",
    "PackageRequest": "storycore.operations.package",
    "PackageResult": "storycore.operations.package",
    "PickRequest": "storycore.operations.take",
    "PickResult": "storycore.operations.take",
    "PlanRequest": "storycore.operations.plan",
    "PlanResult": "storycore.operations.plan",
    "PresetsRequest": "storycore.operations.presets",
    "PresetsResult": "storycore.operations.presets",
    "Progress": "storycore.observe.progress",
    "Report": "storycore.observe.progress",
    "Settings": "storycore.settings",
    "StoryCore": "storycore.library",
    "StoryCoreError": "storycore.errors",
    "TaskCancelRequest": "storycore.operations.task",
    "TaskCancelResult": "storycore.operations.task",
    "TaskEventsRequest": "storycore.operations.task",
    "TaskEventsResult": "storycore.operations.task",
    "TaskListRequest": "storycore.operations.task",
    "TaskListResult": "storycore.operations.task",
    "TaskStatusRequest": "storycore.operations.task",
    "TaskStatusResult": "storycore.operations.task",
    "VerifyRequest": "storycore.operations.verification",
    "VerifyResult": "storycore.operations.verification",
    "WebhookDeleteRequest": "storycore.operations.webhook",
    "WebhookDeleteResult": "storycore.operations.webhook",
    "WebhookDeliveriesRequest": "storycore.operations.delivery",
    "WebhookDeliveriesResult": "storycore.operations.delivery",
    "WebhookGetRequest": "storycore.operations.webhook",
    "WebhookGetResult": "storycore.operations.webhook",
    "WebhookListRequest": "storycore.operations.webhook",
    "WebhookListResult": "storycore.operations.webhook",
    "WebhookPingRequest": "storycore.operations.delivery",
    "WebhookPingResult": "storycore.operations.delivery",
    "WebhookRecoverRequest": "storycore.operations.delivery",
    "WebhookRecoverResult": "storycore.operations.delivery",
    "WebhookRedeliverRequest": "storycore.operations.delivery",
    "WebhookRedeliverResult": "storycore.operations.delivery",
    "WebhookRegisterRequest": "storycore.operations.webhook",
    "WebhookRegisterResult": "storycore.operations.webhook",
    "WebhookRotateSecretRequest": "storycore.operations.webhook",
    "WebhookRotateSecretResult": "storycore.operations.webhook",
    "WebhookTriggerRequest": "storycore.operations.delivery",
    "WebhookTriggerResult": "storycore.operations.delivery",
    "WebhookUpdateRequest": "storycore.operations.webhook",
    "WebhookUpdateResult": "storycore.operations.webhook",
    "WorkflowRequest": "storycore.operations.workflow",
    "WorkflowResult": "storycore.operations.workflow",
}

__all__ = sorted([*_HOMES, "__version__"])  # noqa: PLE0605 - a test compares it with what can be imported


def __dir__() -> list[str]:
    return __all__


def __getattr__(name: str) -> "Any":
    """Loads a public name when it is first asked for, so that `import storycore` stays quick."""
    if name not in _HOMES:
        raise AttributeError(f"module 'storycore' has no attribute {name!r}")
    from storycore.loading import load

    return load(f"{_HOMES[name]}:{name}")
