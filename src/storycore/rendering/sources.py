"""The files that shots show, found, hashed, and told as looks; what can't be shown becomes a slate and a warning."""

import hashlib
from fractions import Fraction
from pathlib import Path

from storycore.project.content import open_regular
from storycore.project.headers import HeaderFault, read_facts
from storycore.project.lookup import data_bytes, is_data
from storycore.project.model import Media, Project, ProjectWarning, Shot
from storycore.project.paths import inside
from storycore.rendering.cache import SegmentCache
from storycore.rendering.look import RENDERER, Canvas, Look, Source, captions, label
from storycore.rendering.motion import move_of
from storycore.rendering.plan import Span
from storycore.units import MEBIBYTE, human_seconds

_UNSEEN_SECONDS = Fraction(1, 10)
"""For that long nobody sees that a picture stands still; generated clips often end a frame early."""


class Sources:
    """What the shots of one project show. Each file is read once.

    Args:
        project: as read.
        cache: remembers which sources can't be decoded.
        folder: for pictures that stand in the project file itself.
        decoder: mark of the ffmpeg that decodes; what one can't read another may.
    """

    def __init__(self, project: Project, cache: SegmentCache, folder: Path, decoder: str) -> None:
        self._project, self._cache, self._folder = project, cache, folder
        self._decoder = f"{RENDERER}:{decoder}"
        self._hashes: dict[Path, str] = {}
        self._lengths: dict[Path, Fraction | None] = {}
        self._warnings: dict[str, ProjectWarning] = {}

    @property
    def warnings(self) -> tuple[ProjectWarning, ...]:
        """What could not be shown, beside what was missing when the project was read."""
        return tuple(self._warnings.values())

    def look(self, span: Span, canvas: Canvas) -> Look:
        """What a shot shows."""
        shot = span.shot
        for media, source in ((shot.clip, Source.CLIP), (shot.image, Source.STILL)):
            if media is not None and media.found:
                look = self._media(span, media, source, canvas)
                if look is not None:
                    return look
        named = next((media for media in (shot.clip, shot.image) if media is not None), None)
        why = f"Nothing to show at {named.path}" if named else "No picture yet"
        return Look(
            source=Source.SLATE,
            frames=span.frames,
            label=label(shot),
            title=shot.title,
            lines=(f"Shot {shot.number} · {human_seconds(float(shot.duration))}", why),
            captions=captions(shot.text, canvas.rate, span.frames),
        )

    def lead(self, frames: int, *, notice: str = "", titled: bool = True) -> Look:
        """The slate before the film.

        Args:
            frames: its length.
            notice: words that it bears.
            titled: whether it is the one that names the film; else the notice stands on top.
        """
        project = self._project
        if notice and not titled:
            return Look(source=Source.SLATE, frames=frames, title=notice, lines=(project.title,))
        seconds = human_seconds(float(project.duration))
        count = len(project.shots)
        facts = f"{count} shot{'' if count == 1 else 's'} · {seconds}" if count else "No shots yet"
        return Look(
            source=Source.SLATE,
            frames=frames,
            title=project.title,
            lines=tuple(line for line in (project.logline[:200], facts, notice) if line),
        )

    def give_up(self, name: str, message: str) -> bool:
        """Notes that the file of a name can't be decoded; False if that was known already."""
        path = next((path for path in self._hashes if self._name(path) == name), None)
        if path is None or self._cache.unusable(self._read_as(self._hashes[path])):
            return False
        self._cache.remember_unusable(self._read_as(self._hashes[path]), message)
        return True

    def bend(self, name: str) -> None:
        """Notes that the file of a name holds more light than frames can, which was bent down."""
        path = next((path for path in self._hashes if self._name(path) == name), None)
        if path is not None:
            self._cache.note(self._bent(self._hashes[path]), {"bent": True})

    def end(self, name: str, second: Fraction) -> None:
        """Notes at which second the picture of a clip was over, as far as its headers promised more of it."""
        path = next((path for path in self._hashes if self._name(path) == name), None)
        length = None if path is None else self._length(path)
        if path is None or (length is not None and length - second <= _UNSEEN_SECONDS):
            return
        self._cache.note(self._ended(self._hashes[path]), {"ended": str(second)})
        self._lengths[path] = second

    def tell(self, reason: str, message: str) -> None:
        """Notes what could not be shown as the project has it."""
        self._warnings[reason] = ProjectWarning(file="project.json", pointer="", reason=reason, message=message)

    def _media(self, span: Span, media: Media, source: Source, canvas: Canvas) -> Look | None:
        shot = span.shot
        path = self._written(shot, media) if media.source == "data" else inside(self._project.folder, media.path)
        sha256 = self._sha256(path, media) if path is not None else None
        if path is None or sha256 is None:
            return None
        fault = self._cache.unusable(self._read_as(sha256))
        if fault is not None:
            self._warn(media.path, "media_unreadable", f"{fault.rstrip('.')}; a slate stands in for it.")
            return None
        if self._cache.noted(self._bent(sha256)) is not None:
            self._warn(media.path, "tone_mapped", f"{media.path} is HDR; its highlights were brought into the picture.")
        if source is Source.CLIP:
            self._look_at_end(span, media, path, canvas)
        return Look(
            source=source,
            frames=span.frames,
            label=label(shot),
            path=str(path),
            name=self._name(path),
            sha256=sha256,
            cell=media.panel,
            begin=shot.clip_in if source is Source.CLIP else shot.clip_in * 0,
            move=move_of(shot),
            captions=captions(shot.text, canvas.rate, span.frames),
        )

    def _look_at_end(self, span: Span, media: Media, path: Path, canvas: Canvas) -> None:
        """Warns of a clip that is over before its shot is, as far as its headers, or its decoder, tell its length."""
        length, shot = self._length(path), span.shot
        end = shot.clip_in + span.frames / canvas.rate
        if length is None or end - length <= _UNSEEN_SECONDS:
            return
        lasts, first, last = (human_seconds(float(value)) for value in (length, shot.clip_in, end))
        told = f"{media.path} lasts {lasts}, and shot {shot.number} shows it from {first} to {last}"
        self._warnings[f"{media.path} {shot.number}"] = ProjectWarning(
            file=media.path, pointer="", reason="clip_too_short", message=f"{told}; then its last frame stands."
        )

    def _length(self, path: Path) -> Fraction | None:
        if path not in self._lengths:
            try:
                facts = read_facts(path)
            except (HeaderFault, OSError):
                facts = None
            length, ended = facts.duration if facts else None, self._noted_end(path)
            self._lengths[path] = length if ended is None else ended
        return self._lengths[path]

    def _noted_end(self, path: Path) -> Fraction | None:
        told = self._cache.noted(self._ended(self._hashes[path]))
        try:
            return Fraction(told["ended"])
        except (KeyError, TypeError, ValueError, ZeroDivisionError):
            return None

    def _read_as(self, sha256: str) -> str:
        """Names a content as it is read by this decoder."""
        return hashlib.sha256(f"{sha256}:{self._decoder}".encode()).hexdigest()

    def _ended(self, sha256: str) -> str:
        return f"{self._read_as(sha256)}-ended"

    def _bent(self, sha256: str) -> str:
        return f"{self._read_as(sha256)}-bent"

    def _name(self, path: Path) -> str:
        folder = self._project.folder
        return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name

    def _sha256(self, path: Path, media: Media) -> str | None:
        if path not in self._hashes:
            told = hashlib.sha256()
            try:
                with open_regular(path) as file:
                    while block := file.read(MEBIBYTE):
                        told.update(block)
            except OSError:
                self._warn(media.path, "media_unreadable", f"{media.path} can't be read; a slate stands in for it.")
                return None
            self._hashes[path] = told.hexdigest()
        return self._hashes[path]

    def _written(self, shot: Shot, media: Media) -> Path | None:
        """A picture that stands in the project file, as a file."""
        kind = media.path.removeprefix("data:")
        for value in shot.original.values():
            if is_data(value) and kind in value[:200].lower():
                data = data_bytes(value)
                path = self._folder / f"data-{hashlib.sha256(data).hexdigest()}"
                path.write_bytes(data)
                return path
        return None

    def _warn(self, path: str, reason: str, message: str) -> None:
        self._warnings[path] = ProjectWarning(file=path, pointer="", reason=reason, message=message)
