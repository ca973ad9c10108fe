"""Hand-off to editing programs: a timeline's file, and beside it the clips and sounds that it links."""

import contextlib
import shutil
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO
from urllib.parse import unquote, urlsplit

from storycore.errors import DependencyFailed
from storycore.exports.formats import filming
from storycore.exports.formats.figures import PICTURE, Figure, Kind
from storycore.exports.formats.film_metrics import same
from storycore.exports.formats.finished import finished
from storycore.exports.formats.format import Beside, Film, FormatOptions, Made
from storycore.exports.formats.handoff_media import Media, clip_pictures, make_media
from storycore.exports.formats.handoff_plan import FOLDER, HandoffOptions, Plan, plan
from storycore.exports.formats.sound_metrics import metric
from storycore.exports.interchange.edit import Edit, Found, Sound
from storycore.observe.progress import Progress
from storycore.project.model import ProjectWarning, TransitionKind
from storycore.rendering import container
from storycore.rendering.film import Picture
from storycore.rendering.plan import Timeline
from storycore.rendering.sounds import Stem
from storycore.storage.local import new_file, new_folder

_INSTANT = (1980, 1, 1, 0, 0, 0)
_READ_BACK = "read back from the finished file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """One way to write an edit down.

    Attributes:
        write: the edit as text.
        read: what such a text holds.
        stands_in: whether a kind of transition is written as a plainer one.
        most_events: more clips than that it can't number; None if it can.
        needs: called before anything is rendered; raises if something that writing needs is not installed.
    """

    write: Callable[[Edit], str]
    read: Callable[[str], Found]
    stands_in: Callable[[TransitionKind], bool]
    most_events: int | None = None
    needs: Callable[[], object] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffFile:
    """A format for editing programs. Fulfils `Format`.

    Attributes:
        name: as callers ask for it.
        suffix: of its files.
        media_type: of its files.
        script: how the edit is written.
        bundle: names of the script's file and of one that tells a version, and what that says, if all of it is packed
            into one ZIP; None if clips stand beside it.
    """

    name: str
    suffix: str
    media_type: str
    script: Script
    bundle: tuple[str, tuple[str, str]] | None = None
    options: type[FormatOptions] = HandoffOptions

    @property
    def figures(self) -> Mapping[str, Figure]:
        """What can be asked of its files."""
        return {
            "clips": Figure(words="the number of clips", aimed=True),
            "cuts": Figure(words="the number of cuts", aimed=True),
            "transitions": Figure(words="the number of transitions", aimed=True),
            "markers": Figure(words="the number of markers", aimed=True),
            "sounds": Figure(words="the number of sound files", aimed=True),
            "start_timecode": Figure(words="the timecode of the first frame", kind=Kind.TEXT, aimed=True),
            "fps": PICTURE["fps"],
            "frames": PICTURE["frames"],
            "resolution": PICTURE["resolution"],
            "media_files": Figure(words="the number of files that are linked"),
            "media_bytes": Figure(words="the size of the files that are linked"),
            "media_frames": Figure(words="the number of frames of all clips, handles included"),
            "signed_files": Figure(words="the number of clips and sounds with content credentials"),
            "broken_links": Figure(words="the number of links that lead nowhere", aimed=True),
        }

    def nothing(self, film: Film, options: HandoffOptions) -> str:  # noqa: ARG002 - whatever the film
        """Why none can be made here: what writes it is not installed; "" if it can."""
        try:
            if self.script.needs is not None:
                self.script.needs()
        except DependencyFailed as fault:
            return fault.message
        return ""

    def pictures(self, film: Film, options: HandoffOptions) -> list[Picture]:
        """The clips that `write` will need, in order."""
        return clip_pictures(film, plan(film, options))

    def beside(self, film: Film, options: HandoffOptions) -> Beside | None:
        """The folder of its clips, unless they are packed into its file."""
        return None if self.bundle else Beside(name=FOLDER, mark=plan(film, options).mark(film, options))

    def line(self, film: Film, options: HandoffOptions) -> Timeline:
        """The film that they are cut to."""
        return plan(film, options).line

    def write(self, film: Film, target: Path, options: HandoffOptions, progress: Progress) -> Made:
        """The edit with its clips; those that another format of the same run left beside it are used again."""
        if self.script.needs is not None:
            self.script.needs()
        planned = plan(film, options)
        mark = planned.mark(film, options)
        published = False
        try:
            with new_file(target) as file:
                with self._media(film, planned, options, target, progress) as media:
                    progress.begin("writing", until=0.98)
                    base = self._base(target, options)
                    edit = planned.edit(film, media.sounds, base)
                    text = self.script.write(edit)
                    read = self._put(file, text, media, progress)
                    progress.begin("measuring", until=0.99)
                    figures = _figures(self.script.read(read), edit, media)
                published = self.bundle is None and mark not in _marks(film)
                size_bytes, sha256 = finished(file)
        except BaseException:
            if published:
                shutil.rmtree(target.parent / FOLDER, ignore_errors=True)
            raise
        beside = tuple(target.parent / FOLDER / path.name for path in media.files) if published else ()
        return Made(
            size_bytes=size_bytes,
            sha256=sha256,
            metrics=figures,
            warnings=(*planned.warnings, *media.warnings, *self._odd(edit)),
            beside=beside,
            mark=mark,
        )

    @contextlib.contextmanager
    def _media(
        self, film: Film, planned: Plan, options: HandoffOptions, target: Path, progress: Progress
    ) -> Iterator[Media]:
        """The clips and sounds: those that are there already, or new ones, which stay beside the target."""
        shared = _shared(film, planned.mark(film, options))
        if shared is not None:
            yield shared
        elif self.bundle is not None:
            with filming.studio(film) as studio:
                folder = studio.folder / FOLDER
                folder.mkdir()
                yield make_media(film, planned, options, folder, progress)
        else:
            with new_folder(target.parent / FOLDER) as folder:
                yield make_media(film, planned, options, folder, progress)

    def _base(self, target: Path, options: HandoffOptions) -> str:
        if options.links == "relative" or self.bundle is not None:
            return ""
        base = f"{target.parent.absolute().as_uri()}/"
        return base.replace("file:///", "file://localhost/", 1) if self.name == "xml" else base

    def _put(self, file: BinaryIO, text: str, media: Media, progress: Progress) -> str:
        """Writes the file, and gives the script as it stands in it."""
        if self.bundle is None:
            file.write(text.encode())
            file.flush()
            file.seek(0)
            return file.read().decode()
        content, (name, version) = self.bundle
        with zipfile.ZipFile(file, "w") as archive:
            for entry, said in ((name, version), (content, text)):
                archive.writestr(_entry(entry), said.encode(), zipfile.ZIP_DEFLATED)
            for path in media.files:
                progress.check()
                entry_of_file = _entry(f"{FOLDER}/{path.name}")
                entry_of_file.file_size = path.stat().st_size
                with archive.open(entry_of_file, "w") as packed, path.open("rb") as source:
                    shutil.copyfileobj(source, packed, 1 << 20)
        with zipfile.ZipFile(file) as archive:
            return archive.read(content).decode()

    def _odd(self, edit: Edit) -> Iterator[ProjectWarning]:
        """What this format can't say."""
        replaced = [it.kind.value for it in edit.crossings if self.script.stands_in(it.kind)]
        if replaced:
            kinds = ", ".join(dict.fromkeys(replaced))
            yield _warning(
                "transition_replaced",
                f"{self.name} has no {kinds}: {len(replaced)} of them stand as plain dissolves, with notes.",
            )
        if self.script.most_events is not None and len(edit.items) > self.script.most_events:
            yield _warning(
                "too_many_events", f"{self.name} counts to {self.script.most_events}; this has {len(edit.items)} clips."
            )


def _marks(film: Film) -> set[str]:
    return {it.made.mark for it in film.delivered if it.made.beside}


def _shared(film: Film, mark: str) -> Media | None:
    """What another format of the same run left beside it, if it is just what is needed."""
    files = next((it.made.beside for it in film.delivered if it.made.mark == mark and it.made.beside), None)
    return None if files is None else Media(files=files, sounds=_sounds_of(files), warnings=())


def _sounds_of(files: Sequence[Path]) -> tuple[Sound, ...]:
    names = {path.name for path in files}
    known = (Sound(name=f"sound_{stem}", path=f"{FOLDER}/sound_{stem}.wav", title=str(stem)) for stem in Stem)
    return tuple(sound for sound in known if f"{sound.name}.wav" in names)


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _INSTANT)
    entry.external_attr = 0o644 << 16
    return entry


def _figures(found: Found, edit: Edit, media: Media) -> dict[str, Any]:
    """What the finished file says, beside what was to be in it."""
    there = {path.name: path for path in media.files}
    linked = [PurePosixPath(unquote(urlsplit(link).path)).name for link in found.links]
    broken = sum(name not in there for name in linked)
    files = [there[name] for name in dict.fromkeys(linked) if name in there]
    marked = len(edit.marks) + sum(bool(item.facts) for item in edit.items)
    counted = {
        "clips": (found.clips, len(edit.items), "clips"),
        "cuts": (found.cuts, len(edit.items) - 1, "cuts"),
        "transitions": (found.transitions, len(edit.crossings), "transitions"),
        "markers": (found.markers, marked, "markers"),
        "sounds": (found.sounds, len(edit.sounds), "files"),
        "frames": (found.frames, edit.frames, "frames"),
        "broken_links": (broken, 0, "links"),
        "start_timecode": (found.start, edit.counting.text(edit.start), ""),
    }
    told: dict[str, Any] = {
        name: metric(value, unit, _READ_BACK, target=target, verdict=same(value, target))
        for name, (value, target, unit) in counted.items()
        if value is not None
    }
    if found.rate is not None:
        told["fps"] = found.rate
    if found.size is not None:
        told["resolution"] = f"{found.size[0]}x{found.size[1]}"
    if media.signed is not None:
        told["signed_files"] = metric(media.signed, "files", "read back, c2pa")
    return {
        **told,
        "media_files": metric(len(files), "files", "links"),
        "media_bytes": metric(sum(path.stat().st_size for path in files), "bytes", "file system"),
        "media_frames": metric(sum(map(_frames, files)), "frames", "boxes of the clips"),
    }


def _frames(path: Path) -> int:
    if path.suffix != ".mov":
        return 0
    return next((track.samples for track in container.read(path).tracks if track.kind == "vide"), 0)


def _warning(reason: str, message: str) -> ProjectWarning:
    return ProjectWarning(file="project.json", pointer="", reason=reason, message=message)
