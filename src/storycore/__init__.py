"""StoryCore takes a film project folder and packs, describes and verifies it, by library, command line and HTTP."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from storycore.errors import StoryCoreError as StoryCoreError
    from storycore.library import StoryCore as StoryCore
    from storycore.observe.progress import Progress as Progress
    from storycore.observe.progress import Report as Report
    from storycore.operations.artifact import ArtifactDownloadRequest as ArtifactDownloadRequest
    from storycore.operations.artifact import ArtifactDownloadResult as ArtifactDownloadResult
    from storycore.operations.artifact import ArtifactListRequest as ArtifactListRequest
    from storycore.operations.artifact import ArtifactListResult as ArtifactListResult
    from storycore.operations.export import FormatRequest as FormatRequest
    from storycore.operations.export import FormatResult as FormatResult
    from storycore.operations.export import MetadataRequest as MetadataRequest
    from storycore.operations.export import MetadataResult as MetadataResult
    from storycore.operations.export import PackageRequest as PackageRequest
    from storycore.operations.export import PackageResult as PackageResult
    from storycore.operations.export import PlanRequest as PlanRequest
    from storycore.operations.export import PlanResult as PlanResult
    from storycore.operations.export import VerifyRequest as VerifyRequest
    from storycore.operations.export import VerifyResult as VerifyResult
    from storycore.operations.key import KeyCreateRequest as KeyCreateRequest
    from storycore.operations.key import KeyCreateResult as KeyCreateResult
    from storycore.operations.key import KeyListRequest as KeyListRequest
    from storycore.operations.key import KeyListResult as KeyListResult
    from storycore.operations.key import KeyRevokeRequest as KeyRevokeRequest
    from storycore.operations.key import KeyRevokeResult as KeyRevokeResult
    from storycore.operations.presets import PresetsRequest as PresetsRequest
    from storycore.operations.presets import PresetsResult as PresetsResult
    from storycore.operations.project import InspectRequest as InspectRequest
    from storycore.operations.project import InspectResult as InspectResult
    from storycore.operations.project import ListRequest as ListRequest
    from storycore.operations.project import ListResult as ListResult
    from storycore.operations.task import TaskCancelRequest as TaskCancelRequest
    from storycore.operations.task import TaskCancelResult as TaskCancelResult
    from storycore.operations.task import TaskEventsRequest as TaskEventsRequest
    from storycore.operations.task import TaskEventsResult as TaskEventsResult
    from storycore.operations.task import TaskListRequest as TaskListRequest
    from storycore.operations.task import TaskListResult as TaskListResult
    from storycore.operations.task import TaskStatusRequest as TaskStatusRequest
    from storycore.operations.task import TaskStatusResult as TaskStatusResult
    from storycore.settings import Settings as Settings

__version__ = "0.1.0"

_HOMES = {
    "ArtifactDownloadRequest": "storycore.operations.artifact",
    "ArtifactDownloadResult": "storycore.operations.artifact",
    "ArtifactListRequest": "storycore.operations.artifact",
    "ArtifactListResult": "storycore.operations.artifact",
    "FormatRequest": "storycore.operations.export",
    "FormatResult": "storycore.operations.export",
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
    "MetadataRequest": "storycore.operations.export",
    "MetadataResult": "storycore.operations.export",
    "PackageRequest": "storycore.operations.export",
    "PackageResult": "storycore.operations.export",
    "PlanRequest": "storycore.operations.export",
    "PlanResult": "storycore.operations.export",
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
    "VerifyRequest": "storycore.operations.export",
    "VerifyResult": "storycore.operations.export",
}

__all__ = sorted([*_HOMES, "__version__"])  # noqa: PLE0605 - a test compares it with what can be imported


def __dir__() -> list[str]:
    return __all__


def __getattr__(name: str) -> Any:
    """Loads a public name when it is first asked for, so that `import storycore` stays quick."""
    if name not in _HOMES:
        raise AttributeError(f"module 'storycore' has no attribute {name!r}")
    from storycore.loading import load

    return load(f"{_HOMES[name]}:{name}")
