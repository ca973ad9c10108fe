"""Graphs in files, written by Pillow and PyAV as ComfyUI does it, and in files of strangers."""

import contextlib
import gzip
import io
import json
import struct
import zlib

import av
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from fixtures.workflows import info, node, workflow
from storycore.comfyui.graph.graph_file import read_graph, read_object_info
from storycore.errors import AccessDenied, InvalidInput, NotFound, Reason, StoryCoreError

API = {"1": {"class_type": "Image", "inputs": {"width": 8, "text": "é ☃"}}}
UI = workflow({1: node("Image", [8, 8])})


def png(kind="tEXt", **texts):
    notes = PngInfo()
    for name, value in texts.items():
        text = json.dumps(value)
        if kind == "iTXt":
            notes.add_itxt(name, json.dumps(value, ensure_ascii=False), zip=True)
        else:
            notes.add_text(name, text, zip=kind == "zTXt")
    file = io.BytesIO()
    Image.new("RGB", (4, 4)).save(file, "PNG", pnginfo=notes)
    return file.getvalue()


def webp(**texts):
    picture = Image.new("RGB", (4, 4))
    exif = picture.getexif()
    for tag, (name, value) in zip((0x0110, 0x010F), texts.items(), strict=False):
        exif[tag] = f"{name}:{json.dumps(value)}"
    file = io.BytesIO()
    picture.save(file, "WEBP", exif=exif)
    return file.getvalue()


def film(suffix="mp4", **texts):
    file = io.BytesIO()
    with av.open(file, "w", format=suffix, options={"movflags": "use_metadata_tags"}) as container:
        container.metadata.update({name: json.dumps(value) for name, value in texts.items()})
        stream = container.add_stream("mpeg4", rate=4)
        stream.width = stream.height = 16
        stream.pix_fmt = "yuv420p"
        for packet in stream.encode(av.VideoFrame(16, 16, "yuv420p")):
            container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return file.getvalue()


MADE = {
    "tEXt": png,
    "zTXt": lambda **texts: png("zTXt", **texts),
    "iTXt": lambda **texts: png("iTXt", **texts),
    "webp": webp,
    "mp4": film,
    "mov": lambda **texts: film("mov", **texts),
}


@pytest.mark.parametrize("made", MADE.values(), ids=MADE)
def test_a_graph_is_read_out_of_what_comfyui_made(made):
    document = read_graph(made(prompt=API, workflow=UI))
    assert (document.api, document.ui, document.format) == (API, UI, "api")


@pytest.mark.parametrize("made", MADE.values(), ids=MADE)
def test_media_with_the_page_s_format_alone_give_that(made):
    document = read_graph(made(workflow=UI))
    assert (document.api, document.ui, document.format) == (None, UI, "ui")


@pytest.mark.parametrize("content", [png(), webp(), film(), Image.new("RGB", (1, 1)).tobytes() * 9])
def test_media_without_a_graph_are_told(content):
    with pytest.raises(InvalidInput):
        read_graph(content)


@pytest.mark.parametrize(
    ("value", "form"),
    [
        (API, "api"),
        (UI, "ui"),
        ({"prompt": API}, "api"),
        ({"prompt": API, "extra_data": {}}, "api"),
        ({"workflow": UI}, "ui"),
    ],
)
def test_json_is_read_in_either_format_and_as_it_is_posted(value, form):
    assert read_graph(json.dumps(value).encode()).format == form


def test_what_comfyui_writes_beside_json_counts_as_null():
    text = b'\xef\xbb\xbf{"1": {"class_type": "NaN", "inputs": {"a": NaN, "b": [-Infinity], "c": "NaN \\" Infinity"}}}'
    inputs = {"a": None, "b": [None], "c": 'NaN " Infinity'}
    assert read_graph(text).api == {"1": {"class_type": "NaN", "inputs": inputs}}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", Reason.MALFORMED_JSON),
        (b"{", Reason.MALFORMED_JSON),
        (b"\xff\xfe", Reason.MALFORMED_JSON),
        (b"[" * 500, Reason.MALFORMED_JSON),
        (b"[]", Reason.WORKFLOW_INVALID),
        (b"{}", Reason.WORKFLOW_INVALID),
        (b'{"a": 1}', Reason.WORKFLOW_INVALID),
        (b" " * (8 * 1024 * 1024 + 1), Reason.BODY_TOO_LARGE),
        (b"GIF89a" + bytes(64), Reason.WORKFLOW_INVALID),
    ],
)
def test_what_holds_no_graph_is_refused(content, reason):
    with pytest.raises(InvalidInput) as told:
        read_graph(content)
    assert told.value.reason is reason


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def test_a_text_that_unpacks_beyond_measure_is_refused():
    bomb = b"prompt\0\0" + zlib.compress(bytes(64 * 1024 * 1024))
    with pytest.raises(InvalidInput, match="unpacks to more"):
        read_graph(b"\x89PNG\r\n\x1a\n" + chunk(b"zTXt", bomb) + chunk(b"IEND", b""))


GOOD = [png(prompt=API), webp(prompt=API), film(prompt=API)]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(GOOD), st.data())
def test_broken_media_are_an_error_and_never_a_crash(content, data):
    broken = bytearray(content)
    for at in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=8)):
        broken[at] = data.draw(st.integers(0, 255))
    with contextlib.suppress(InvalidInput):
        read_graph(bytes(broken[: data.draw(st.integers(1, len(broken)))]))


def test_files_are_opened_only_if_they_are_files(tmp_path):
    good = tmp_path / "graph.json"
    good.write_text(json.dumps(API), encoding="utf-8")
    assert read_graph(good).api == API
    with pytest.raises(NotFound):
        read_graph(tmp_path / "gone.json")
    with pytest.raises(AccessDenied):
        read_graph(tmp_path)


@pytest.mark.parametrize("pack", [gzip.compress, bytes], ids=["packed", "plain"])
def test_node_classes_are_read_packed_or_not(tmp_path, pack):
    path = tmp_path / "object_info"
    path.write_bytes(pack(json.dumps(info()).encode()))
    assert read_object_info(path) == info()


@pytest.mark.parametrize("content", [b"{}", b"[]", b'{"a": {}}', b"\x1f\x8bnonsense", b"{", b"\x1f\x8b"])
def test_what_tells_of_no_node_classes_is_refused(tmp_path, content):
    path = tmp_path / "object_info.json"
    path.write_bytes(content)
    with pytest.raises(StoryCoreError):
        read_object_info(path)
