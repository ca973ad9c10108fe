"""Final Cut Pro 7 XML, which Premiere Pro and DaVinci Resolve read. Pure.

Source: Apple, "Final Cut Pro XML Interchange Format", version 5: `start` and `end` of a clip beside a transition are
-1, and its `in` and `out` then span the transition too; times are frames, `ntsc` means "over 1.001".
"""

from fractions import Fraction

from storycore.exports.interchange.counting import Counting, shown
from storycore.exports.interchange.edit import Crossing, Edit, Found, Item, Mark, Sound
from storycore.exports.interchange.naming import line, link
from storycore.exports.interchange.xml_text import Element, add, add_all, document, parsed
from storycore.project.model import TransitionKind

_NOT_SET = -1
_FADES = {TransitionKind.FADE_BLACK: 0, TransitionKind.FADE_WHITE: 255}
"""What fades go through, as a value of each colour."""


def write(edit: Edit) -> str:
    """The edit as the text of a file."""
    root = Element("xmeml", {"version": "5"})
    sequence = add(root, "sequence", id="sequence-1")
    add_all(sequence, {"name": edit.title, "duration": edit.frames})
    _rate(sequence, edit.counting)
    _timecode(sequence, edit.counting, edit.start)
    add_all(sequence, {"in": _NOT_SET, "out": _NOT_SET})
    media = add(sequence, "media")
    video = add(media, "video")
    _picture(add(add(video, "format"), "samplecharacteristics"), edit, codec=True)
    track = add(video, "track")
    for place, item in enumerate(edit.items):
        _clip(track, edit, place, item)
        crossing = edit.crossing_after(place)
        if crossing is not None:
            _transition(track, edit, crossing, item.end)
    add_all(track, {"enabled": "TRUE", "locked": "FALSE"})
    if edit.sounds:
        _sound_tracks(media, edit)
    for mark in edit.marks:
        _marker(sequence, mark, mark.frame)
    return document(root)


def stands_in(kind: TransitionKind) -> bool:
    """Whether a transition of this kind is written as a dissolve, since the format has none like it."""
    return kind is not TransitionKind.DISSOLVE and kind not in _FADES


def read(text: str) -> Found:
    """What a file holds, by its elements."""
    sequence = parsed(text).find("sequence")
    if sequence is None:
        raise ValueError("no sequence")
    video = sequence.findall("media/video/track/clipitem")
    size = sequence.find("media/video/format/samplecharacteristics")
    timebase = int(sequence.findtext("rate/timebase", "0"))
    ntsc = sequence.findtext("rate/ntsc") == "TRUE"
    return Found(
        clips=len(video),
        transitions=len(sequence.findall("media/video/track/transitionitem")),
        markers=len(sequence.findall("marker")) + sum(len(clip.findall("marker")) for clip in video),
        sounds=len({clip.find("file").get("id") for clip in sequence.iterfind("media/audio/track/clipitem")}),  # type: ignore[union-attr]  # each has one
        start=sequence.findtext("timecode/string"),
        rate=shown(Fraction(timebase * 1000, 1001 if ntsc else 1000)),
        frames=int(sequence.findtext("duration", "0")),
        size=None if size is None else (int(size.findtext("width", "0")), int(size.findtext("height", "0"))),
        links=[one.text or "" for one in sequence.iter("pathurl")],
    )


def _rate(parent: Element, counting: Counting) -> None:
    add_all(add(parent, "rate"), {"timebase": counting.nominal, "ntsc": "TRUE" if counting.ntsc else "FALSE"})


def _timecode(parent: Element, counting: Counting, frame: int, reel: str = "") -> None:
    told = add(parent, "timecode")
    _rate(told, counting)
    shown = "DF" if counting.drop else "NDF"
    add_all(told, {"string": counting.text(frame), "frame": frame, "displayformat": shown})
    if reel:
        add(add(told, "reel"), "name", reel)


def _picture(parent: Element, edit: Edit, *, codec: bool = False) -> None:
    _rate(parent, edit.counting)
    add_all(parent, {"width": edit.width, "height": edit.height, "anamorphic": "FALSE"})
    add_all(parent, {"pixelaspectratio": "square", "fielddominance": "none"})
    if codec:
        add(add(parent, "codec"), "name", "Apple ProRes 422 (HQ)")


def _clip(track: Element, edit: Edit, place: int, item: Item) -> None:
    before, behind = edit.crossing_after(place - 1), edit.crossing_after(place)
    early = _sides(edit, before)[0] if before is not None else 0
    late = _sides(edit, behind)[1] if behind is not None else 0
    clip = add(track, "clipitem", id=f"clipitem-{place + 1}")
    add_all(clip, {"name": item.title, "enabled": "TRUE", "duration": item.medium.frames})
    _rate(clip, edit.counting)
    add_all(
        clip,
        {
            "start": item.first if before is None else _NOT_SET,
            "end": item.end if behind is None else _NOT_SET,
            "in": item.into - early,
            "out": item.into + item.frames + late,
        },
    )
    file = add(clip, "file", id=f"file-{place + 1}")
    add_all(file, {"name": f"{item.medium.name}.mov", "pathurl": link(edit.base, item.medium.path)})
    _rate(file, edit.counting)
    add(file, "duration", item.medium.frames)
    _timecode(file, edit.counting, item.medium.start, item.medium.reel)
    video = add(add(file, "media"), "video")
    add(video, "duration", item.medium.frames)
    _picture(add(video, "samplecharacteristics"), edit)
    _words(clip, item)
    if item.facts:
        whole = Mark(frame=item.into, frames=item.frames, name=item.title, note=item.note)
        _marker(clip, whole, item.into, spans=False)


def _words(clip: Element, item: Item) -> None:
    """What the project knows, where Final Cut keeps the log of a shoot."""
    facts = item.facts
    told = {name: line(str(facts[name])) for name in facts}
    add_all(
        add(clip, "logginginfo"),
        {
            "description": told.get("description", ""),
            "scene": told.get("scene", ""),
            "shottake": told.get("shot_id", ""),
            "lognote": told.get("prompt", ""),
            "good": "FALSE",
        },
    )
    rest = [
        f"{name}: {told[name]}" for name in ("model", "seed", "source", "camera", "negative_prompt") if name in told
    ]
    if rest:
        comments = {f"mastercomment{number}": words for number, words in enumerate(rest[:4], start=1)}
        add_all(add(clip, "comments"), comments)


def _transition(track: Element, edit: Edit, crossing: Crossing, cut: int) -> None:
    made = add(track, "transitionitem")
    early, late = _sides(edit, crossing)
    add_all(made, {"start": cut - early, "end": cut + late, "alignment": _alignment(edit, crossing)})
    _rate(made, edit.counting)
    colour = _FADES.get(crossing.kind)
    name = "Cross Dissolve" if colour is None else "Dip to Color Dissolve"
    effect = add(made, "effect")
    add_all(effect, {"name": name, "effectid": name, "effectcategory": "Dissolve", "effecttype": "transition"})
    add_all(effect, {"mediatype": "video", "wipecode": 0, "wipeaccuracy": 100, "startratio": 0, "endratio": 1})
    add(effect, "reverse", "FALSE")
    if colour is not None:
        parameter = add(effect, "parameter")
        add_all(parameter, {"parameterid": "dipcolor", "name": "Color"})
        add_all(add(parameter, "value"), {"alpha": 255, "red": colour, "green": colour, "blue": colour})


def _sides(edit: Edit, crossing: Crossing) -> tuple[int, int]:
    """Frames of a transition before and after the cut.

    Programs take it that the cut lies in the middle, or half a frame before it, so that a fade may lie one frame
    elsewhere than in the film.
    """
    if _alignment(edit, crossing) != "center":
        return crossing.before, crossing.behind
    return crossing.frames // 2, -(-crossing.frames // 2)


def _alignment(edit: Edit, crossing: Crossing) -> str:
    if crossing.after + 1 == len(edit.items):
        return "end-black"
    if not crossing.before:
        return "start"
    return "center" if crossing.behind else "end"


def _marker(parent: Element, mark: Mark, frame: int, *, spans: bool = True) -> None:
    out = frame + mark.frames if spans and mark.frames > 1 else _NOT_SET
    add_all(add(parent, "marker"), {"comment": mark.note, "name": mark.name, "in": frame, "out": out})


def _sound_tracks(media: Element, edit: Edit) -> None:
    audio = add(media, "audio")
    add(audio, "numOutputChannels", 2)
    first = edit.sounds[0]
    add_all(add(add(audio, "format"), "samplecharacteristics"), {"depth": first.bits, "samplerate": first.rate_hz})
    outputs = add(audio, "outputs")
    for channel in (1, 2):
        group = add(outputs, "group")
        add_all(group, {"index": channel, "numchannels": 1, "downmix": 0})
        add(add(group, "channel"), "index", channel)
    for place, sound in enumerate(edit.sounds):
        for channel in range(sound.channels):
            _channel(audio, edit, place, sound, channel)


def _channel(audio: Element, edit: Edit, place: int, sound: Sound, channel: int) -> None:
    """One channel of a sound on its track; the first one carries the file."""
    track = add(
        audio, "track",
        currentExplodedTrackIndex=channel, totalExplodedTrackCount=sound.channels, premiereTrackType="Stereo",
    )  # fmt: skip
    clip = add(track, "clipitem", id=f"sound-{place + 1}-{channel + 1}", premiereChannelType="stereo")
    add_all(clip, {"name": sound.title, "enabled": "TRUE", "duration": edit.frames})
    _rate(clip, edit.counting)
    add_all(clip, {"start": 0, "end": edit.frames, "in": 0, "out": edit.frames})
    file = add(clip, "file", id=f"sound-file-{place + 1}")
    if not channel:
        add_all(file, {"name": f"{sound.name}.wav", "pathurl": link(edit.base, sound.path)})
        _rate(file, edit.counting)
        add(file, "duration", edit.frames)
        _timecode(file, edit.counting, edit.start)
        inside = add(add(file, "media"), "audio")
        add_all(add(inside, "samplecharacteristics"), {"depth": sound.bits, "samplerate": sound.rate_hz})
        add(inside, "channelcount", sound.channels)
    add_all(add(clip, "sourcetrack"), {"mediatype": "audio", "trackindex": channel + 1})
    for other in range(sound.channels):
        add_all(
            add(clip, "link"),
            {
                "linkclipref": f"sound-{place + 1}-{other + 1}",
                "mediatype": "audio",
                "trackindex": place * sound.channels + other + 1,
                "clipindex": 1,
            },
        )
    add_all(track, {"enabled": "TRUE", "locked": "FALSE", "outputchannelindex": channel % 2 + 1})
