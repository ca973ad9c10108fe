"""Which files are to be made: one for each format, or one for each shot, each in its languages."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from storycore.errors import InvalidInput, Reason
from storycore.exports.formats.format import Beside, Film, Format, FormatOptions
from storycore.exports.naming import Naming, file_name
from storycore.metadata.stated import stated
from storycore.project import languages
from storycore.project.model import ProjectWarning


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One format with its options, both checked.

    Attributes:
        format: the format.
        options: an instance of its options model.
    """

    format: Format
    options: FormatOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One file that is to be made.

    Attributes:
        film: what is written, in the languages that were asked for.
        format: how.
        options: an instance of the format's options model.
        name: of the file.
        warnings: what is left out of it.
    """

    film: Film
    format: Format
    options: FormatOptions
    name: str
    warnings: tuple[ProjectWarning, ...]

    @property
    def beside(self) -> Beside | None:
        """The folder that will stand beside it, if there will be one.

        Raises:
            InvalidInput: what the format can't make of this film.
        """
        return self.format.beside(self.film, self.options) if hasattr(self.format, "beside") else None


def works_of(film: Film, item: Wanted, name: str | None) -> list[Work]:
    """The files that one format makes of a film.

    Args:
        film: what to write.
        item: the format.
        name: of the file; made of the project's name if left out.

    Raises:
        InvalidInput: path_invalid: one name for several files; out_of_range: `per_shot` with a range, or what the
            format refuses; unknown_value: a language that is not there.
    """
    options = item.options
    per_shot = getattr(options, "per_shot", False) and film.project.shots
    if name is not None and (options.naming or per_shot):
        raise InvalidInput(
            f"{name} can't be the name of the files: naming or per_shot was asked for too.",
            reason=Reason.PATH_INVALID,
            remediation="Name a folder for the result.",
            details={"pointer": "/output_path"},
        )
    if per_shot and getattr(options, "time_range", None):
        raise InvalidInput(
            "conversion_options.per_shot: shots are made whole; leave time_range out.",
            reason=Reason.OUT_OF_RANGE,
            details={"pointer": "/conversion_options/per_shot"},
        )
    spoken, warnings = _spoken(film, options)
    check = getattr(item.format, "check", None)
    if check is not None:
        check(spoken, options)
    places: Sequence[int | None] = range(len(film.project.shots)) if per_shot else [None]
    return [
        Work(
            film=replace(spoken, shot=place),
            format=item.format,
            options=options,
            name=name or file_name(
                film.project,
                Naming(
                    pattern=options.naming, format=item.format.name, suffix=item.format.suffix, shot=place
                ),
            ),
            warnings=warnings,
        )
        for place in places
    ]  # fmt: skip


def refuse_mixed_clips(works: Sequence[Work]) -> None:
    """Refuses files for one folder whose clips would stand in one folder too, and are not the same.

    Raises:
        InvalidInput: out_of_range: says which two.
    """
    known: dict[str, tuple[Beside, Work]] = {}
    for work in works:
        beside = work.beside
        if beside is None:
            continue
        first, other = known.setdefault(beside.name, (beside, work))
        if first != beside:
            raise InvalidInput(
                f"{work.name}: its clips would stand in {beside.name}, and so would others, those of {other.name}.",
                reason=Reason.OUT_OF_RANGE,
                remediation="Make one of them at a time, or both with the same options.",
                details={"pointer": "/preset"},  # what is asked for without one goes to both
            )


def _spoken(film: Film, options: FormatOptions) -> tuple[Film, tuple[ProjectWarning, ...]]:
    """The film in the languages that were asked for, and what is not heard or read then."""
    project, own, left_out = film.project, stated(film.project).language, []
    if hasattr(options, "dub_language"):
        there = list(filter(None, languages.spoken(project, own)))
        project = languages.dubbed(project, options.dub_language or "", own)
        if options.dub_language is None and len(there) > 1:
            left_out.append(_left_out("dub_language", "voices", there))
    if hasattr(options, "caption_language"):
        asked = "" if options.caption_language == "und" else options.caption_language
        there = list(filter(None, languages.written(project, own)))
        project = languages.captioned(project, asked, own)
        if not asked and len(there) > 1:
            left_out.append(_left_out("caption_language", "lines", there))
    return replace(film, project=project), tuple(left_out)


def _left_out(option: str, what: str, there: Sequence[str]) -> ProjectWarning:
    return ProjectWarning(
        file="project.json",
        pointer="",
        reason="languages_left_out",
        message=f"There are {what} in {', '.join(there)}; those in {there[0]} were taken. {option} chooses others.",
    )
