"""Writes a project in one or several formats."""

import contextlib
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from storycore.errors import FieldFault, InvalidInput, NotFound, Reason
from storycore.exports.formats import registry
from storycore.exports.formats.format import Delivered, Film, Format, FormatOptions, Made
from storycore.exports.gates import unknown as no_such
from storycore.exports.naming import refuse_twins
from storycore.exports.presets import Preset
from storycore.exports.works import Wanted, Work, refuse_mixed_clips, works_of
from storycore.observe.progress import Progress
from storycore.wording import explain


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """One file that was made.

    Attributes:
        path: absolute.
        format: its name.
        made: what was measured in it.
        seconds: how long it took.
    """

    path: Path
    format: str
    made: Made
    seconds: float


def wanted(
    target_format: str | Sequence[str], options: Mapping[str, Any], preset: Preset | None = None
) -> list[Wanted]:
    """The formats asked for, each once, in the order asked for, with their options.

    An option must be known to one of them at least, and heeded by a codec that was chosen; each gets those that it
    knows. What is asked for goes before what the preset says.

    Args:
        target_format: one name, several with commas between, or a list, in any case; the preset's if empty.
        options: of all of them together.
        preset: more options.

    Raises:
        InvalidInput: unsupported_format; unknown_field, wrong_type or out_of_range for an option.
    """
    asked = [target_format] if isinstance(target_format, str) else list(target_format)
    parts = list(preset.formats) if preset is not None and not any(asked) else asked
    formats = [registry.find(name) for part in parts for name in part.split(",")]
    if not formats:
        registry.find("")
    unique = list({format_.name: format_ for format_ in formats}.values())
    known = {name for format_ in unique for name in format_.options.model_fields}
    refuse_unknown(options, known)
    if preset is not None and not any(asked):
        refuse_unknown(preset.options, known)
    found = [Wanted(format=it, options=_options(it, _preset_options(it, preset) | dict(options))) for it in unique]
    own = [] if preset is None or any(asked) or not CODEC_CHOICES.isdisjoint(options) else _own_options(preset)
    _refuse_unheeded([*options, *own], found)
    return found


def target_of(formats: Sequence[Wanted], output: Path) -> tuple[Path, str | None]:
    """The folder that results go to, and the name of the file if `output` names one.

    Raises:
        InvalidInput: path_invalid: a file name for several formats, or with the suffix of another one.
    """
    if "." not in output.name:  # most often; formats need not be loaded to see that
        return output, None
    known = sorted((registry.find(name).suffix for name in registry.names()), key=len, reverse=True)
    suffix = next((it for it in known if output.name.lower().endswith(it)), None)
    if suffix is None or output.is_dir():
        return output, None
    if [item.format.suffix for item in formats] != [suffix]:
        raise InvalidInput(
            f"{output.name} can't be the name of every file that was asked for.",
            reason=Reason.PATH_INVALID,
            remediation="Name a folder, or a file that ends like its format.",
            details={"pointer": "/output_path"},
        )
    return output.parent, output.name


def export(
    film: Film, formats: Sequence[Wanted], folder: Path, progress: Progress, *, name: str | None = None
) -> list[Exported]:
    """Writes a film in each format, in order.

    Guarantee: all or none; after an error or a cancellation none of the files is left.

    Args:
        film: what to write.
        formats: as `wanted` gives them.
        folder: absolute; made if it is missing.
        progress: told how far it is; can cancel.
        name: of the file; made of the project's name if left out.

    Raises:
        NotFound: nothing_to_export: `strict` was asked for, and the film has no shots.
        InvalidInput: out_of_range: two files would have the same name, or clips of two kinds one folder;
            unknown_value: a language that is not there.
        StoryCoreError: see `Format.write` and `check_key`.
    """
    if not film.project.shots and any(item.options.strict for item in formats):
        raise NotFound("The project has no shots.", reason=Reason.NOTHING_TO_EXPORT)
    works = [work for item in formats for work in works_of(film, item, name)]
    refuse_twins([work.name for work in works])
    refuse_mixed_clips(works)
    for work in works:
        check_key(work)
    finished: list[Exported] = []
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    try:
        done = render_together(works, progress)
        share = (1 - done) / len(works)
        for work in works:
            path = folder / work.name
            started = time.perf_counter()
            with progress.within(done + len(finished) * share, done + (len(finished) + 1) * share):
                made = work.format.write(_informed(work.film, finished), path, work.options, progress)
            seconds = time.perf_counter() - started
            made = replace(made, warnings=(*made.warnings, *work.warnings))
            finished.append(Exported(path=path, format=work.format.name, made=made, seconds=seconds))
            with progress.within(done + (len(finished) - 0.02) * share, done + len(finished) * share):
                finished[-1] = replace(finished[-1], made=marked(work, path, made, progress))
    except BaseException:
        for other in finished:
            for path in (other.path, *other.made.beside):
                with contextlib.suppress(OSError):
                    path.unlink()
            for place in {path.parent for path in other.made.beside} - {folder}:
                with contextlib.suppress(OSError):
                    place.rmdir()
        for place in missing:
            with contextlib.suppress(OSError):
                place.rmdir()
        raise
    return finished


def check_key(work: Work) -> None:
    """Whether the user's key can be used, if the file will be signed by it.

    Raises:
        StoryCoreError: see `formats.marking.check_key`.
    """
    if work.film.marked:
        from storycore.exports.formats import marking

        marking.check_key(work.film, work.format, work.options)


def marked(work: Work, path: Path, made: Made, progress: Progress) -> Made:
    """What was made, with credentials beside it if it can hold none, and with what there is to say about marks.

    Raises:
        StoryCoreError: see `formats.marking.sign_beside`.
    """
    if not work.film.marked:
        return made
    from storycore.exports.formats.marking import marks, sign_beside, signs_itself

    kind = work.format.media_type
    told: Mapping[str, Any] = {}
    beside: tuple[Path, ...] = ()
    if not signs_itself(work.format):
        told, beside = sign_beside(work.film, path, kind, work.options, progress, until=1.0)
    return replace(
        made,
        metrics={**made.metrics, **told},
        warnings=(*made.warnings, *marks(work.film, kind, work.options).warnings),
        beside=(*made.beside, *beside),
    )


def _informed(film: Film, finished: Sequence[Exported]) -> Film:
    """A film with what was made of it before in the same run."""
    delivered = (Delivered(name=it.path.name, format=it.format, made=it.made) for it in finished)
    return replace(film, delivered=(*film.delivered, *delivered))


def render_together(works: Sequence[Work], progress: Progress) -> float:
    """Renders what several files need in one go, so that each frame is drawn once; gives the share of work done.

    What is rendered stands in the segment cache, where the formats find it when they are written.
    """
    wanted = [work for work in works if hasattr(work.format, "picture")]
    if len(wanted) < 2:
        return 0.0
    from storycore.exports.formats.filming import studio
    from storycore.rendering.film import render

    share = 0.8 * len(wanted) / len(works)
    pictures = [work.format.picture(work.film, work.options) for work in wanted]  # type: ignore[attr-defined]  # asked above
    measured = any(picture.figures for picture in pictures)
    with progress.within(0.0, share), studio(works[0].film, measured=measured) as place:
        render(pictures, place, progress, until=1.0)
    return share


CODEC_CHOICES: Final = frozenset({"video_codec", "audio_codec"})
"""Options that choose a codec, and so what other options say."""

_OF_CODECS = frozenset(
    {"video_codec", "audio_codec", "pixel_format", "crf", "bitrate_bps", "audio_bitrate_bps", "sample_rate_hz"}
)
"""Options of a preset that mean nothing for a format that it was not made for."""


def _preset_options(format_: Format, preset: Preset | None) -> dict[str, Any]:
    if preset is None:
        return {}
    found = {**preset.options, **preset.options_of.get(format_.name, {})}
    kept = format_.name in preset.formats
    return {name: value for name, value in found.items() if kept or name not in _OF_CODECS}


def refuse_unknown(options: Mapping[str, Any], known: set[str]) -> None:
    """Refuses options that no format knows, as unknown_field, with those that were meant most likely."""
    unknown = [name for name in options if name not in known]
    if unknown:
        faults = [
            FieldFault(f"/conversion_options/{name}", Reason.UNKNOWN_FIELD, no_such("option", name, known))
            for name in unknown
        ]
        raise InvalidInput(
            f"conversion_options.{unknown[0]}: {faults[0].message}", reason=Reason.UNKNOWN_FIELD, errors=faults
        )


def _own_options(preset: Preset) -> list[str]:
    """Names of all options that a preset gives."""
    return list({**preset.options, **{name: None for own in preset.options_of.values() for name in own}})


def _refuse_unheeded(options: Sequence[str], found: Sequence[Wanted]) -> None:
    """Refuses values that a codec does not have, and options that no codec of those formats heeds."""
    for item in found:
        for name, why in _told(item, "impossible").items():
            raise refused(name, why)
    for name, why in unheeded(options, found).items():
        raise refused(name, why)


def unheeded(options: Iterable[str], found: Sequence[Wanted]) -> dict[str, str]:
    """Those options that formats know, but none of their codecs heeds, each with why."""
    why_nots = {
        name: [_told(item, "unheeded").get(name) for item in found if name in item.format.options.model_fields]
        for name in options
    }
    return {name: told[0] for name, told in why_nots.items() if told and told[0] is not None and all(told)}


def _told(item: Wanted, what: str) -> Mapping[str, str]:
    ask = getattr(item.format, what, None)
    return {} if ask is None else ask(item.options)


def refused(name: str, why: str) -> InvalidInput:
    """The error for an option that says nothing to the codec that was chosen."""
    return InvalidInput(
        f"conversion_options.{name}: {why}.",
        reason=Reason.OUT_OF_RANGE,
        remediation=f"Leave {name} out, or choose another codec.",
        errors=[FieldFault(f"/conversion_options/{name}", Reason.OUT_OF_RANGE, why)],
    )


def _options(format_: Format, options: Mapping[str, Any]) -> FormatOptions:
    try:
        return format_.options(
            **{name: value for name, value in options.items() if name in format_.options.model_fields}
        )
    except ValidationError as fault:
        faults = [
            FieldFault(
                "/conversion_options/" + "/".join(map(str, item["loc"])),
                _reason(item["type"]),
                explain(item["type"], item.get("ctx", {}), item["msg"]),
            )
            for item in fault.errors(include_url=False)
        ]
        first = faults[0]
        name = first.pointer.removeprefix("/").replace("/", ".")
        raise InvalidInput(f"{name}: {first.message}", reason=first.reason, errors=faults) from None


def _reason(kind: str) -> Reason:
    ours = ("_equal", "_than", "multiple_of", "value_error")
    return Reason.OUT_OF_RANGE if kind.endswith(ours) else Reason.WRONG_TYPE
