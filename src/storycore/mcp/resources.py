"""What agents may read beside calling tools: finished files, and how tasks stand.

Small texts are given as they are. Of everything else only the facts are told: a film in base64 helps nobody.
"""

import hashlib
import re
from pathlib import Path
from typing import Any, Final

import anyio.to_thread
from mcp import types

from storycore.errors import NotFound, Reason
from storycore.json_text import write
from storycore.library import StoryCore
from storycore.mcp.caller import Caller
from storycore.operations.artifact import ArtifactDownloadRequest, ArtifactDownloadResult, ArtifactListRequest
from storycore.operations.task import TaskStatusRequest

TEXT_BYTES: Final = 256 * 1024
"""The longest file whose text is given."""

_TEXTS: Final = re.compile(r"text/.+|application/([a-z.+-]*\+)?(json|xml|yaml)|application/x-subrip")
_URI: Final = re.compile(r"storycore://(artifacts|tasks)/([A-Za-z0-9_.-]{1,64})")
_LISTED: Final = 50

TEMPLATES: Final = (
    types.ResourceTemplate(
        uri_template="storycore://artifacts/{artifact_id}", name="artifact", title="A finished file",
        description="Its text if it is a short one, otherwise its facts as JSON.",
    ),
    types.ResourceTemplate(
        uri_template="storycore://tasks/{task_id}", name="task", title="How a task stands",
        description="Status, progress, result or error, as JSON.", mime_type="application/json",
    ),
)  # fmt: skip


async def listed(core: StoryCore, caller: Caller) -> list[types.Resource]:
    """The newest finished files, if the caller may see them."""
    if not caller.may("artifacts:read"):
        return []
    page = await anyio.to_thread.run_sync(core.run, ArtifactListRequest(limit=_LISTED))
    return [
        types.Resource(
            uri=f"storycore://artifacts/{entry.artifact_id}", name=entry.name, title=f"{entry.name} of {entry.task_id}",
            mime_type=entry.media_type, size=entry.size_bytes,
        )
        for entry in page.items
    ]  # fmt: skip


async def read(core: StoryCore, uri: str, caller: Caller) -> types.TextResourceContents:
    """One resource.

    Raises:
        AccessDenied: scope_missing.
        NotFound: artifact_not_found, task_not_found.
    """
    found = _URI.fullmatch(uri)
    if found is None:
        raise NotFound("There is no such resource.", reason=Reason.ARTIFACT_NOT_FOUND)
    kind, name = found.groups()
    caller.check(f"{kind}:read")
    if kind == "tasks":
        task = await anyio.to_thread.run_sync(core.run, TaskStatusRequest(task_id=name))
        return _json(uri, task.model_dump(mode="json"))
    entry = await anyio.to_thread.run_sync(core.run, ArtifactDownloadRequest(artifact_id=name))
    text = await anyio.to_thread.run_sync(_text, entry)
    if text is None:
        return _json(uri, entry.model_dump(mode="json"))
    return types.TextResourceContents(uri=uri, mime_type=entry.media_type, text=text, _meta=_UNTRUSTED)


_UNTRUSTED: Final = {"storycore/untrusted": True}


def _json(uri: str, data: dict[str, Any]) -> types.TextResourceContents:
    return types.TextResourceContents(uri=uri, mime_type="application/json", text=write(data), _meta=_UNTRUSTED)


def _text(entry: ArtifactDownloadResult) -> str | None:
    """The text of a short local file that is still the one that was made; None for any other."""
    if not _TEXTS.fullmatch(entry.media_type) or entry.size_bytes > TEXT_BYTES or "://" in entry.path:
        return None
    try:
        with Path(entry.path).open("rb") as file:
            data = file.read(TEXT_BYTES + 1)
        if f"sha256:{hashlib.sha256(data).hexdigest()}" != entry.checksum:
            raise NotFound("The file is not there any more as it was made.", reason=Reason.ARTIFACT_NOT_FOUND)
        return data.decode()
    except OSError:
        raise NotFound("The file is not there any more as it was made.", reason=Reason.ARTIFACT_NOT_FOUND) from None
    except UnicodeDecodeError:
        return None
