"""html: a storyboard as one file that any browser shows, light or dark, on paper too, and that asks for nothing."""

from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from pydantic import Field
from typing_extensions import override

from storycore.exports.documents import web_page
from storycore.exports.documents.panels import panels
from storycore.exports.formats.figures import Figure
from storycore.exports.formats.finished import finished
from storycore.exports.formats.format import Film, Made
from storycore.exports.formats.options import Whole
from storycore.exports.formats.pdf_options import BoardOptions
from storycore.exports.formats.shot_pictures import fitting, pictures
from storycore.metadata.stated import stated
from storycore.observe.progress import Progress
from storycore.project.model import ProjectWarning
from storycore.storage.local import new_file
from storycore.units import human_seconds, timecode

_EMPTY = ProjectWarning(
    file="project.json", pointer="", reason="nothing_to_show", message="The film has no shots; the page says so."
)
_PART = 1 << 20


class HtmlOptions(BoardOptions):
    """Options of html."""

    picture_width: Whole = Field(default=640, ge=64, le=1920, description="Pixels of each picture at most.")


class _Html:
    name = "html"
    suffix = ".html"
    media_type = "text/html"
    options: type[HtmlOptions] = HtmlOptions
    figures: Mapping[str, Figure] = {
        "shots": Figure(words="the number of shots"),
        "pictures": Figure(words="the number of pictures"),
        "outside_references": Figure(words="the number of references to other files"),
        "scripts": Figure(words="the number of scripts"),
    }

    def write(self, film: Film, target: Path, options: Any, progress: Progress) -> Made:
        """The film's panels on one page."""
        project = film.project
        found = panels(project)
        wide = options.picture_width
        size = fitting(film, wide, max(2, round(wide * project.height / project.width)))
        with new_file(target) as file, pictures(film, *size, progress, until=0.9) as shown:
            progress.begin("writing", total=len(found), unit="shots", until=0.97)
            scenes = [(panel.number, panel.scene) for panel in found if panel.scene]
            file.write(web_page.beginning(_face(film, size), scenes).encode())
            for part in web_page.shots(found, options.fields, shown.read):
                file.write(part.encode())
                progress.advance()
            file.write(web_page.END.encode())
            progress.begin("measuring", until=0.99)
            looked = _Reader()
            file.seek(0)
            while data := file.read(_PART):
                looked.feed(data.decode("utf-8", "ignore"))
            size_bytes, sha256 = finished(file)
        return Made(
            size_bytes=size_bytes,
            sha256=sha256,
            metrics={
                "shots": looked.shots,
                "pictures": looked.pictures,
                "outside_references": looked.outside,
                "scripts": looked.scripts,
            },
            warnings=shown.warnings if found else (_EMPTY,),
        )


def _face(film: Film, aspect: tuple[int, int]) -> web_page.Face:
    project = film.project
    count = len(project.shots)
    return web_page.Face(
        title=project.title,
        logline=project.logline[:2000],
        facts=(
            f"{count} {'shot' if count == 1 else 'shots'}",
            f"{timecode(project.duration, project.frame_rate)} · {human_seconds(float(project.duration))}",
            f"{project.width} × {project.height} at {float(project.frame_rate):.5g} frames per second",
        ),
        language=stated(project).language or "en",
        aspect=aspect,
    )


class _Reader(HTMLParser):
    """Counts what the finished page holds."""

    def __init__(self) -> None:
        super().__init__()
        self.shots = self.pictures = self.outside = self.scripts = 0

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.shots += tag == "article"
        self.pictures += tag == "img"
        self.scripts += tag == "script" or any(name.startswith("on") for name in given)
        places = (given.get(name) or "" for name in ("src", "href", "action", "data"))
        self.outside += any(place and not place.startswith(("#", "data:image/jpeg;")) for place in places)


FORMAT = _Html()
