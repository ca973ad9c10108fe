"""Marks on finished files: content credentials and the digital source type, put on as the very last step.

Files are signed in themselves where their format can hold credentials, before they are measured; for all others
credentials stand beside them, in a file of the same name and `.c2pa`.
"""

import contextlib
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO, Final

import storycore
from storycore.errors import DependencyFailed, Reason
from storycore.exports.formats import filming
from storycore.exports.formats.format import Film, Format, FormatOptions
from storycore.exports.formats.mixdown import film_line
from storycore.exports.formats.options import MarkOptions, PictureOptions, TimeOptions, VoiceOptions
from storycore.exports.formats.sound_metrics import metric
from storycore.exports.formats.told import told_words
from storycore.metadata import credentials, xmp
from storycore.metadata.origins import Origins, Stated, origins
from storycore.metadata.stated import stated
from storycore.metadata.statement import State, understand
from storycore.observe.progress import Progress
from storycore.project.model import ProjectWarning, Shot
from storycore.rendering import tags
from storycore.rendering.cache import SegmentCache
from storycore.rendering.plan import Timeline
from storycore.storage.local import new_file

FIGURE: Final = "content_credentials"
"""Key in `quality_metrics`."""

_RECORDED: Final[Stated] = "recorded"
_KINDS: Final = ("video/", "audio/", "image/")
_CLIP: Final = "video/quicktime"
"""Of the clips that a timeline links."""
_OTHERS: Final = frozenset({"application/pdf", "application/zip", "text/html"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """What is to be put on a file.

    Attributes:
        origins: what it is made of.
        signed: whether it is signed.
        warnings: what can't be said, or is left out.
    """

    origins: Origins
    signed: bool
    warnings: tuple[ProjectWarning, ...] = ()


def marks(film: Film, media_type: str, options: FormatOptions, line: Timeline | None = None) -> Marks:
    """Which marks a file of a film gets.

    Args:
        film: what is written.
        media_type: of the file.
        options: of its format.
        line: what of the film it shows; as the options say if left out.

    Raises:
        DependencyFailed: library_missing: credentials are asked for, and what signs is not installed.
    """
    choice, said = film.settings.credentials, _RECORDED
    if isinstance(options, MarkOptions):
        choice, said = options.credentials or choice, options.ai_made
    if not film.marked or not _can_be_marked(media_type):
        return Marks(origins=Origins(source_type="", assets=(), unsaid=0), signed=False)
    found = origins(
        replace(film.project, shots=_shots(film, options, line)),
        pictures=not media_type.startswith("audio/") and not _is_heard_only(options),
        sounds=isinstance(options, VoiceOptions) or (media_type == "application/zip" and not _is_seen_only(options)),
        stated=said,
    )
    wanted = choice == "always" or (choice == "auto" and bool(found.source_type or found.assets))
    if wanted and not credentials.is_there():
        if choice == "always":
            raise DependencyFailed(
                "Content credentials need c2pa-python, which is not there: pip install c2pa-python.",
                reason=Reason.LIBRARY_MISSING,
            )
        return Marks(origins=found, signed=False, warnings=(_UNSIGNED,))
    return Marks(origins=found, signed=wanted, warnings=tuple(_warnings(found, choice, said)))


def check_key(film: Film, format_: Format, options: FormatOptions) -> None:
    """Whether the user's key can be used, if a file will be signed by it: to be known before anything is rendered.

    Raises:
        InvalidInput, Unavailable: it can't.
    """
    settings = film.settings
    if (settings.signing_certificate is None and settings.signing_key_file is None) or not credentials.is_there():
        return
    kind = format_.media_type
    if not _can_be_marked(kind) and hasattr(format_, "pictures"):
        kind = _CLIP
    if marks(film, kind, options).signed:
        credentials.try_out(_signing_key().identity(settings))


def signs_itself(format_: Format) -> bool:
    """Whether a format puts marks into its files by `seal`; all others get credentials beside theirs."""
    return format_.media_type in credentials.EMBEDDED and FIGURE in getattr(format_, "figures", ())


def tag(film: Film, file: BinaryIO, media_type: str) -> None:
    """Puts what the film says about itself into a finished PNG or GIF, whose encoders do not.

    Args:
        film: what was written.
        file: open for reading and writing; what was written by its name counts.
        media_type: of the file.
    """
    file.flush()
    with _workplace(film) as folder, Path(file.name).open("rb") as source:
        patches = xmp.texts(source, media_type, told_words(film.project))
        if patches:
            with (folder / "tagged").open("w+b") as tagged:
                xmp.copy(source, tagged, patches)
                tagged.seek(0)
                _replace(file, tagged)


def seal(  # noqa: PLR0913 - what, where, of which kind, how, and who is told
    film: Film,
    file: BinaryIO,
    media_type: str,
    options: FormatOptions,
    progress: Progress,
    *,
    until: float,
    line: Timeline | None = None,
) -> Mapping[str, Any]:
    """Puts marks into a finished file that can hold them, and reads them back.

    Args:
        film: what was written.
        file: open for reading and writing; what was written by its name counts.
        media_type: of the file.
        options: of its format.
        progress: told how far it is; can cancel.
        until: share of the whole work that is done then.
        line: what of the film it shows; as the options say if left out.

    Returns:
        What to tell of them in `quality_metrics`.

    Raises:
        DependencyFailed: signing_failed, library_missing.
        InvalidInput, Unavailable: the key can't be used.
    """
    wanted = marks(film, media_type, options, line)
    if media_type not in credentials.EMBEDDED or not (wanted.signed or wanted.origins.source_type):
        return {}
    progress.begin("signing" if wanted.signed else "marking", until=until)
    file.flush()
    with _workplace(film) as folder:
        plain = folder / "plain"
        shutil.copyfile(file.name, plain)
        ready = _with_source_type(film, plain, media_type, wanted.origins.source_type)
        with ready.open("rb") as source:
            if not wanted.signed:
                _replace(file, source)
                return {}
            key = _signing_key().identity(film.settings)
            file.seek(0)
            file.truncate()
            credentials.embed(_claim(film, wanted.origins), key, media_type, source, file)
    file.flush()
    return _read_back(film, file, media_type, None)


def sign_beside(  # noqa: PLR0913 - what, where, of which kind, how, and who is told
    film: Film, path: Path, media_type: str, options: FormatOptions, progress: Progress, *, until: float
) -> tuple[Mapping[str, Any], tuple[Path, ...]]:
    """Writes credentials beside a finished file that can't hold them, and reads them back.

    Guarantee: the file is not changed; the credentials appear whole or not at all.

    Args:
        film: what was written.
        path: of the file.
        media_type: of the file.
        options: of its format.
        progress: told how far it is; can cancel.
        until: share of the whole work that is done then.

    Returns:
        What to tell of them in `quality_metrics`, and the files that were written.

    Raises:
        DependencyFailed: signing_failed, library_missing.
        Conflict: output_exists: there are credentials of that name.
        InvalidInput, Unavailable: the key can't be used.
    """
    wanted = marks(film, media_type, options)
    if not wanted.signed:
        return {}, ()
    progress.begin("signing", until=until)
    beside = path.with_name(path.name + credentials.SUFFIX)
    with new_file(beside) as target, path.open("rb") as source, _workplace(film) as folder:
        with (folder / "copy").open("w+b") as nowhere:
            key = _signing_key().identity(film.settings)
            manifest = credentials.detach(_claim(film, wanted.origins), key, source, nowhere)
        target.write(manifest)
        told = _read_back(film, source, media_type, manifest)
    return told, (beside,)


def _replace(file: BinaryIO, source: BinaryIO) -> None:
    file.seek(0)
    file.truncate()
    shutil.copyfileobj(source, file, 1 << 20)
    file.flush()


def _can_be_marked(media_type: str) -> bool:
    return media_type.startswith(_KINDS) or media_type in _OTHERS


def _is_heard_only(options: FormatOptions) -> bool:
    return isinstance(options, VoiceOptions) and not isinstance(options, PictureOptions)


def _is_seen_only(options: FormatOptions) -> bool:
    return isinstance(options, PictureOptions) and not isinstance(options, VoiceOptions)


def _shots(film: Film, options: FormatOptions, line: Timeline | None) -> tuple[Shot, ...]:
    """The shots of which something is delivered."""
    if line is not None:
        pass
    elif isinstance(options, PictureOptions):
        line = filming.shape(film, options).line
    elif isinstance(options, TimeOptions) and film.project.shots:
        line = film_line(film, options)
    else:
        return film.project.shots
    indexes = {place for part in line.segments for place in (part.shot, part.following) if place is not None}
    ids = {line.spans[place].shot.id for place in indexes if 0 <= place < len(line.spans)}
    return tuple(shot for shot in film.project.shots if shot.id in ids)


def _claim(film: Film, found: Origins) -> credentials.Claim:
    project = film.project
    return credentials.Claim(
        title=tags.clean(project.title or project.name) or "Untitled",
        version=storycore.__version__,
        source_type=found.source_type,
        assets=found.assets,
        mining=_mining(film),
    )


def _mining(film: Film) -> str:
    """What the project says of data mining, else what the settings say. Source: PLUS vocabulary, Data Mining."""
    own = stated(film.project).data_mining
    if "PROHIBITED" in own:
        return "not_allowed"
    return "allowed" if own.endswith("DMI-ALLOWED") else film.settings.training_mining


def _signing_key() -> ModuleType:
    """Who signs; with its libraries of cryptography, which most exports need not load."""
    from storycore.metadata import signing_key

    return signing_key


@contextlib.contextmanager
def _workplace(film: Film) -> Iterator[Path]:
    cache = SegmentCache(film.settings.cache_folder / "segments", film.settings.segment_cache_bytes)
    with cache.workplace() as folder:
        yield folder


def _with_source_type(film: Film, plain: Path, media_type: str, source_type: str) -> Path:
    """The same file with the digital source type in XMP, where one of its kind can say so."""
    if not source_type:
        return plain
    packet = xmp.packet(source_type, told_words(film.project))
    marked = plain.with_name("marked")
    with plain.open("rb") as source:
        patches = xmp.places(source, media_type, packet)
        if not patches:
            return plain
        with marked.open("wb") as target:
            xmp.copy(source, target, patches)
    plain.unlink()
    return marked


def _read_back(film: Film, file: BinaryIO, media_type: str, manifest: bytes | None) -> Mapping[str, Any]:
    """What the finished credentials say, read by the library's reader.

    Raises:
        DependencyFailed: signing_failed: they are not there, or do not hold.
    """
    file.seek(0)
    try:
        told = credentials.read(media_type, file, _signing_key().anchors(film.settings), manifest=manifest)
    except credentials.Unreadable as fault:
        raise _failed(str(fault)[:200]) from None
    if told is None:
        raise _failed("they are not there")
    found = understand(told, _signing_key().serials(film.settings))
    if found.state is State.INVALID:
        raise _failed("; ".join(fault.message for fault in found.faults)[:200] or "they do not hold")
    shown = metric(found.state.value, "", f"read back, {credentials.version()}")
    return {
        FIGURE: {
            **shown,
            "place": "embedded" if manifest is None else "sidecar",
            "manifest": found.manifest,
            "signer": found.signer,
            "self_made": found.serial in _signing_key().self_made(film.settings),
            "digital_source_type": found.source_type if found.is_generated else "",
            "ingredients": len(found.parts),
        }
    }


def _failed(why: str) -> DependencyFailed:
    return DependencyFailed(f"The credentials of the finished file are no good: {why}", reason=Reason.SIGNING_FAILED)


_UNSIGNED: Final = ProjectWarning(
    file="",
    pointer="",
    reason="credentials_missing",
    message="Files were not signed: content credentials need c2pa-python, which is not there.",
)


def _warnings(found: Origins, choice: str, said: Stated) -> list[ProjectWarning]:
    if choice == "never":
        return [_LEFT_OUT] if found.source_type or found.assets else []
    if said == "recorded" and not found.source_type and found.unsaid:
        return [_UNSAID]
    return []


_LEFT_OUT: Final = ProjectWarning(
    file="",
    pointer="",
    reason="credentials_left_out",
    message="Media are known to be generated, or bring marks of their own; files were not signed, as was asked for.",
)
_UNSAID: Final = ProjectWarning(
    file="project.json",
    pointer="",
    reason="origin_unsaid",
    message="Nothing tells how the media in some files were made, so those do not say either; ai_made says it for all.",
)
