"""FCPXML, which Final Cut Pro and DaVinci Resolve read. Pure.

Source: Apple, "FCPXML Reference", version 1.10: times are fractions of a second on the frame grid; what stands in a
spine follows without gap, and a transition lies over the cut between its neighbours; what is connected to a clip
begins at a time of that clip.
"""

from dataclasses import replace
from fractions import Fraction

from storycore.exports.interchange.counting import Counting, shown
from storycore.exports.interchange.edit import Crossing, Edit, Found, Item, Mark
from storycore.exports.interchange.naming import line, link
from storycore.exports.interchange.xml_text import Element, add, document, parsed
from storycore.project.model import TransitionKind

VERSION = "1.10"
_DISSOLVE, _FADE = "Cross Dissolve", "Fade To Color"
_EFFECTS = {
    _DISSOLVE: "FxPlug:4731E73A-8DAC-4113-9A30-AE85B1761265",
    _FADE: "FxPlug:F779C565-486D-4633-8035-0374B4DB8F5C",
}
"""Transitions that Final Cut brings along, by the names it gives them; the fade goes through black by itself."""
_ROLES = {"dialogue": "dialogue", "music": "music"}
_FORMAT = "r1"
_KEYS = "storycore."


def write(edit: Edit) -> str:
    """The edit as the text of a file."""
    root = Element("fcpxml", {"version": VERSION})
    resources = add(root, "resources")
    counting = edit.counting
    add(
        resources, "format", id=_FORMAT, frameDuration=_frame_duration(counting),
        width=edit.width, height=edit.height, colorSpace="1-1-1 (Rec. 709)",
    )  # fmt: skip
    used = dict.fromkeys(_effect(edit, crossing) for crossing in edit.crossings)
    effects = {name: f"effect-{number}" for number, name in enumerate(used, start=1)}
    for name, number in effects.items():
        add(resources, "effect", id=number, name=name, uid=_EFFECTS[name])
    for place, item in enumerate(edit.items):
        _asset(resources, edit, place, item)
    _sound_assets(resources, edit)
    project = add(add(root, "event", name=edit.title), "project", name=edit.title)
    sequence = add(
        project, "sequence", format=_FORMAT, duration=_time(edit.frames, counting), tcStart=_time(edit.start, counting),
        tcFormat=_tc_format(counting), audioLayout="stereo", audioRate="48k",
    )  # fmt: skip
    spine = add(sequence, "spine")
    for place, item in enumerate(edit.items):
        _clip(spine, edit, place, item)
        crossing = edit.crossing_after(place)
        if crossing is not None:
            name = _effect(edit, crossing)
            begin = edit.start + item.end - crossing.before
            transition = add(
                spine, "transition", name=name, offset=_time(begin, counting), duration=_time(crossing.frames, counting)
            )
            add(transition, "filter-video", ref_=effects[name], name=name)
    return document(root)


def stands_in(kind: TransitionKind) -> bool:
    """Whether a transition of this kind is written as a dissolve, since it can't be told to Final Cut."""
    return kind not in (TransitionKind.DISSOLVE, TransitionKind.FADE_BLACK)


def read(text: str) -> Found:
    """What a file holds, by its elements."""
    root = parsed(text)
    sequence, shape = root.find("event/project/sequence"), root.find("resources/format")
    if sequence is None or shape is None:
        raise ValueError("no sequence")
    rate = 1 / _seconds(shape.get("frameDuration", ""))
    counting = Counting(rate=rate, drop=sequence.get("tcFormat") == "DF")
    pictures = {asset.get("id") for asset in root.iterfind("resources/asset") if asset.get("hasVideo") == "1"}
    clips = list(sequence.iter("asset-clip"))
    return Found(
        clips=len(sequence.findall("spine/asset-clip")),
        transitions=len(sequence.findall("spine/transition")),
        markers=len(list(sequence.iter("marker"))),
        sounds=sum(clip.get("ref") not in pictures for clip in clips),
        start=counting.text(int(_seconds(sequence.get("tcStart", "0s")) * rate)),
        rate=shown(rate),
        frames=int(_seconds(sequence.get("duration", "0s")) * rate),
        size=(int(shape.get("width", "0")), int(shape.get("height", "0"))),
        links=[one.get("src", "") for one in root.iter("media-rep")],
    )


def _frame_duration(counting: Counting) -> str:
    rate = counting.rate
    return f"1001/{rate.numerator}s" if counting.ntsc else f"100/{100 * rate.numerator}s"


def _time(frames: int, counting: Counting) -> str:
    """So many frames as a time, exactly on the frame grid."""
    if not frames:
        return "0s"
    return f"{frames * counting.rate.denominator}/{counting.rate.numerator}s"


def _seconds(text: str) -> Fraction:
    return Fraction(text.removesuffix("s"))


def _tc_format(counting: Counting) -> str:
    return "DF" if counting.drop else "NDF"


def _effect(edit: Edit, crossing: Crossing) -> str:
    at_end = crossing.after + 1 == len(edit.items)  # there a dissolve goes to black
    return _FADE if crossing.kind is TransitionKind.FADE_BLACK and not at_end else _DISSOLVE


def _asset(resources: Element, edit: Edit, place: int, item: Item) -> None:
    medium, counting = item.medium, edit.counting
    asset = add(
        resources, "asset", id=f"clip-{place + 1}", name=medium.name, start=_time(medium.start, counting),
        duration=_time(medium.frames, counting), hasVideo=1, format=_FORMAT, videoSources=1,
    )  # fmt: skip
    add(asset, "media-rep", kind="original-media", src=link(edit.base, medium.path))
    metadata = add(asset, "metadata")
    add(metadata, "md", key="com.apple.proapps.studio.reel", value=medium.reel)
    for fact, value in item.facts.items():
        add(metadata, "md", key=f"{_KEYS}{fact}", value=line(str(value)))


def _sound_assets(resources: Element, edit: Edit) -> None:
    for place, sound in enumerate(edit.sounds):
        asset = add(
            resources, "asset", id=f"sound-{place + 1}", name=sound.name, start=_time(edit.start, edit.counting),
            duration=_time(edit.frames, edit.counting), hasAudio=1, audioSources=1, audioChannels=sound.channels,
            audioRate=sound.rate_hz,
        )  # fmt: skip
        add(asset, "media-rep", kind="original-media", src=link(edit.base, sound.path))


def _clip(spine: Element, edit: Edit, place: int, item: Item) -> None:
    counting, begin = edit.counting, item.medium.start + item.into
    clip = add(
        spine, "asset-clip", ref_=f"clip-{place + 1}", offset=_time(edit.start + item.first, counting), name=item.title,
        start=_time(begin, counting), duration=_time(item.frames, counting), format=_FORMAT,
        tcFormat=_tc_format(counting), videoRole="video",
    )  # fmt: skip
    if item.note:
        add(clip, "note", item.note)
    if not place:
        _connect_sounds(clip, edit, begin)
    own = [mark for mark in edit.marks if item.first <= mark.frame < item.end]
    if item.facts:
        taken = {mark.frame for mark in own}  # of two markers at one frame Final Cut shows one
        free = next((frame for frame in range(item.first, item.end) if frame not in taken), item.first)
        shot = Mark(frame=free, frames=1, name=item.title, note=item.note)
        _marker(clip, shot, begin + free - item.first, counting)
    for mark in own:
        lasts = min(mark.frames, item.end - mark.frame)
        _marker(clip, replace(mark, frames=lasts), begin + mark.frame - item.first, counting)


def _marker(clip: Element, mark: Mark, at: int, counting: Counting) -> None:
    """A marker at a frame of a clip, which it must not outlast."""
    note = {"note": mark.note} if mark.note else {}
    add(clip, "marker", start=_time(at, counting), duration=_time(mark.frames, counting), value=mark.name, **note)


def _connect_sounds(clip: Element, edit: Edit, begin: int) -> None:
    """All sounds, below the first clip, at whose beginning they begin."""
    for place, sound in enumerate(edit.sounds):
        add(
            clip, "asset-clip", ref_=f"sound-{place + 1}", lane=-1 - place, offset=_time(begin, edit.counting),
            name=sound.title, start=_time(edit.start, edit.counting), duration=_time(edit.frames, edit.counting),
            audioRole=_ROLES.get(sound.title, "effects"),
        )  # fmt: skip
