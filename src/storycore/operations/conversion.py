"""storycore.export.format: a project as a film, sound, captions, pictures, documents or data."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr
from typing_extensions import override

from storycore.app import App
from storycore.errors import InvalidInput, Reason
from storycore.observe.progress import Progress
from storycore.operations.format_fields import FormatNames, FormatOptions
from storycore.operations.project_folder import check_project, output, read
from storycore.operations.request import (
    Facts,
    Made,
    OutputPlace,
    PathText,
    ProjectPath,
    Request,
    Result,
    Spelling,
    WarningEntry,
    warning_entries,
)
from storycore.operations.stored import staged

if TYPE_CHECKING:
    from storycore.exports.export import Exported
    from storycore.exports.gates import Gate
    from storycore.exports.works import Wanted
    from storycore.operations.plan import PlanRequest
    from storycore.project.model import Project, ProjectWarning


class FormatOutput(Result):
    """One converted file."""

    output_path: str = Field(description="Absolute path of the file, or its URL in an object store.")
    source_format: Literal["storycore_project", "unknown"] = Field(description="What was read.")
    target_format: str = Field(description="What was written, in lower case.")
    conversion_time_ms: float = Field(description="How long it took.")
    output_size_bytes: int = Field(description="Size of the file.")
    media_type: str = Field(description="IANA media type of the file.")
    checksum: str = Field(description="sha256: and 64 hex digits of the file.")
    quality_metrics: dict[str, Any] = Field(description="What was measured in the finished file.")
    quality_gates: list["GateEntry"] = Field(default=[], description="What the preset asks of it.")
    beside: list[str] = Field(default=[], description="Absolute paths or URLs of files that were made beside it.")


class GateEntry(Result):
    """One thing that a preset asks of a finished file."""

    figure: str = Field(description="Key in quality_metrics.")
    passed: bool = Field(description="Whether it holds.")
    message: str = Field(description="For people.")


class FormatResult(FormatOutput):
    """The converted files; the first one's facts stand on top."""

    outputs: list[FormatOutput] = Field(description="One entry for each format, in the order asked for.")
    metadata: dict[str, Any] = Field(description="As sent.")
    warnings: list[WarningEntry] = Field(description="What is odd about the project.")
    _sent: dict[str, Made] = PrivateAttr(default={})
    """Files in a store by their URL, as they were measured before they were sent there."""

    @property
    @override
    def verdict(self) -> bool:
        """Whether every gate of the preset was passed."""
        return all(gate.passed for output in self.outputs for gate in output.quality_gates)

    @override
    def artifacts(self) -> list[Made]:
        made = [Made(it.output_path, it.output_size_bytes, it.checksum, it.media_type) for it in self.outputs]
        return made + [
            self._sent[path] if path in self._sent else _measured(Path(path), path)
            for it in self.outputs
            for path in it.beside
            if _comes_along(Path(path), Path(it.output_path))
        ]


_TYPES: Final = {".c2pa": "application/c2pa", ".mov": "video/quicktime", ".wav": "audio/wav"}


def _comes_along(path: Path, output: Path) -> bool:
    """Whether a file is fetched with the one that it stands beside: credentials, and what a timeline links."""
    return path.suffix == ".c2pa" or path.parent != output.parent


def _measured(file: Path, path: str) -> Made:
    """A file beside a result, as it was just written; `path` is where it went."""
    with file.open("rb") as opened:
        checksum = hashlib.file_digest(opened, "sha256").hexdigest()
    media_type = _TYPES.get(file.suffix, "application/octet-stream")
    return Made(path, file.stat().st_size, f"sha256:{checksum}", media_type)


class ShotPart(BaseModel):
    """One file of the project that is shown, whole or in part."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    path: PathText = Field(description="Picture or clip, relative to the project.")
    in_point: float = Field(default=0, ge=0, le=86_400, allow_inf_nan=False, description="Seconds into a clip.")
    out_point: float | None = Field(
        default=None, gt=0, le=86_400, allow_inf_nan=False,
        description="Seconds into a clip at which it ends, or for which a picture stands; a clip's end, or 5 seconds.",
    )  # fmt: skip


def _named(field: str) -> dict[str, Any]:
    return {"required": [field], "properties": {field: {"not": {"type": "null"}}}}


class FormatRequest(Request[FormatResult]):
    """Write a project in one or several formats."""

    model_config = ConfigDict(json_schema_extra={"anyOf": [_named("target_format"), _named("preset")]})

    project_path: ProjectPath = Field(description="Folder of the project.")
    target_format: Annotated[str | list[str], Spelling(("-t", "--to")), FormatNames] | None = Field(
        default=None,
        description="mp4, mov, webm, json, zip, … in any case, or several; the preset's if left out.",
    )
    preset: Annotated[str, Field(max_length=41, pattern=r"^[A-Za-z0-9-]+$"), Spelling(("-p", "--preset"))] | None = (
        Field(default=None, description="What a platform or a purpose asks for; `export presets` lists them.")
    )
    source_format: Literal["storycore_project", "unknown"] | None = Field(
        default=None, description="Found by itself, whatever is said here."
    )
    output_path: OutputPlace | None = Field(
        default=None,
        description="Folder, or file name with the format's suffix, here or in a listed object store (s3://bucket/…); "
        "exports/export_<time> of the project if left out.",
    )
    shots: list[ShotPart] | None = Field(
        default=None,
        min_length=1,
        max_length=10_000,
        description="What is shown, instead of the project's shots: a list of `path`, `in_point`, `out_point`.",
    )
    conversion_options: Annotated[Facts, FormatOptions, Spelling(("-O", "--option"))] = Field(
        default={}, description="Options of the formats, as each one documents."
    )
    metadata: Facts = Field(default={}, description="Facts of your own; they come back in the result.")


def check_formats(app: App, request: "FormatRequest") -> None:
    """Refuses what can be refused before any work.

    Raises:
        InvalidInput, AccessDenied, NotFound: as `check_project`; a format or an option that is not known.
    """
    check_project(app, request)  # callers expect a wrong folder to be told before a wrong format
    wanted_of(app, request)


def convert(app: App, request: FormatRequest, progress: Progress) -> FormatResult:
    """Writes a project in one or several formats.

    Guarantee: all or none; no file is replaced; the project is not changed.

    Raises:
        StoryCoreError: see `exports.export`.
    """
    from storycore.exports.export import export, target_of
    from storycore.exports.formats.format import Film
    from storycore.exports.formats.registry import find
    from storycore.exports.gates import judge
    from storycore.exports.presets import figures_of
    from storycore.operations.second_unit import unit_of

    formats, gates = wanted_of(app, request)
    folder, project, listing = read(app, request.project_path)
    project = with_shots(project, request)
    unit = unit_of(app, progress)
    film = Film(project=project, listing=listing, settings=app.settings, marked=True, unit=unit)
    with output(app, folder, request.output_path, progress) as place, staged(app, place, progress) as stage:
        target, name = target_of(formats, stage.folder)
        with progress.within(0.0, stage.share):
            finished = export(film, formats, target, progress, name=name)
        places = stage.publish(finished)
        sent = _sent(finished, places) if stage.scratch else {}
    progress.finish()
    outputs = [
        FormatOutput(
            output_path=places[item.path],
            source_format="storycore_project" if project.original else "unknown",
            target_format=item.format,
            conversion_time_ms=item.seconds * 1000,
            output_size_bytes=item.made.size_bytes,
            media_type=find(item.format).media_type,
            checksum=f"sha256:{item.made.sha256}",
            quality_metrics=dict(item.made.metrics),
            quality_gates=[
                GateEntry(figure=it.figure, passed=it.passed, message=it.message)
                for it in judge(gates, item.made.metrics, figures_of(find(item.format)))
            ],
            beside=[places[path] for path in item.made.beside],
        )
        for item in finished
    ]
    result = FormatResult(
        **outputs[0].model_dump(),
        outputs=outputs,
        metadata=request.metadata,
        warnings=warning_entries((*project.warnings, *_made_warnings(finished))),
    )
    result._sent.update(sent)  # noqa: SLF001 - ours; a field would be told to callers
    return result


def _sent(finished: "Sequence[Exported]", places: Mapping[Path, str]) -> dict[str, Made]:
    """The files beside results that were sent to a store, measured while they are still here."""
    return {
        places[path]: _measured(path, places[path])
        for item in finished
        for path in item.made.beside
        if _comes_along(path, item.path)
    }


def with_shots(project: "Project", request: "FormatRequest | PlanRequest") -> "Project":
    """The project with the shots that the request names, if it does."""
    from storycore.project.parts import with_shots

    if request.shots is None:
        return project
    return with_shots(project, [(part.path, part.in_point, part.out_point) for part in request.shots])


def wanted_of(app: App, request: "FormatRequest | PlanRequest") -> "tuple[list[Wanted], Sequence[Gate]]":
    """The formats with their options, and what their files must hold."""
    from storycore.exports.export import wanted
    from storycore.exports.presets import find

    if request.target_format is None and request.preset is None:
        raise InvalidInput(
            "Missing: target_format, or a preset.",
            reason=Reason.MISSING_FIELD,
            details={"missing_fields": ["target_format"]},
        )
    preset = find(request.preset, app.places.project(request.project_path)) if request.preset else None
    formats = wanted(request.target_format or [], request.conversion_options, preset)
    return formats, () if preset is None else preset.gates


def _made_warnings(finished: "Sequence[Exported]") -> "list[ProjectWarning]":
    """What the formats warn of, each thing once."""
    return list(dict.fromkeys(warning for item in finished for warning in item.made.warnings))
