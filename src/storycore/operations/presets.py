"""storycore.export.presets: what platforms and purposes ask for, and what a delivery can be made by."""

from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

from pydantic import Field

from storycore.app import App
from storycore.operations.request import PathText, Request, Result, Spelling

if TYPE_CHECKING:
    from storycore.exports.delivery.template import Template


class PresetEntry(Result):
    """One preset."""

    name: str = Field(description="As `preset` of an export takes it.")
    title: str
    origin: Literal["storycore", "user", "project"] = Field(description="Where its file is.")
    formats: list[str] = Field(description="What it makes.")
    options: dict[str, Any] = Field(description="For all of its formats.")
    options_of: dict[str, dict[str, Any]] = Field(description="For single ones, by name of the format.")
    gates: list[dict[str, Any]] = Field(description="What finished files must hold.")
    source: str = Field(description="Where its figures are from.")
    date: str = Field(description="When they were looked up, YYYY-MM-DD.")
    note: str


class TemplatePart(Result):
    """One part of a delivery template."""

    name: str = Field(description="As results and errors call it.")
    title: str
    folder: str = Field(description="Folder of the delivery that its files stand in; empty for the delivery itself.")
    preset: str = Field(description="The preset that it keeps to; empty for none.")
    formats: list[str] = Field(description="What it is made in.")
    options: dict[str, Any] = Field(description="Options that go before the preset's.")
    gates: list[dict[str, Any]] = Field(description="What its files must hold, those of the preset among it.")
    optional: bool = Field(description="Whether it is left out, with a warning, where it can't be made of a film.")


class TemplateEntry(Result):
    """One delivery template."""

    name: str = Field(description="As `template` of a delivery takes it.")
    title: str
    origin: Literal["storycore", "user", "project"] = Field(description="Where its file is.")
    parts: list[TemplatePart] = Field(description="What a delivery holds, in order.")
    source: str = Field(description="What it stands on.")
    date: str = Field(description="When that was looked up, YYYY-MM-DD.")
    note: str


class PresetsResult(Result):
    """The presets and the delivery templates there are."""

    items: list[PresetEntry]
    templates: list[TemplateEntry] = Field(default=[], description="What `export.deliver` can make.")


class PresetsRequest(Request[PresetsResult]):
    """List presets and delivery templates: ours, the user's own, and those of a project."""

    project_path: Annotated[PathText, Spelling()] | None = Field(
        default=None, description="Folder of a project whose own presets and templates count too."
    )


def presets(app: App, request: PresetsRequest) -> PresetsResult:
    """The presets and the delivery templates there are, by name.

    Raises:
        InvalidInput: preset_invalid, template_invalid.
        NotFound, AccessDenied: the project is not there, or may not be read.
    """
    from storycore.exports.delivery.template import templates
    from storycore.exports.presets import presets as all_presets

    folder = None if request.project_path is None else app.places.project(request.project_path)
    return PresetsResult(
        items=[
            PresetEntry(
                name=it.name,
                title=it.title,
                origin=cast("Literal['storycore', 'user', 'project']", it.origin),
                formats=list(it.formats),
                options=dict(it.options),
                options_of={name: dict(options) for name, options in it.options_of.items()},
                gates=[gate.model_dump(exclude_defaults=True) for gate in it.gates],
                source=it.source,
                date=it.date.isoformat(),
                note=it.note,
            )
            for it in all_presets(folder)
        ],
        templates=[_template(it) for it in templates(folder)],
    )


def _template(it: "Template") -> TemplateEntry:
    return TemplateEntry(
        name=it.name,
        title=it.title,
        origin=cast("Literal['storycore', 'user', 'project']", it.origin),
        parts=[
            TemplatePart(
                name=part.name,
                title=part.title,
                folder=part.folder,
                preset="" if part.preset is None else part.preset.name,
                formats=[item.format.name for item in part.wanted()],
                options=dict(part.options),
                gates=[gate.model_dump(exclude_defaults=True) for gate in part.gates],
                optional=part.optional,
            )
            for part in it.parts
        ],
        source=it.source,
        date=it.date.isoformat(),
        note=it.note,
    )
