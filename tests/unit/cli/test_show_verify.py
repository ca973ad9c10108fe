"""The finding of a check on a terminal: in words, 80 columns wide, and safe to look at."""

import io
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from storycore.cli.show_verify import show_verify
from storycore.cli.words import plain
from storycore.operations.verification import VerifyFault, VerifyResult

GOOD = VerifyResult(
    valid=True, path="/films/my film.zip", kind="zip", checksum="sha256:" + "ab" * 32, files_checked=12,
    bytes_checked=34_500_000, algorithms=["sha256"], faults=[], warnings=[], unpacked_to=None, verify_time_ms=420.0,
)  # fmt: skip


def bad(*faults: tuple[str, str, str]) -> VerifyResult:
    found = [VerifyFault(path=path, reason=reason, message=message) for path, reason, message in faults]
    return GOOD.model_copy(update={"valid": False, "faults": found})


def shown(result: VerifyResult, width: int = 80, *, colour: bool = False) -> str:
    console = Console(
        file=io.StringIO(), width=width, force_terminal=colour, color_system="standard" if colour else None
    )
    show_verify(result, console)
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_a_valid_package_is_shown_with_what_was_checked_and_how_others_check_it() -> None:
    assert [line.rstrip() for line in shown(GOOD).splitlines()] == [
        "✓ valid  my film.zip",
        "  12 files, 34.5 MB read in 0.4 s; compared: sha256",
        "  sha256:" + "ab" * 32,
        "",
        "The same without StoryCore:",
        "  unzip -q '/films/my film.zip' -d check && (cd check/*/ && sha256sum -c --quiet manifest-sha256.txt)",
    ]


def test_each_fault_is_told_in_words() -> None:
    result = bad(("data/a.png", "checksum_mismatch", "Its content was changed."), ("", "truncated", "It was cut off."))
    assert [line.rstrip() for line in shown(result).splitlines()] == [
        "✗ not valid  my film.zip: 2 faults",
        "  12 files, 34.5 MB read in 0.4 s; compared: sha256",
        "  sha256:" + "ab" * 32,
        "✗ data/a.png (checksum_mismatch)",
        "    Its content was changed.",
        "✗ the package (truncated)",
        "    It was cut off.",
        "",
        "Ask for the package again, or pack it again from the project.",
    ]


def test_an_unpacked_package_says_where_it_is() -> None:
    text = shown(GOOD.model_copy(update={"unpacked_to": "/films/copy of it"}))
    assert "unpacked to /films/copy of it" in text
    assert "  (cd '/films/copy of it' && sha256sum -c --quiet manifest-sha256.txt)" in text


def test_no_more_than_twenty_faults_are_shown() -> None:
    text = shown(bad(*((f"data/{number}", "file_missing", "Gone.") for number in range(50))))
    assert (text.count("file_missing"), "… and 30 more" in text) == (20, True)


def test_no_command_is_offered_that_would_not_work() -> None:
    assert "sha256sum" not in shown(GOOD.model_copy(update={"algorithms": ["sha512"]}))


EVIL = "[bold red]x[/] [link=https://example.org]y[/link] \x1b]0;title\x07\x1b[2J\r\nok \u202egnp\u2066 \x9b2J"


@pytest.mark.parametrize("width", [20, 80, 200])
@pytest.mark.parametrize("colour", [False, True])
def test_text_of_strangers_neither_steers_the_terminal_nor_is_taken_for_markup(width: int, colour: bool) -> None:
    text = shown(
        bad((EVIL, "checksum_mismatch", EVIL)).model_copy(update={"path": f"/films/{EVIL}"}), width, colour=colour
    )
    assert text.count("\x1b") % 2 == 0 if colour else "\x1b" not in text
    assert not {"\x07", "\r", "\u202e", "\u2066", "\x9b"} & set(text)
    if width == 200:
        assert "[bold red]x[/]" in text


@pytest.mark.parametrize("width", [40, 80, 200])
def test_lines_are_no_longer_than_eighty_columns(width: int) -> None:
    long = bad(
        ("data/" + "longname" * 40, "checksum_mismatch", "word " * 60), ("data/" + "日本" * 80, "file_missing", "x")
    )
    assert max(cell_len(line) for line in shown(long, width).splitlines()) <= min(width, 80)


@given(st.text())
def test_plain_text_stays_and_nothing_that_steers_does(text: str) -> None:
    assert not any(unicodedata.category(it)[0] == "C" for it in plain(text))
    letters = "".join(it for it in text if it.isalnum())
    assert plain(letters) == letters
