"""What a PDF can be asked for."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, Strict

from storycore.exports.documents.pages import Orientation, Paper
from storycore.exports.formats.options import MarkOptions, Switch, Whole

ShotField = Literal["number", "duration", "dialogue", "action", "camera", "notes", "transition", "prompt"]
USUAL_FIELDS: tuple[ShotField, ...] = (
    "number", "duration", "dialogue", "action", "camera", "notes", "transition",
)  # fmt: skip

Name = Annotated[str, Strict(), Field(max_length=500)]
Words = Annotated[str, Strict(), Field(max_length=200)]


def _listed(value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


class BoardOptions(MarkOptions):
    """Of every storyboard."""

    fields: Annotated[tuple[ShotField, ...], BeforeValidator(_listed)] = Field(
        default=USUAL_FIELDS, max_length=8, description="What is told of each shot, in this order."
    )


class PdfOptions(BoardOptions):
    """Options of pdf."""

    document: Literal["storyboard", "shot_list", "report"] = Field(
        default="storyboard", description="storyboard, shot_list, or report: what was made, and how it measures."
    )
    layout: Annotated[str, Strict()] = Field(
        default="3x2", pattern=r"^[1-8]x[1-8]$", description="Panels across and down a page of the storyboard."
    )
    paper: Paper = Field(default="a4", description="a4 or letter.")
    orientation: Orientation | None = Field(
        default=None, description="landscape or portrait; a report is portrait if left out, all else landscape."
    )
    dpi: Whole = Field(default=200, ge=36, le=600, description="Pixels to an inch that pictures are reduced to.")
    cover: Switch = Field(default=True, description="Begin the storyboard with a page about the film.")
    header: Words = Field(default="", description="Above each page; the film's title if empty.")
    footer: Words = Field(default="", description="Below each page, beside its number.")
    logo: Name = Field(default="", description="A picture of the project that stands above each page.")
    template: Name = Field(
        default="",
        description="A Typst file of the project, or the name of one in templates/ of the user's config folder.",
    )
    text_language: Annotated[str, Strict()] = Field(
        default="",
        pattern=r"^(?:[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)?$",
        description="BCP 47 language of the words; what the project says if empty, else English.",
    )

    @property
    def columns(self) -> int:
        """Panels across."""
        return int(self.layout[0])

    @property
    def rows(self) -> int:
        """Panels down."""
        return int(self.layout[2])
