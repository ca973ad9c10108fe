"""Captions of a film: which words are shown when, and the files that players read. Pure.

Words come from the recorded phrases, else from the dialogue (see `project.timeline.subtitles`). Each caption has at
most two lines; a longer text becomes several captions that share its time by their length. One caption is shown at a
time. Times count from the start of what is delivered, in whole milliseconds.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from storycore.project.model import DialogueLine, Project
from storycore.project.timeline import subtitles
from storycore.rendering.caption_text import LINES, LONGEST, columns, pages, plain
from storycore.rendering.plan import Timeline
from storycore.units import round_half_up

_SHORTEST_MS = 200  # nobody reads in less; what would be shown for less joins the one before
_MOST_LINES = 2 * LINES  # of two that speak at once; what begins just then too is shown a moment later
_TIME = re.compile(r"(\d):(?=\d\d(?::\d\d)?[.,]\d)")  # some readers take any line with two times for a head
_JOINER = "\u2060"  # WORD JOINER: seen by nobody, but it keeps two characters from being one command


@dataclass(frozen=True, slots=True, kw_only=True)
class Cue:
    """One caption.

    Attributes:
        start_ms: from the start of what is delivered.
        end_ms: exclusive.
        lines: from the top; plain words.
    """

    start_ms: int
    end_ms: int
    lines: tuple[str, ...]


def cues(project: Project, timeline: Timeline) -> tuple[Cue, ...]:
    """Captions in order of time, none over another, none beyond the film."""
    return _shown(project, timeline)[0]


def left_out(project: Project, timeline: Timeline) -> int:
    """How many captions are not shown since so much is said that there is no time to show them."""
    long = sum(len(line.text) > LONGEST for line in subtitles(project))
    return _shown(project, timeline)[1] + long


def _shown(project: Project, timeline: Timeline) -> tuple[tuple[Cue, ...], int]:
    """Captions, and how many others there is no time for."""
    end_ms = _ms(timeline.duration)
    lead_ms = _ms(timeline.lead / timeline.rate)
    found = [
        replace(cue, start_ms=max(lead_ms, cue.start_ms), end_ms=min(end_ms, cue.end_ms))
        for line in subtitles(project)
        for cue in _of_line(line, timeline)
    ]
    lost = [cue for cue in found if lead_ms < cue.start_ms == cue.end_ms < end_ms]
    return tuple(_one_at_a_time([cue for cue in found if cue.start_ms < cue.end_ms], lost)), len(lost)


def _ms(seconds: Fraction) -> int:
    return round_half_up(seconds * 1000)


def _of_line(line: DialogueLine, timeline: Timeline) -> Iterator[Cue]:
    """A line as one or several cues that share its time."""
    if line.start is None or line.end is None:
        return
    start, end = (_ms(timeline.place(time)) for time in (line.start, line.end))
    shown = pages(plain(line.text))
    weights = [sum(columns(text) for text in page) + 1 for page in shown]
    done, total = 0, sum(weights)
    for page, weight in zip(shown, weights, strict=True):
        begin = start + (end - start) * done // total
        done += weight
        yield Cue(start_ms=begin, end_ms=start + (end - start) * done // total, lines=page)


def _one_at_a_time(found: Sequence[Cue], lost: list[Cue]) -> Iterator[Cue]:
    """Each cue ends where the next begins at the latest; those that begin together are shown together.

    Those that end before the one before them has been read are `lost`.
    """
    held: Cue | None = None
    for cue in sorted(found, key=lambda cue: (cue.start_ms, cue.end_ms)):
        if held is None:
            held = cue
            continue
        both = _together(held, cue)
        if cue.start_ms - held.start_ms < _SHORTEST_MS and len(both.lines) <= _MOST_LINES:
            held = both
            continue
        start_ms = max(cue.start_ms, held.start_ms + _SHORTEST_MS)
        if start_ms < cue.end_ms:
            yield replace(held, end_ms=min(held.end_ms, start_ms))
            held = replace(cue, start_ms=start_ms)
        else:
            lost.append(cue)
    if held is not None:
        yield held


def _together(first: Cue, second: Cue) -> Cue:
    """Two that speak at once, each on lines of its own, with the dash that tells speakers apart."""
    lines = first.lines if first.lines[0].startswith("– ") else _dashed(first.lines)
    more = () if second.lines == first.lines else _dashed(second.lines)
    return Cue(
        start_ms=first.start_ms,
        end_ms=max(first.end_ms, second.end_ms),
        lines=first.lines if not more else (*lines, *more),
    )


def _dashed(lines: tuple[str, ...]) -> tuple[str, ...]:
    return (f"– {lines[0]}", *lines[1:])


def srt(found: Sequence[Cue]) -> str:
    """SubRip. What its players take for markup is kept apart by invisible joiners."""
    blocks = (
        f"{number}\n{_clock(cue.start_ms, ',')} --> {_clock(cue.end_ms, ',')}\n{_srt_text(cue.lines)}\n"
        for number, cue in enumerate(found, start=1)
    )
    return "\n".join(blocks) or "\n"


def _srt_text(lines: tuple[str, ...]) -> str:
    return _inert("\n".join(lines)).replace("-->", "→").replace("<", f"<{_JOINER}")


def _inert(text: str) -> str:
    r"""Keeps `\N` and `\h` from being a break and a space, and times from being those of a caption."""
    return _TIME.sub(rf"\1:{_JOINER}", text.replace("\\", f"\\{_JOINER}"))


def vtt(found: Sequence[Cue], language: str = "") -> str:
    """WebVTT. Source: W3C WebVTT, §4.2.2 cue text."""
    blocks = (
        f"{_clock(cue.start_ms, '.')} --> {_clock(cue.end_ms, '.')}\n"
        + _inert("\n".join(cue.lines)).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        + "\n"
        for cue in found
    )
    head = f"WEBVTT\nLanguage: {language}\n" if language not in ("", "und") else "WEBVTT\n"
    return "\n".join((head, *blocks))


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptionStyle:
    """How burned-in captions look.

    Attributes:
        width: of the picture.
        height: of the picture.
        font: name of the family.
    """

    width: int = 1920
    height: int = 1080
    font: str = "Noto Sans"


def ass(found: Sequence[Cue], style: CaptionStyle) -> str:
    """Advanced SubStation Alpha v4+, white on a soft black edge, in the lower part of the picture.

    Source: the format's own specification, "Sub Station Alpha v4.00+ Script Format".
    """
    size = max(8, round(min(style.height, style.width * 9 / 16 * 1.25) / 18))
    look = (
        f"Style: Default,{style.font},{size},&H00FFFFFF,&H00FFFFFF,&H00101010,&H80000000,0,0,0,0,100,100,0,0,1,"
        f"{max(1, round(size / 14))},{max(0, round(size / 28))},2,{style.width // 16},{style.width // 16},"
        f"{style.height // 14},1"
    )
    events = (
        f"Dialogue: 0,{_ass_clock(cue.start_ms)},{_ass_clock(cue.end_ms)},Default,,0,0,0,,{_ass_text(cue.lines)}\n"
        for cue in found
    )
    return _ASS_HEAD.format(width=style.width, height=style.height, look=look) + "".join(events)


_ASS_HEAD = """\
[Script Info]
ScriptType: v4.00+
PlayResX: {width}
PlayResY: {height}
WrapStyle: 0
ScaledBorderAndShadow: yes
YCbCr Matrix: TV.709

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, \
StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
{look}

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""


def _ass_text(lines: tuple[str, ...]) -> str:
    return r"\N".join(_inert(line) for line in lines)


def _clock(time_ms: int, point: str) -> str:
    seconds, ms = divmod(time_ms, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{point}{ms:03d}"


def _ass_clock(time_ms: int) -> str:
    """In hundredths of a second, never later than it is."""
    seconds, ms = divmod(time_ms, 1000)
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{ms // 10:02d}"
