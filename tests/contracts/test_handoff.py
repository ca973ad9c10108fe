"""Edits handed to other programs, read back by readers that are not ours: OpenTimelineIO's adapters, ffprobe, PyAV."""

import io
import json
import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import av
import numpy as np
import opentimelineio as otio
import pytest
import soundfile
from lxml import etree

from fixtures.films import cached_segments, film_in, make_film
from fixtures.marks import judged
from fixtures.sounds import save, tone, track
from storycore.errors import Cancelled, Conflict, DependencyFailed, InvalidInput, Reason
from storycore.exports.export import export, wanted
from storycore.exports.formats import registry
from storycore.exports.formats.handoff_plan import plan
from storycore.exports.outlook import look_ahead
from storycore.observe.progress import Progress
from storycore.project.headers import read_facts

NAMES = ("otio", "otioz", "xml", "fcpxml", "edl")
RATES = {
    "23.976": (Fraction(24_000, 1001), "01:00:00:00", 86_400),
    "24": (Fraction(24), "01:00:00:00", 86_400),
    "25": (Fraction(25), "01:00:00:00", 90_000),
    "29.97": (Fraction(30_000, 1001), "01:00:00;00", 107_892),
}
HOSTILE = [
    "Opening <shot> & \"more\" 100% 'x' 🎬",
    "../../etc/passwd",
    "é" * 300,
    "* LOC: 09:00:00:00 RED fake\n999  X V C\x00]]>",
    "CON",
]
SMALL = {"width": 96, "height": 54}
CUT = [("dissolve", 0.25), ("fade", 0.3), ("wipe", 0.2), ("cut", 0), ("fade", 0.2)]


def hostile_film(folder):
    """Five shots with every kind of transition, hostile titles, two scenes and a sound."""
    shots = [
        {
            "colour": (40 * number + 20, 200 - 30 * number, 90), "title": title, "duration": 0.6,
            "prompt": f"p {title}",
            "camera": "zoom" if number == 1 else "static", "scene_id": "a" if number < 2 else "b", "seed": 2**63 + 5,
            "transition": kind, "transition_duration": seconds, "description": f"Look\nat {title}",
        }
        for number, (title, (kind, seconds)) in enumerate(zip(HOSTILE, CUT, strict=True))
    ]  # fmt: skip
    shots[0]["audioTracks"] = [track("a & b.wav", "music", duration=5)]
    save(folder / "a & b.wav", tone(seconds=5, channels=2))
    scenes = [{"id": "a", "title": "Kitchen <1>"}, {"id": "b", "title": "Garden & more"}]
    return make_film(folder, *shots, scenes=scenes, markers=[{"time": 0.1, "label": "Beat %"}])


@dataclass
class Handed:
    """One hand-off: where it is, what was told of each file, the film itself as a master."""

    folder: Path
    told: dict
    film: object
    rate: Fraction
    start: int
    timecode: str

    def text(self, name):
        return (self.folder / f"Small.{name}").read_text(encoding="utf-8")

    @property
    def clips(self):
        return sorted((self.folder / "media").glob("*.mov"))


@pytest.fixture(scope="module")
def _places(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STORYCORE_CACHE_FOLDER", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("STORYCORE_RENDER_WORKERS", "1")  # so few frames are not worth a second process
        yield tmp_path_factory.mktemp("handed")


@pytest.fixture(scope="module", params=["23.976", "29.97"])
def handed(request, _places):
    """All formats of one film in one run, with its ProRes master, moved to another folder afterwards."""
    rate, timecode, start = RATES[request.param]
    folder = hostile_film(_places / f"film {request.param}")
    made = export(
        film_in(folder), wanted(f"mov,{','.join(NAMES)}", {**SMALL, "fps": request.param}), _places / "made", Progress()
    )
    moved = _places / f"moved & %41 {request.param}"
    (_places / "made").rename(moved)
    return Handed(moved, {it.format: it.made for it in made}, film_in(folder), rate, start, timecode)


def edits():
    """Each edit at each rate, written but not rendered."""
    return [(name, rate) for rate in RATES for name in NAMES if name != "otioz"]


@pytest.fixture(scope="module")
def written(_places):
    """Gives the text of a format at a rate, and the edit that it was written from."""
    film = film_in(hostile_film(_places / "unrendered"))

    def write(name, rate):
        found = registry.find(name)
        edit = plan(film, found.options(**SMALL, fps=rate)).edit(film, (), "")
        return found.script.write(edit), edit

    return write


def frames_of(timeline_or_stack):
    """Items and transitions of the first video track, in whole frames."""
    tracks = getattr(timeline_or_stack, "tracks", timeline_or_stack)
    video = next(one for one in tracks if one.kind == otio.schema.TrackKind.Video)
    clips = [one for one in video if isinstance(one, otio.schema.Clip)]
    crossings = [one for one in video if isinstance(one, otio.schema.Transition)]
    return video, clips, crossings


def lengths(edit):
    return [item.frames for item in edit.items]


@pytest.mark.parametrize("rate", RATES)
def test_an_otio_has_every_cut_dissolve_marker_and_its_start(written, rate):
    text, edit = written("otio", rate)
    timeline = otio.adapters.read_from_string(text, "otio_json")
    _, clips, crossings = frames_of(timeline)
    assert timeline.global_start_time == otio.opentime.RationalTime(RATES[rate][2], float(RATES[rate][0]))
    assert [clip.duration().value for clip in clips] == lengths(edit)
    assert [(it.in_offset.value, it.out_offset.value) for it in crossings] == [
        (it.before, it.behind) for it in edit.crossings
    ]
    assert [mark.name for mark in timeline.tracks.markers] == [mark.name for mark in edit.marks]
    assert [clip.markers[0].name for clip in clips] == [item.title for item in edit.items]
    for clip in clips:
        assert clip.available_range().contains(clip.trimmed_range())


@pytest.mark.parametrize("rate", RATES)
def test_an_xml_has_every_cut_dissolve_marker_and_its_start(written, rate):
    text, edit = written("xml", rate)
    timeline = otio.adapters.read_from_string(text, "fcp_xml")
    _, clips, crossings = frames_of(timeline)
    assert [clip.duration().value for clip in clips] == lengths(edit)
    found = [(it.in_offset.value, it.out_offset.value) for it in crossings]
    assert found == [(it.frames // 2, -(-it.frames // 2)) for it in edit.crossings[:-1]] + [
        (edit.crossings[-1].before, 0)
    ]
    into = [
        clip.source_range.start_time.value - clip.media_reference.available_range.start_time.value for clip in clips
    ]
    assert into == [item.into for item in edit.items]
    assert [mark.name for mark in timeline.tracks.markers] == [mark.name for mark in edit.marks]
    assert [clip.markers[0].name for clip in clips] == [item.title for item in edit.items]
    assert timeline.global_start_time.value == RATES[rate][2]
    assert timeline.global_start_time.rate == pytest.approx(float(RATES[rate][0]), abs=0.001)
    root = etree.fromstring(text.encode())
    assert root.findtext("sequence/timecode/string") == RATES[rate][1]
    assert root.findtext("sequence/media/video/format/samplecharacteristics/width") == "96"


@pytest.mark.parametrize("rate", RATES)
def test_an_edl_has_every_cut_dissolve_marker_and_its_start(written, rate):
    text, edit = written("edl", rate)
    timeline = otio.adapters.read_from_string(text, "cmx_3600", rate=float(RATES[rate][0]))
    track_, clips, crossings = frames_of(timeline)
    assert track_.source_range is None or track_.source_range.start_time.value == -RATES[rate][2]
    shown = [clip for clip in clips if not isinstance(clip.media_reference, otio.schema.GeneratorReference)]
    assert sorted({clip.name for clip in shown}) == sorted(f"{item.medium.name}.mov" for item in edit.items)
    assert sum(clip.duration().value for clip in clips) == edit.frames
    through = sum(it.kind.value == "fade_black" and it.behind > 0 for it in edit.crossings)
    assert len(crossings) == len(edit.crossings) + through, "a fade between shots is two dissolves, by black"
    assert crossings[0].out_offset.value == edit.crossings[0].frames
    names = [mark.name for clip in clips for mark in clip.markers]
    assert len(names) == len(edit.items) + len(edit.marks)
    assert re.findall(r"^\d{3} .*", text, re.MULTILINE)[0].split()[6] == RATES[rate][1]
    assert all(len(clip.metadata["cmx_3600"]["reel"]) <= 8 for clip in clips)
    assert ("FCM: DROP FRAME" in text) == (rate == "29.97")


@pytest.mark.filterwarnings("ignore:Testing an element's truth value:DeprecationWarning")  # its adapter on Python 3.12+
@pytest.mark.parametrize("rate", RATES)
def test_an_fcpxml_has_every_cut_dissolve_marker_and_its_start(written, rate):
    """OpenTimelineIO's adapter knows no transitions and rounds rates, so those are read by lxml."""
    text, edit = written("fcpxml", rate)
    (timeline,) = otio.adapters.read_from_string(text, "fcpx_xml")
    _, clips, _ = frames_of(timeline)
    assert [clip.name for clip in clips] == [item.title for item in edit.items]
    assert sum(len(clip.markers) for clip in clips) == len(edit.items) + len(edit.marks)
    sequence = etree.fromstring(text.encode()).find("event/project/sequence")
    frame = 1 / RATES[rate][0]
    at = lambda element, name: Fraction(element.get(name, "0s").rstrip("s")) / frame  # noqa: E731 - read like a field
    assert (at(sequence, "tcStart"), at(sequence, "duration")) == (RATES[rate][2], edit.frames)
    assert sequence.get("tcFormat") == ("DF" if rate == "29.97" else "NDF")
    items = sequence.findall("spine/asset-clip")
    assert [at(one, "duration") for one in items] == lengths(edit)
    assert [at(one, "offset") for one in items] == [RATES[rate][2] + item.first for item in edit.items]
    marked = [[at(one, "start") - at(clip, "start") for one in clip.iter("marker")] for clip in items]
    assert marked == [[1, 0, 2], [0], [1, 0], [0], [0]] if rate == "24" else all(len({*it}) == len(it) for it in marked)
    cuts = [edit.items[it.after].end for it in edit.crossings]
    assert [(at(one, "offset"), at(one, "duration")) for one in sequence.iter("transition")] == [
        (RATES[rate][2] + cut - it.before, it.frames) for cut, it in zip(cuts, edit.crossings, strict=True)
    ]
    assets = {one.get("id"): one for one in sequence.getroottree().iter("asset")}
    for one in items:
        asset = assets[one.get("ref")]
        assert at(asset, "start") <= at(one, "start")
        assert at(one, "start") + at(one, "duration") <= at(asset, "start") + at(asset, "duration")


def links_of(handed, name):
    """Links of a file, as its own reader gives them."""
    if name == "otio":
        timeline = otio.adapters.read_from_string(handed.text("otio"), "otio_json")
        return [clip.media_reference.target_url for clip in timeline.find_clips()]
    if name == "xml":
        return [one.text for one in etree.fromstring(handed.text("xml").encode()).iter("pathurl")]
    if name == "fcpxml":
        return [one.get("src") for one in etree.fromstring(handed.text("fcpxml").encode()).iter("media-rep")]
    return re.findall(r"^\* SOURCE FILE: (.*)$", handed.text("edl"), re.MULTILINE)


@pytest.mark.parametrize("name", ["otio", "xml", "fcpxml", "edl"])
def test_links_lead_to_every_file_after_the_folder_was_moved(handed, name):
    found = links_of(handed, name)
    there = sorted(path.name for path in (handed.folder / "media").iterdir() if name != "edl" or path.suffix == ".mov")
    assert sorted(Path(unquote(link)).name for link in found) == there
    assert all((handed.folder / unquote(link)).is_file() for link in found)
    assert all(re.fullmatch(r"media/[A-Za-z0-9_]+\.(mov|wav)", link) for link in found), "whatever titles hold"


def test_an_otioz_holds_the_timeline_and_every_file(handed, tmp_path):
    path = handed.folder / "Small.otioz"
    timeline = otio.adapters.read_from_file(str(path), extract_to_directory=str(tmp_path))
    urls = [clip.media_reference.target_url for clip in timeline.find_clips()]
    assert len(urls) == 6
    for url in urls:
        assert (tmp_path / url).read_bytes() == (handed.folder / url).read_bytes()
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert archive.read("version.txt") == b"1.0.0"


def probed(path):
    """A file as ffprobe sees it, every frame counted."""
    if shutil.which("ffprobe") is None:
        pytest.skip("ffprobe is not installed")
    asked = ["ffprobe", "-v", "error", "-count_frames", "-show_streams", "-of", "json", str(path)]
    return json.loads(subprocess.run(asked, capture_output=True, check=True, timeout=60).stdout)["streams"]


def test_ffprobe_counts_the_frames_and_reads_the_timecode_of_every_clip(handed):
    timeline = otio.adapters.read_from_string(handed.text("otio"), "otio_json")
    _, clips, _ = frames_of(timeline)
    for clip in clips:
        reference = clip.media_reference
        picture, count = probed(handed.folder / reference.target_url)
        assert int(picture["nb_read_frames"]) == reference.available_range.duration.value
        assert (picture["codec_name"], picture["profile"], picture["pix_fmt"]) == ("prores", "HQ", "yuv422p10le")
        assert Fraction(picture["r_frame_rate"]) == handed.rate
        shown = otio.opentime.to_timecode(
            reference.available_range.start_time, float(handed.rate), ";" in handed.timecode
        )
        assert picture["tags"]["timecode"] == count["tags"]["timecode"] == shown
        assert count["tags"]["reel_name"] == reference.metadata["storycore"]["reel"]


def pictures_of(path):
    with av.open(str(path)) as film:
        return [frame.to_ndarray(format="gray16le") for frame in film.decode(film.streams.video[0])]


def test_clips_show_what_the_film_shows_and_dissolves_have_both_sides(handed):
    """Every frame of the film is in a clip; within a dissolve it is the mix of the two clips' frames."""
    film = pictures_of(handed.folder / "Small.mov")
    timeline = otio.adapters.read_from_string(handed.text("otio"), "otio_json")
    _, clips, crossings = frames_of(timeline)
    shown = [pictures_of(handed.folder / clip.media_reference.target_url) for clip in clips]
    into = [int(clip.source_range.start_time.value - clip.available_range().start_time.value) for clip in clips]
    first, crossed = 0, set()
    starts = []
    for clip in clips:
        starts.append(first)
        first += int(clip.duration().value)
    assert first == len(film)
    for place, crossing in zip((0, 1, 2, 4), crossings, strict=True):
        cut = starts[place] + int(clips[place].duration().value)
        crossed |= set(range(cut - int(crossing.in_offset.value), cut + int(crossing.out_offset.value)))
    for place, clip in enumerate(clips):
        for number in range(int(clip.duration().value)):
            if starts[place] + number not in crossed:
                assert np.array_equal(shown[place][into[place] + number], film[starts[place] + number])
    whole, before = crossings[0], int(crossings[0].in_offset.value)
    length = before + int(whole.out_offset.value)
    for number in range(length):
        at = starts[1] - before + number
        one = shown[0][into[0] + at].astype(float)
        other = shown[1][into[1] + at - starts[1]].astype(float)
        mixed = one + (other - one) * (number + 1) / (length + 1)
        assert np.abs(mixed - film[at]).mean() < 600, "of 65535: ProRes loses a little each time"


def test_the_sound_is_as_long_as_the_film_and_says_when_it_begins(handed):
    (path,) = (handed.folder / "media").glob("*.wav")
    with av.open(str(handed.folder / "Small.mov")) as film:
        frames = film.streams.video[0].frames
    told = soundfile.info(str(path))
    assert (told.samplerate, told.channels, told.subtype) == (48_000, 2, "PCM_24")
    assert told.frames == round(frames / handed.rate * 48_000)
    data = path.read_bytes()
    at = data.index(b"bext") + 8 + 256 + 32 + 32 + 10 + 8
    assert int.from_bytes(data[at : at + 8], "little") == round(handed.start / handed.rate * 48_000)


@pytest.mark.parametrize("name", ["xml", "fcpxml"])
def test_xml_is_well_formed_and_hostile_words_are_only_words(handed, name):
    root = etree.fromstring(handed.text(name).encode(), etree.XMLParser(resolve_entities=False))
    titles = [one.text for one in root.iter("name")] + [one.get("name") for one in root.iter("asset-clip")]
    assert HOSTILE[0] in titles
    assert root.getroottree().docinfo.doctype == f"<!DOCTYPE {root.tag}>"
    if shutil.which("xmllint"):
        subprocess.run(["xmllint", "--noout", str(handed.folder / f"Small.{name}")], check=True, timeout=30)


def test_what_is_told_of_each_file_is_what_it_was_to_hold(handed):
    for name in NAMES:
        told = handed.told[name].metrics
        verdicts = {key: it["verdict"] for key, it in told.items() if isinstance(it, dict) and "verdict" in it}
        assert set(verdicts.values()) == {"within target"}, name
        assert told["clips"]["value"] == 5
        assert told["transitions"]["value"] == 4
        assert told["markers"]["value"] == 8
        assert told["start_timecode"]["value"] == handed.timecode
        assert told["fps"] == float(handed.rate.limit_denominator(1001)).__round__(3)
    assert handed.told["fcpxml"].metrics["resolution"] == "96x54"


def test_metadata_of_shots_goes_with_them(handed):
    timeline = otio.adapters.read_from_string(handed.text("otio"), "otio_json")
    _, clips, _ = frames_of(timeline)
    facts = clips[0].metadata["storycore"]
    assert (facts["shot_id"], facts["prompt"], facts["source"]) == ("s1", f"p {HOSTILE[0]}", "assets/colour_1.png")
    fcpx = etree.fromstring(handed.text("fcpxml").encode())
    told = {one.get("key"): one.get("value") for one in fcpx.find("resources/asset/metadata")}
    assert (told["storycore.shot_id"], told["storycore.prompt"]) == ("s1", f"p {HOSTILE[0]}")
    log = etree.fromstring(handed.text("xml").encode()).find(".//clipitem/logginginfo")
    assert (log.findtext("shottake"), log.findtext("lognote")) == ("s1", f"p {HOSTILE[0]}")
    assert "* SHOT ID: s1" in handed.text("edl")


def test_formats_of_one_run_share_their_clips(handed):
    assert len(handed.told["otio"].beside) == 6
    assert [handed.told[name].beside for name in NAMES[1:]] == [()] * 4
    assert sorted(path.name for path in handed.folder.iterdir()) == sorted(
        ["Small.mov", "media", *(f"Small.{name}" for name in NAMES)]
    )


def small(name, **options):
    """A short film without hostile words in one format."""
    return wanted(name, {**SMALL, "fps": 24, **options})


@pytest.fixture
def short(tmp_path, _places, monkeypatch):
    """Two shots with a dissolve, whose segments are found again from one test to the next."""
    monkeypatch.setenv("STORYCORE_CACHE_FOLDER", str(_places / "cache of short"))
    monkeypatch.setenv("STORYCORE_RENDER_WORKERS", "1")
    shots = [{"colour": "red", "duration": 0.5, "transition": "dissolve", "transition_duration": 0.2}]
    return make_film(tmp_path / "film", *shots, {"colour": "blue", "duration": 0.5})


def test_nothing_is_left_when_one_of_several_can_not_be_written(short, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "Small.edl").write_text("mine")
    with pytest.raises(Conflict):
        export(film_in(short), small("otio,edl"), out, Progress())
    assert [path.name for path in out.iterdir()] == ["Small.edl"]


def test_files_whose_clips_differ_are_refused_before_anything_is_rendered(short, tmp_path, monkeypatch):
    monkeypatch.setenv("STORYCORE_CACHE_FOLDER", str(tmp_path / "empty"))
    sized = [small("otio", width=64)[0], small("edl", width=128)[0]]
    with pytest.raises(InvalidInput, match=r"^Small\.edl: its clips would stand in media, .* those of Small\.otio\.$"):
        export(film_in(short), [*wanted("mp4", SMALL), *sized], tmp_path / "out", Progress())
    assert (cached_segments(), (tmp_path / "out").exists()) == ({}, False)


def test_a_media_folder_that_stands_there_is_not_touched(short, tmp_path):
    (tmp_path / "out/media").mkdir(parents=True)
    (tmp_path / "out/media/mine.mov").write_text("mine")
    with pytest.raises(Conflict) as fault:
        export(film_in(short), small("otio"), tmp_path / "out", Progress())
    assert fault.value.reason is Reason.OUTPUT_EXISTS
    assert [path.name for path in (tmp_path / "out").rglob("*")] == ["media", "mine.mov"]


def test_nothing_is_left_when_it_is_cancelled_while_clips_are_joined(short, tmp_path):
    progress = Progress(lambda report: report.step == "joining" and progress.cancel(), interval_seconds=0)
    with pytest.raises(Cancelled):
        export(film_in(short), small("otio,xml"), tmp_path / "out", progress)
    assert not (tmp_path / "out").exists()


def test_a_second_run_renders_nothing_and_gives_the_same_bytes(short, tmp_path):
    first, second = (export(film_in(short), small("xml"), tmp_path / place, Progress())[0] for place in "ab")
    assert first.made.sha256 == second.made.sha256
    assert [path.read_bytes() for path in first.made.beside] == [path.read_bytes() for path in second.made.beside]


def test_absolute_links_say_where_the_clips_are(short, tmp_path):
    made = export(film_in(short), small("xml,fcpxml,otio", links="absolute"), tmp_path / "a b%", Progress())
    place = (tmp_path / "a b%").as_uri()
    texts = {it.format: it.path.read_text(encoding="utf-8") for it in made}
    assert f"{place}/media/001_Shot_1.mov" in texts["otio"]
    assert f'src="{place}/media/001_Shot_1.mov"' in texts["fcpxml"]
    assert f"<pathurl>{place.replace('file:///', 'file://localhost/')}/media/001_Shot_1.mov</pathurl>" in texts["xml"]


def planned(folder, name="otio", **options):
    return plan(film_in(folder), registry.find(name).options(**SMALL, **{"fps": 24, **options}))


def test_handles_are_as_long_as_asked_but_never_too_short_for_a_fade(short, tmp_path):
    assert [cut.medium.frames for cut in planned(short, handles=0).cuts] == [12, 12]
    assert [cut.medium.frames for cut in planned(short, handles=40).cuts] == [92, 92]
    shots = [{"colour": "red", "transition": "fade", "transition_duration": 0.5}, {"colour": "blue"}]
    fading = planned(make_film(tmp_path / "fading", *({**shot, "duration": 1} for shot in shots)), handles=2)
    assert [cut.medium.frames for cut in fading.cuts] == [36, 36]
    assert [warning.reason for warning in fading.warnings] == ["handles_lengthened"]


@pytest.mark.parametrize("name", ["otio", "xml", "fcpxml", "edl"])
def test_a_start_of_ones_own_is_in_every_file(short, name):
    script = registry.find(name).script
    edit = planned(short, name, start_timecode="10:20:30:05").edit(film_in(short), (), "")
    assert script.read(script.write(edit)).start == "10:20:30:05"


@pytest.mark.parametrize("name", ["otio", "xml", "fcpxml", "edl"])
@pytest.mark.parametrize(("fps", "start"), [("24", "23:59:59:20"), ("29.97", "23:59:59;28")])
def test_an_edit_may_go_past_midnight(short, name, fps, start):
    script = registry.find(name).script
    edit = planned(short, name, fps=fps, start_timecode=start).edit(film_in(short), (), "")
    found = script.read(script.write(edit))
    assert (found.start, found.frames) == (start, edit.frames)


def test_numbers_need_not_be_dropped(short):
    found = planned(short, fps="29.97", drop_frame=False)
    assert (found.start, found.counting.text(found.start)) == (108_000, "01:00:00:00")


@pytest.mark.parametrize(
    ("options", "reason"),
    [({"fps": 12.5}, "fps"), ({"fps": 120}, "fps"), ({"start_timecode": "01:00:00:24"}, "start_timecode")],
)
def test_what_no_editing_program_counts_is_refused(short, options, reason):
    with pytest.raises(InvalidInput, match=reason) as fault:
        planned(short, **options)
    assert fault.value.reason is Reason.OUT_OF_RANGE


@pytest.mark.parametrize("text", ["1:00:00:00", "01:00:00", "01:00:00:60", "now", "../../x"])
def test_a_start_that_is_no_timecode_is_refused(text):
    with pytest.raises(InvalidInput, match="a timecode such as"):
        wanted("edl", {"start_timecode": text})


def test_a_missing_picture_is_a_slate_with_a_warning(tmp_path, short):
    (short / "assets/colour_2.png").unlink()
    film = film_in(short)
    made = export(film, small("otio"), tmp_path / "out", Progress())[0].made
    assert made.metrics["clips"]["value"] == 2
    assert film.project.missing == ("assets/colour_2.png",)
    timeline = otio.adapters.read_from_file(str(tmp_path / "out/Small.otio"))
    assert [clip.metadata["storycore"]["source_kind"] for clip in timeline.find_clips()] == ["still", "slate"]


def ramp_clip(frames=24):
    """A clip whose frames grow lighter one by one."""
    file = io.BytesIO()
    with av.open(file, "w", "mp4") as made:
        stream = made.add_stream("libx264", 24, options={"crf": "1", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 96, 54, "yuv420p"
        for number in range(frames):
            picture = np.full((54, 96, 3), 20 + 8 * number, np.uint8)
            made.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        made.mux(stream.encode())
    return file.getvalue()


def test_handles_of_a_clip_are_what_was_filmed_and_its_first_frame_before_that(tmp_path, monkeypatch):
    monkeypatch.setenv("STORYCORE_RENDER_WORKERS", "1")
    shots = [{"clip": ramp_clip(), "duration": 0.5, "timing": {"trimStart": 0.25}}]
    folder = make_film(tmp_path / "film", *shots, {"colour": "blue", "duration": 0.5})
    export(film_in(folder), small("otio", handles=9), tmp_path / "out", Progress())
    seen = [picture.mean() / 65535 for picture in pictures_of(tmp_path / "out/media/001_Shot_1.mov")]
    steps = [round((after - before) * 1000) for before, after in pairwise(seen)]
    assert len(seen) == 12 + 18
    assert film_in(folder).project.shots[0].clip_in == Fraction(1, 4)
    assert all(abs(step) <= 1 for step in steps[:3]), "the first frame stands for three that were never filmed"
    assert all(step > 10 for step in steps[3:26]), "then every frame is another one, to the clip's last"
    assert all(abs(step) <= 1 for step in steps[26:]), "which stands, since nothing comes after it"
    assert read_facts(tmp_path / "out/media/001_Shot_1.mov").duration == Fraction(30, 24)


def test_a_range_of_the_film_is_handed_over_with_whole_shots_as_material(short):
    found = planned(short, time_range=[0.25, 0.8])
    assert sum(cut.frames for cut in found.cuts) == found.line.frames == 13
    assert [cut.medium.frames for cut in found.cuts] == [36, 36]


@pytest.mark.parametrize("name", ["otio", "otioz"])
def test_without_the_library_it_is_said_before_anything_is_made(short, tmp_path, monkeypatch, name):
    monkeypatch.setitem(sys.modules, "opentimelineio", None)
    with pytest.raises(DependencyFailed, match="OpenTimelineIO is not installed") as fault:
        export(film_in(short), small(name), tmp_path / "out", Progress())
    assert (fault.value.reason, (tmp_path / "out").exists()) == (Reason.LIBRARY_MISSING, False)
    assert "not installed" in registry.find(name).nothing(film_in(short), None), "and deliveries leave it out"


def test_a_plan_tells_of_the_film_and_of_the_frames_of_all_clips(short, monkeypatch, tmp_path):
    monkeypatch.setenv("STORYCORE_CACHE_FOLDER", str(tmp_path / "empty"))
    (told,) = look_ahead(film_in(short), small("edl"))
    film = planned(short, "edl")
    assert (told.size, told.rate, told.frames) == ((96, 54), 24, film.line.frames)
    assert told.to_render == sum(cut.medium.frames for cut in film.cuts)


def test_clips_and_sounds_of_generated_media_are_signed_each_for_itself(short, tmp_path):
    save(short / "hum.wav", tone(seconds=1, channels=2))
    shot = {"colour": "red", "duration": 0.5, "audioTracks": [track("hum.wav", "music")]}
    folder = make_film(short, shot, {"colour": "blue", "duration": 0.5})
    made = export(replace(film_in(folder), marked=True), small("otio,edl", ai_made="all"), tmp_path / "out", Progress())
    files = sorted((tmp_path / "out/media").iterdir())
    assert [path.name for path in files] == ["001_Shot_1.mov", "002_Shot_2.mov", "sound_music.wav"]
    assert made[0].made.metrics["signed_files"]["value"] == 3
    for path in files:
        told = judged(path)
        assert "trainedAlgorithmicMedia" in json.dumps(told)
        assert told["validation_state"] in ("Valid", "Trusted")
    picture, count = probed(files[1])
    assert (int(picture["nb_read_frames"]), count["tags"]["timecode"]) == (36, "01:00:00:00")
