from datetime import UTC, datetime, timedelta

import pytest

from storycore.dashboard import words
from storycore.units import iso

NOW = datetime(2026, 11, 26, 6, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0, "now"), (5, "5 s ago"), (61, "1 min ago"), (7200, "2 h ago"), (200_000, "2 d ago"), (-20, "in 20 s")],
)
def test_instants_are_told_as_people_do(seconds, told):
    assert words.ago(iso(NOW - timedelta(seconds=seconds)), NOW) == told


def test_what_is_tried_next_is_never_tried_in_the_past():
    told = [words.next_try((NOW + timedelta(seconds=seconds)).isoformat(), NOW) for seconds in (90, -90, 0)]
    assert told == ["in 1 min", "in its turn", "in its turn"]


def test_operations_have_short_names():
    assert words.what("storycore.integration.comfyui.generate_video") == "comfyui generate video"
    assert words.what("storycore.export.package") == "export package"


def test_time_left_is_told_only_where_something_is_known():
    assert words.left(91.4) == "about 1 min 30 s left"
    assert words.left(None) == ""


def test_figures_are_told_with_target_and_verdict_in_words():
    rows = words.figures(
        {
            "integrated_loudness": {
                "value": -16.0, "unit": "LUFS", "method": "EBU R 128", "target": -14.0, "verdict": "2 LU too quiet",
            },
            "codec": "h264", "faststart": True, "frames": {"value": 1452, "unit": "frames"}, "vmaf": None,
            "silent_stretches": {"value": [[1.0, 2.5]], "unit": "s"},
        }
    )  # fmt: skip
    assert rows == [
        ("Integrated loudness", "−16 LUFS", "−14 LUFS", "2 LU too quiet", "EBU R 128"),
        ("Codec", "h264", "", "", ""),
        ("Plays while it loads", "yes", "", "", ""),
        ("Frames", "1,452 frames", "", "", ""),
        ("Silent stretches", "1–2.5 s", "", "", ""),
    ]


def test_a_size_is_no_stretch_of_time_and_what_is_asked_of_each_is_not_asked_of_how_many():
    rows = words.figures(
        {
            "page_size": {"value": [[297.0, 210.0]], "unit": "mm"},
            "pictures": {"value": [{"dpi": 538.6}, {"dpi": 203.9}], "target": 200, "unit": ""},
        }
    )
    assert [(row.value, row.target) for row in rows] == [("297 × 210 mm", ""), ("2", "")]


@pytest.mark.parametrize(
    ("seconds", "told"), [(5.0, "5 s"), (90.0, "90 s"), (300, "5 min"), (72_000, "20 h"), (0, "0 s")]
)
def test_pauses_are_told_as_people_do(seconds, told):
    assert words.pause(seconds) == told


def test_a_webhook_that_hears_all_hears_everything():
    assert words.heard(["*"]) == "everything"
    assert words.heard(["export.completed", "qa.failed"]) == "export.completed, qa.failed"


def test_every_state_has_a_sign_and_a_word():
    for known in (words.STATES, words.DELIVERIES, words.HOOKS, words.SERVERS, words.KEYS):
        assert all(state.sign and state.word for state in known.values())


def test_files_are_called_what_they_are():
    assert [words.kind_of(it) for it in ("video/mp4", "audio/wav", "application/zip", "application/x-odd")] == [
        "film", "sound", "package", "application/x-odd",
    ]  # fmt: skip
    assert [words.shows(it) for it in ("video/webm", "audio/mpeg", "image/svg+xml")] == ["film", "sound", ""]


def test_what_is_packed_in_a_zip_is_called_what_it_is():
    names = ("Lamp.stems.zip", "Lamp.FRAMES.zip", "Lamp.hls.zip", "Lamp.zip", "stems.zip")
    assert [words.kind_of("application/zip", name) for name in names] == [
        "stems", "frames", "stream", "package", "package",
    ]  # fmt: skip


def test_edits_that_are_handed_over_are_called_edits():
    named = {"a.otio": "application/vnd.opentimelineio+json", "a.otioz": "application/vnd.opentimelineio.bundle+zip",
             "a.xml": "application/xml", "a.FCPXML": "application/xml", "a.edl": "text/plain",
             "a.json": "application/json", "metadata.xml": "application/xml", "sums.txt": "text/plain"}  # fmt: skip
    told = [words.kind_of(media_type, name) for name, media_type in named.items()]
    assert told == ["edit", "edit", "edit", "edit", "edit", "data", "data", "text"]


def test_parts_that_were_each_measured_are_told_by_name():
    loud = {"integrated_loudness": {"value": -30.5, "unit": "LUFS"}, "codec": "PCM float"}
    silent = {"integrated_loudness": {"value": None, "unit": "LUFS"}}
    (row,) = words.figures({"stems": {"ambience": loud, "effects": silent}})
    assert (row.name, row.value) == ("Stems", "ambience −30.5 LUFS, effects")


def test_a_certificate_that_nobody_else_knows_is_not_called_trusted():
    own = {"state": "trusted", "signed_here": True, "self_made": True}
    figure = {"value": "trusted", "signer": "StoryCore installation 1", "self_made": True, "method": "read back"}
    (row,) = words.figures({"content_credentials": figure})
    for told in (words.trust(own).word, row.value):
        assert told == "signed with your own certificate, which is on no public list of trust"
    (older,) = words.figures({"content_credentials": {"value": "trusted", "signer": "Studio"}})
    assert older.value == "signed by Studio; others trust that if they know the certificate"


@pytest.mark.parametrize(
    ("found", "tone", "part"),
    [
        ({"state": "trusted", "signed_here": True}, "good", "with your certificate"),
        ({"state": "trusted", "signed_here": False}, "good", "by somebody you trust"),
        ({"state": "valid", "signed_here": False}, "odd", "not known here"),
        ({"state": "invalid", "signed_here": True, "self_made": True}, "bad", "not as it was signed"),
    ],
)
def test_what_a_signature_is_worth_is_told_in_words(found, tone, part):
    assert words.trust(found).tone == tone
    assert part in words.trust(found).word


def test_a_message_is_set_out_to_be_read_in_the_order_in_which_it_was_sent():
    assert words.set_out('{"type":"x","data":{"a":"é"}}') == '{\n  "type": "x",\n  "data": {\n    "a": "é"\n  }\n}'
    assert [words.set_out(text) for text in ("<html>", "", '{"a":NaN}')] == ["<html>", "", '{"a":NaN}']


def test_without_a_connection_nothing_was_sent():
    assert [words.was_sent(code) for code in ("ok", "http_5xx", "reset", "dns", "refused", "blocked_address")] == [
        True, True, True, False, False, False,
    ]  # fmt: skip


def test_figures_are_written_as_people_write_them():
    told = words.figures({"resolution": "1280x720", "bitrate": "1279kbps", "fonts": {"value": ["ABCDEF+Noto", "Noto"]}})
    assert [row.value for row in told] == ["1280 × 720", "1279 kbit/s", "Noto"]


def test_tasks_are_called_what_a_film_maker_does():
    assert [words.doing(f"storycore.{it}") for it in ("export.deliver", "integration.comfyui.batch", "x.y")] == [
        "Delivery", "ComfyUI, shot by shot", "X y",
    ]  # fmt: skip


def test_credentials_beside_a_film_are_no_film():
    assert [words.stands_alone(it) for it in ("application/c2pa", "video/mp4", "application/zip")] == [
        False, True, True,
    ]  # fmt: skip


def test_an_event_is_told_in_a_line():
    file = {"path": "C:\\films\\a.mp4", "size_bytes": 1}
    assert words.about({"project_path": "/films/lamp/", "outputs": [file]}) == "lamp · a.mp4"
    assert words.about({"outputs": [file] * 5}) == "a.mp4, a.mp4, a.mp4 and 2 more"
    assert words.about({"subject": "reel 1", "error": {"message": "It is too loud."}}) == "reel 1 · It is too loud."
    assert words.about({"output": None}) == ""


def test_silence_is_told_as_such():
    (row,) = words.figures({"true_peak": {"value": None, "unit": "dBTP", "target": -1.0, "verdict": "within target"}})
    assert (row.value, row.verdict) == ("silence", "within target")
