"""What the formats of captions have in common."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from storycore.exports.formats.figures import Figure
from storycore.exports.formats.format import Film, Made
from storycore.exports.formats.mixdown import film_line
from storycore.exports.formats.options import TimeOptions
from storycore.observe.progress import Progress
from storycore.project.model import Project, ProjectWarning
from storycore.rendering.captions import Cue, cues, left_out
from storycore.rendering.plan import Timeline
from storycore.storage.local import new_file


class CaptionFormat:
    """A format of captions: a text file beside the film.

    Args:
        name: lower case.
        media_type: IANA media type.
        options: the model of its options.
        text: the file of some captions.
        count: how many captions a text of this format holds, counted by another way than it was written.
    """

    def __init__(
        self,
        name: str,
        media_type: str,
        options: type[TimeOptions],
        text: Callable[[Sequence[Cue], Film, Any], str],
        count: Callable[[str], int],
    ) -> None:
        self.name, self.suffix, self.media_type = name, f".{name}", media_type
        self.options: Any = options
        self.figures = {"captions": Figure(words="the number of captions")}
        self._text, self._count = text, count

    def nothing(self, film: Film, options: Any) -> str:
        """Why there is nothing to make of a film; empty if there is."""
        return "" if cues(film.project, film_line(film, options)) else WORDLESS.message

    def write(self, film: Film, target: Path, options: Any, progress: Progress) -> Made:
        """The film's captions; a film without words gives a file without captions, and a warning."""
        line = film_line(film, options)
        found = cues(film.project, line)
        data = self._text(found, film, options).encode()
        progress.begin("writing", total=len(data), unit="bytes", until=0.99)
        with new_file(target) as file:
            file.write(data)
            progress.advance(len(data))
            file.seek(0)
            finished = file.read()
        return Made(
            size_bytes=len(finished),
            sha256=hashlib.sha256(finished).hexdigest(),
            metrics={"captions": self._count(finished.decode())},
            warnings=caption_warnings(film.project, line, found),
        )


WORDLESS = ProjectWarning(file="", pointer="", reason="captions_missing", message="The film has no words to caption.")


def caption_warnings(project: Project, line: Timeline, found: Sequence[Cue]) -> tuple[ProjectWarning, ...]:
    """What viewers will not read, though captions were asked for.

    Args:
        project: whose words they are.
        line: the film in frames.
        found: its captions.
    """
    if not found:
        return (WORDLESS,)
    lost = left_out(project, line)
    if not lost:
        return ()
    what = "A caption is" if lost == 1 else f"{lost:,} captions are"
    message = f"{what} left out: more is said than can be shown in its time. Make the text shorter, or its shot longer."
    return (ProjectWarning(file="", pointer="", reason="captions_left_out", message=message),)
