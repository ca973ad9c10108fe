"""A delivery on the terminal."""

import io

from rich.console import Console

from storycore.cli.show_delivery import show_delivery
from storycore.operations.film_delivery import DeliverResult

GATE = {"figure": "frames", "passed": False, "message": "the number of frames is 3, and must be at least 9"}


def output(part, path, **more):
    return {
        "part": part, "path": path, "output_path": f"/out/{path}", "source_format": "unknown", "target_format": "mp4",
        "conversion_time_ms": 1, "output_size_bytes": 1500, "media_type": "video/mp4", "checksum": "sha256:" + "0" * 64,
        "quality_metrics": {}, **more,
    }  # fmt: skip


def shown(*, passed=True, parts=(), outputs=(), path="/films/my film", **more):
    result = DeliverResult(
        delivery_path=path, template="festival", passed=passed, parts=list(parts), outputs=list(outputs), files=[],
        checksums_path=f"{path}/checksums-sha256.txt", files_included=3, total_size_bytes=3000, delivery_time_ms=2000,
        metadata={}, warnings=[], **more,
    )  # fmt: skip
    console = Console(file=io.StringIO(), highlight=False, markup=False, emoji=False, width=80)
    show_delivery(result, console)
    return console.file.getvalue()


def part(name, state="made", files=1, **more):
    return {"name": name, "title": name.title(), "state": state, "files": files, "size_bytes": 1500, **more}


def test_each_part_is_told_with_its_files_and_how_anyone_checks_them():
    text = shown(
        parts=[part("master"), part("captions", "left_out", 0, messages=["The film has no words to caption."])],
        outputs=[output("master", "Master/a.mov", quality_metrics={"resolution": "64x36", "fps": 24})],
    )
    lines = [line.rstrip() for line in text.splitlines()]
    assert lines == [
        "✓ Delivered · festival",
        "  3 files · 3.0 kB · made in 2.0 s",
        "",
        "✓ Master" + " " * 66 + "1.5 kB",
        "  Master/a.mov",
        "  64x36 · 24 fps",
        "! Captions" + " " * 62 + "left out",
        "    The film has no words to caption.",
        "",
        "  folder   /films/my film",
        "Next: cd '/films/my film' && sha256sum -c checksums-sha256.txt",
    ]


def test_what_is_not_as_asked_is_told_in_words():
    text = shown(
        passed=False,
        parts=[part("film", "failed_gates", messages=[GATE["message"]])],
        outputs=[output("film", "a.mp4", quality_gates=[GATE])],
    )
    assert text.startswith("✗ Delivered, but not as the template asks · festival\n")
    assert "    the number of frames is 3, and must be at least 9" in text


def test_words_of_strangers_are_only_words():
    text = shown(parts=[part("a", title="[red]\x1b[2J\u202eevil")], outputs=[output("a", "x\x1b[1m.mp4")])
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "[red]" in text
