"""A small picture of a finished film or still, for lists; kept in the cache folder under what the file is."""

from typing import Final

from storycore.app import App
from storycore.observe.progress import Progress
from storycore.operations.likeness import Likenesses

_thumbnails: Final = Likenesses("thumbnails", ".jpg")


def thumbnail(app: App, artifact_id: str, progress: Progress) -> bytes | None:
    """A JPEG of at most 320 by 180 pixels.

    None where there can be none: it is not on this machine, is not there as it was made, or is no film or picture
    that can be read.

    Raises:
        NotFound: artifact_not_found.
        Cancelled: the work was asked to stop.
    """
    from storycore.rendering import thumbnail as rendering
    from storycore.rendering.encoder import find

    artifact = app.tasks.records.artifact(artifact_id)
    return _thumbnails.find(
        app, artifact, lambda path: rendering.thumbnail(find(app.settings), path, artifact.name, progress)
    )
