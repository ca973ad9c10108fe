import ast
import inspect

from hypothesis import given
from hypothesis import strategies as st

from storycore.exports.checking import verdict
from storycore.exports.checking.verdict import MAX_FINDINGS, Finding, Findings, shown


def test_every_finding_says_what_it_means_and_whether_it_is_a_fault() -> None:
    (table,) = (
        node
        for node in ast.parse(inspect.getsource(verdict)).body
        if isinstance(node, ast.ClassDef) and node.name == "Finding"
    )
    docs = [node.value.value for node in table.body[1:] if isinstance(node, ast.Expr)]  # type: ignore[attr-defined]
    assert len(docs) == len(Finding)
    assert all(text.startswith(("Fault", "Warning", "Always")) for text in docs)


def test_findings_are_bounded_and_say_so() -> None:
    findings = Findings()
    for number in range(MAX_FINDINGS + 7):
        findings.warn(str(number), Finding.MEDIA_EMPTY, "It is empty.")
    assert (len(findings.warnings), findings.warnings[-1].message) == (
        MAX_FINDINGS + 1,
        "7 more warnings are not listed.",
    )
    assert findings.faults == ()


@given(st.text(alphabet=st.characters(), max_size=3000))
def test_text_of_strangers_is_valid_and_short(text: str) -> None:
    assert len(shown(text)) <= 1025
    assert shown(text).encode().decode() == shown(text)
