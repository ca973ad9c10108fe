"""One edit: clips cut together, what crosses their cuts, sound and markers, in whole frames. Pure; frozen.

Frames of the timeline count from 0 at its beginning; frames of a clip from 0 at the first frame of its file. Where a
program wants timecodes, `Edit.start` and `Medium.start` are what those zeros are called.
"""

import bisect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from storycore.exports.interchange.counting import Counting
from storycore.project.model import TransitionKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Medium:
    """A file with pictures that belongs to the edit.

    Attributes:
        name: of the file, ASCII, unique in the edit.
        path: relative to the timeline's file, POSIX.
        reel: up to 8 letters and digits, unique in the edit; stands in the file's timecode track too.
        frames: how many it has.
        start: number of its first frame; `counting` tells its timecode.
    """

    name: str
    path: str
    reel: str
    frames: int
    start: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A clip in its place.

    Attributes:
        medium: what is shown.
        title: for people, one line.
        first: frame of the timeline at which it begins: its cut.
        frames: how many, to the next cut.
        into: frame of the file that is shown first.
        note: of the marker on it, for people, one line.
        facts: what the project knows of the shot; plain values.
    """

    medium: Medium
    title: str
    first: int
    frames: int
    into: int
    note: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def end(self) -> int:
        """The frame of the timeline after its last one."""
        return self.first + self.frames


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """A transition. What it shows of its clips beyond the cut is in their files.

    Attributes:
        kind: which one; never a cut.
        after: place of the outgoing item; the incoming one, if there is any, is the next.
        before: frames before the cut.
        behind: frames after the cut; 0 at the film's end.
    """

    kind: TransitionKind
    after: int
    before: int
    behind: int

    @property
    def frames(self) -> int:
        """How long it is."""
        return self.before + self.behind


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A place that has a name.

    Attributes:
        frame: of the timeline.
        frames: how many it spans, at least 1.
        name: one line.
        note: one line, may be empty.
    """

    frame: int
    frames: int
    name: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """A file with sound, as long as the timeline.

    Attributes:
        name: of the file, ASCII, unique in the edit.
        path: relative to the timeline's file, POSIX.
        title: dialogue, sfx, ambience or music.
        channels: how many it has.
        rate_hz: samples per second.
        bits: of a sample.
    """

    name: str
    path: str
    title: str
    channels: int = 2
    rate_hz: int = 48_000
    bits: int = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One timeline.

    Attributes:
        title: one line.
        counting: rate and timecode.
        start: number of its first frame.
        width: pixels.
        height: pixels.
        frames: how long it is.
        items: in order, without gap or overlap.
        crossings: at most one for each item, in order.
        marks: of the whole timeline: scenes, and what the project marks.
        sounds: each on a track of its own.
        facts: what the project says of itself; plain values.
        base: what stands before the paths of files in links, such as `file://localhost/films/`; "" for relative ones.
    """

    title: str
    counting: Counting
    start: int
    width: int
    height: int
    frames: int
    items: Sequence[Item]
    crossings: Sequence[Crossing]
    marks: Sequence[Mark]
    sounds: Sequence[Sound]
    facts: Mapping[str, Any] = field(default_factory=dict)
    base: str = ""

    def crossing_after(self, place: int) -> Crossing | None:
        """The transition that the item of a place goes out with."""
        at = bisect.bisect_left(self.crossings, place, key=lambda it: it.after)
        return self.crossings[at] if at < len(self.crossings) and self.crossings[at].after == place else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a finished file was found to hold, by whoever read it. None where its format does not tell.

    Attributes:
        clips: with pictures.
        transitions: between and after them.
        markers: of all kinds.
        sounds: files that are heard.
        start: timecode of the beginning.
        rate: frames per second, as a number.
        frames: how long the pictures are.
        size: width and height.
        links: of media, as written.
    """

    clips: int
    transitions: int
    markers: int
    sounds: int | None
    start: str | None
    rate: float | None
    frames: int
    size: tuple[int, int] | None
    links: Sequence[str]

    @property
    def cuts(self) -> int:
        """Places where one clip gives way to the next."""
        return max(0, self.clips - 1)
