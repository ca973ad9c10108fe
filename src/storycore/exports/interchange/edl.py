"""An edit decision list as CMX 3600 has it: the pictures, one event for each clip. Pure.

Source: CMX 3600 Edit Decision List interface: eight columns, times of source and record; a dissolve is a second line
of its event, and begins where the outgoing clip ends: its length counts from there. `BL` is black.
"""

import re
from fractions import Fraction

from storycore.exports.interchange.counting import Counting, shown
from storycore.exports.interchange.edit import Crossing, Edit, Found, Item
from storycore.exports.interchange.naming import line, link
from storycore.project.model import TransitionKind

MOST_EVENTS = 999
"""That the format numbers with its three digits."""

_FADES = (TransitionKind.FADE_BLACK, TransitionKind.FADE_WHITE)
_BLACK = "BL"
_EVENT = re.compile(r"^(\d+) +(\S+) +V +(C|D +\d+) +(\S+) (\S+) (\S+) (\S+)$")


def write(edit: Edit) -> str:
    """The edit as the text of a file."""
    list_ = _List(edit)
    for place, item in enumerate(edit.items):
        list_.add(place, item)
    return "\n".join([f"TITLE: {line(edit.title, 70)}", _mode(edit.counting), "", *list_.lines, ""])


def stands_in(kind: TransitionKind) -> bool:
    """Whether a transition of this kind is written as another one: a dissolve, or through black."""
    return kind not in (TransitionKind.DISSOLVE, TransitionKind.FADE_BLACK)


def read(text: str) -> Found:
    """What a file holds, by its lines."""
    rows = [found for one in text.splitlines() if (found := _EVENT.match(one))]
    drop = "FCM: DROP FRAME" in text.splitlines()
    told = re.search(r"^\* STORYCORE RATE: (\S+)", text, re.MULTILINE)
    rate = Fraction(told[1]) if told else None
    clips = [row for row in rows if row[2] != _BLACK and row[4] != row[5]]
    ends = [row[7] for row in rows]
    frames = 0
    if rate is not None and rows:
        counting = Counting(rate=rate, drop=drop)
        frames = (counting.frame(ends[-1]) - counting.frame(rows[0][6])) % counting.day  # it may go past midnight
    crossed = [row for row in rows if row[3].startswith("D")]
    through = sum(row[2] == _BLACK and row is not rows[-1] for row in crossed)  # those are two dissolves
    return Found(
        clips=len(clips),
        transitions=len(crossed) - through,
        markers=sum(one.startswith("* LOC: ") for one in text.splitlines()),
        sounds=None,
        start=rows[0][6] if rows else None,
        rate=None if rate is None else shown(rate),
        frames=frames,
        size=None,
        links=re.findall(r"^\* SOURCE FILE: (\S+)$", text, re.MULTILINE),
    )


def _mode(counting: Counting) -> str:
    return "FCM: DROP FRAME" if counting.drop else "FCM: NON-DROP FRAME"


class _List:
    """Events as they come."""

    def __init__(self, edit: Edit) -> None:
        self._edit = edit
        self._event = 0
        self.lines: list[str] = []

    def add(self, place: int, item: Item) -> None:
        """The event of one clip, with the transition that it comes in with, and at last the one it goes out with."""
        edit = self._edit
        incoming, outgoing = edit.crossing_after(place - 1), edit.crossing_after(place)
        before = edit.items[place - 1] if place else None
        at_end = place + 1 == len(edit.items)
        end = item.end - (outgoing.before if outgoing is not None else 0)
        if incoming is None or before is None:
            self._cut(item, item.first, end)
        elif incoming.kind in _FADES:
            self._through_black(before, item, incoming, end)
        else:
            self._dissolve(before, item, incoming, end)
        self._words(place, item)
        if outgoing is not None and at_end:
            self._to_black(item, outgoing, end)

    def _cut(self, item: Item, first: int, end: int) -> None:
        self._event += 1
        self._line(item.medium.reel, "C", self._source(item, first), self._source(item, end), first, end)

    def _dissolve(self, before: Item, item: Item, crossing: Crossing, end: int) -> None:
        at = item.first - crossing.before
        self._event += 1
        out = self._source(before, at)
        self._line(before.medium.reel, "C", out, out, at, at)
        way = f"D    {crossing.frames:03d}"
        self._line(item.medium.reel, way, self._source(item, at), self._source(item, end), at, end)
        self.lines.append(f"* FROM CLIP NAME: {before.medium.name}.mov")
        self.lines.append(f"* TO CLIP NAME: {item.medium.name}.mov")

    def _through_black(self, before: Item, item: Item, crossing: Crossing, end: int) -> None:
        """Two dissolves: into black, and out of it."""
        at = item.first - crossing.before
        self._event += 1
        out, dark, count = self._source(before, at), self._edit.counting, crossing.before
        self._line(before.medium.reel, "C", out, out, at, at)
        self._line(_BLACK, f"D    {count:03d}", dark.text(0), dark.text(count), at, item.first)
        self.lines.append(f"* FROM CLIP NAME: {before.medium.name}.mov")
        self._event += 1
        self._line(_BLACK, "C", dark.text(count), dark.text(count), item.first, item.first)
        way = f"D    {crossing.behind:03d}"
        self._line(item.medium.reel, way, self._source(item, item.first), self._source(item, end), item.first, end)
        self.lines.append(f"* TO CLIP NAME: {item.medium.name}.mov")

    def _to_black(self, item: Item, crossing: Crossing, at: int) -> None:
        self._event += 1
        out, dark = self._source(item, at), self._edit.counting
        self._line(item.medium.reel, "C", out, out, at, at)
        count = crossing.before
        self._line(_BLACK, f"D    {count:03d}", dark.text(0), dark.text(count), at, at + count)
        self.lines += [f"* FROM CLIP NAME: {item.medium.name}.mov", ""]

    def _words(self, place: int, item: Item) -> None:
        edit = self._edit
        if not any(one.startswith("* TO CLIP NAME") for one in self.lines[-1:]):
            self.lines.append(f"* FROM CLIP NAME: {item.medium.name}.mov")
        self.lines.append(f"* SOURCE FILE: {link(edit.base, item.medium.path)}")
        if not place:
            self.lines.append(f"* STORYCORE RATE: {edit.counting.rate}")
        if item.facts:
            self._locator(item.first, "GREEN", item.title)
        for mark in edit.marks:
            if item.first <= mark.frame < item.end:
                self._locator(mark.frame, "CYAN", mark.name)
        for name in ("title", "shot_id", "scene", "description", "prompt", "seed", "model", "source"):
            if name in item.facts:
                self.lines.append(f"* {name.upper().replace('_', ' ')}: {line(str(item.facts[name]), 200)}")
        incoming = edit.crossing_after(place - 1)
        if incoming is not None and stands_in(incoming.kind):
            self.lines.append(f"* STORYCORE TRANSITION: {incoming.kind.value}")
        self.lines.append("")

    def _locator(self, frame: int, colour: str, name: str) -> None:
        edit = self._edit
        self.lines.append(
            f"* LOC: {edit.counting.text(edit.start + frame, separator=':')} {colour:<7} {line(name, 60)}"
        )

    def _line(self, reel: str, way: str, source_in: str, source_out: str, first: int, end: int) -> None:  # noqa: PLR0913, PLR0917 - the columns of a line
        counting, start = self._edit.counting, self._edit.start
        record = f"{counting.text(start + first)} {counting.text(start + end)}"
        self.lines.append(f"{self._event:03d}  {reel:<8} V     {way:<8} {source_in} {source_out} {record}")

    def _source(self, item: Item, frame: int) -> str:
        """Timecode in an item's file of what it shows at a frame of the timeline."""
        return self._edit.counting.text(item.medium.start + item.into + frame - item.first)
