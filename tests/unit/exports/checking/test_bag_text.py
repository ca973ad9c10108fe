import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storycore.exports.checking import bag_text
from storycore.exports.checking.bag_text import Declaration
from storycore.exports.checking.verdict import Findings

V1, V97 = Declaration((1, 0), "utf-8"), Declaration((0, 97), "utf-8")


@pytest.mark.parametrize(
    ("text", "numbered"),
    [
        ("", []),
        ("a", [(1, "a")]),
        ("a\n", [(1, "a")]),
        ("a\r\nb\rc\n", [(1, "a"), (2, "b"), (3, "c")]),
        ("a\n\n", [(1, "a"), (2, "")]),
        ("a\x0bb\x0cc\x1cd\x85e\u2028f\n", [(1, "a\x0bb\x0cc\x1cd\x85e\u2028f")]),
    ],
)
def test_lines_end_with_lf_cr_or_crlf_and_nothing_else(text: str, numbered: list[tuple[int, str]]) -> None:
    assert list(bag_text.lines(text)) == numbered


@pytest.mark.parametrize(
    ("written", "meant", "meant_before"),
    [
        ("data/a", "data/a", "data/a"),
        ("data/%0A%0d", "data/\n\r", "data/\n\r"),
        ("data/100%25", "data/100%", "data/100%25"),
        ("data/%250A", "data/%0A", "data/%25" + "0A"),
        ("data/%7E%zz%", "data/%7E%zz%", "data/%7E%zz%"),
    ],
)
def test_escapes_are_undone_as_the_version_says(written: str, meant: str, meant_before: str) -> None:
    assert (bag_text.unescape(written, V1), bag_text.unescape(written, V97)) == (meant, meant_before)


@given(st.text())
def test_what_is_escaped_comes_back(path: str) -> None:
    written = path.replace("%", "%25").replace("\n", "%0A").replace("\r", "%0D")
    assert bag_text.unescape(written, V1) == path


@pytest.mark.parametrize("path", ["/a", "~a", "\\\\a", "a/../b", "a\\..\\b", "..", "C:a", "a\0"])
def test_paths_that_lead_out_are_known(path: str) -> None:
    assert bag_text.leads_out(path)


@pytest.mark.parametrize("path", ["data/a", "data/~a", "data/..a", "data/a..", "data/c:", "a\\b"])
def test_paths_that_stay_inside_are_known(path: str) -> None:
    assert not bag_text.leads_out(path)


@given(st.binary(max_size=200))
def test_any_declaration_is_read_or_refused(data: bytes) -> None:
    findings = Findings()
    assert (bag_text.read_declaration(data, findings) is not None) or findings.faults


def test_metadata_is_read_in_order_with_folded_values_joined() -> None:
    findings = Findings()
    text = "A: 1\r\nB: x\n  y\n\tz\nA: 2\n"
    assert bag_text.read_info("bag-info.txt", text, V1, findings) == [("A", "1"), ("B", "x y z"), ("A", "2")]
    assert (findings.faults, findings.warnings) == ((), ())


def test_a_value_folded_a_million_times_takes_no_time() -> None:
    started = time.process_time()
    [(_, value)] = bag_text.read_info("bag-info.txt", "A: 1\n" + " b\n" * 300_000, V1, Findings())
    assert len(value) == 600_001
    assert time.process_time() - started < 5
