"""What a film says about itself in the tags of its files: names of tags, and words that are safe to write."""

from collections.abc import Mapping
from datetime import UTC, datetime

from storycore.exports.moment import source_date_epoch
from storycore.metadata.stated import stated
from storycore.project.model import Project
from storycore.rendering.tags import clean
from storycore.units import SECOND_NS


def told_words(project: Project, *, title: str = "") -> Mapping[str, str]:
    """Title, artist, description, comment, copyright, date and language, as far as the project says them.

    Args:
        project: as read.
        title: instead of the project's.
    """
    words = stated(project)
    created = created_at(project)
    found = {
        "title": title or project.title or project.name,
        "artist": ", ".join(words.creators),
        "description": words.description or project.logline,
        "copyright": words.rights,
        "date": "" if created is None else f"{created:%Y-%m-%d}",
        "language": words.language,
    }
    return {name: shown for name, text in found.items() if (shown := clean(text))}


def created_at(project: Project) -> datetime | None:
    """When the film was made, by SOURCE_DATE_EPOCH or else by the project; None if neither says so. Aware, UTC.

    Raises:
        InvalidInput: setting_invalid: SOURCE_DATE_EPOCH is not a count of seconds.
    """
    epoch = source_date_epoch()
    if epoch is not None:
        return datetime.fromtimestamp(epoch // SECOND_NS, UTC)
    found = project.created or project.updated
    return None if found is None else found.astimezone(UTC)
