"""Credentials in words; whatever a stranger writes into them, they are read without a fault."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storycore.metadata.evidence import COMPOSITE, GENERATED
from storycore.metadata.statement import Fault, State, understand, words_of

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from((
        "active_manifest", "manifests", "m", "ingredients", "assertions", "label", "data", "actions", "entries",
        "signature_info", "validation_results", "activeManifest", "failure", "code", "parameters", "url",
    )), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip

TOLD = {
    "active_manifest": "m",
    "validation_state": "Trusted",
    "manifests": {
        "m": {
            "title": "Film",
            "claim_generator_info": [{"name": "StoryCore", "version": "1"}],
            "signature_info": {"issuer": "O", "common_name": "Me", "cert_serial_number": "7"},
            "ingredients": [
                {"title": "a.png", "format": "image/png", "label": "c2pa.ingredient.v3", "description": "By ComfyUI"},
                {
                    "title": "b.png", "format": "image/png", "label": "c2pa.ingredient.v3__1", "active_manifest": "x",
                    "validation_results": {"activeManifest": {"failure": [{"code": "assertion.dataHash.mismatch"}]}},
                },
            ],
            "assertions": [
                {"label": "c2pa.actions.v2", "data": {"actions": [
                    {"action": "c2pa.created", "digitalSourceType": COMPOSITE},
                    {"action": "c2pa.placed", "digitalSourceType": GENERATED, "softwareAgent": {"name": "ComfyUI"},
                     "parameters": {"ingredients": [{"url": "self#jumbf=c2pa.assertions/c2pa.ingredient.v3"}]}},
                ]}},
                {"label": "cawg.training-mining", "data": {"entries": {"cawg.data_mining": {"use": "notAllowed"}}}},
            ],
        }
    },
}  # fmt: skip


def test_what_they_say_is_told() -> None:
    found = understand(TOLD, {"7"})
    assert (found.state, found.signer, found.is_own, found.generator) == (State.TRUSTED, "Me", True, "StoryCore 1")
    assert (found.claim, found.is_generated) == ("partly made with generative AI", True)
    assert [(it.title, it.source_type, it.software, it.state) for it in found.parts] == [
        ("a.png", GENERATED, "ComfyUI", None), ("b.png", "", "", State.INVALID),
    ]  # fmt: skip
    assert found.mining == {"data_mining": "notAllowed"}
    assert (found.faults, found.remarks) == ((), ())


def test_what_is_wrong_is_told_in_words() -> None:
    failure = [{"code": "signingCredential.untrusted"}, {"code": "assertion.bmffHash.mismatch"}, {"code": "odd.thing"}]
    told = {**TOLD, "validation_state": "Invalid", "validation_results": {"activeManifest": {"failure": failure}}}
    found = understand(told)
    assert found.faults == (
        Fault(code="assertion.bmffHash.mismatch", message="The file was changed after it was signed."),
        Fault(code="odd.thing", message="odd.thing"),
    )
    assert [it.code for it in found.remarks] == ["signingCredential.untrusted"]


@given(JSON)
def test_nothing_that_a_stranger_writes_breaks_it(told) -> None:
    wrapped = told if isinstance(told, dict) else {"manifests": told}
    found = understand({"active_manifest": "m", "manifests": {"m": wrapped}, **wrapped})
    assert found.state is State.INVALID, "nothing said that it holds"
    json.dumps(found.claim)


@pytest.mark.parametrize(("iri", "words"), [
    (GENERATED, "made with generative AI"), ("http://x/newThing", "newThing"), ("", ""), ("x/", "x"),
])  # fmt: skip
def test_types_are_told_in_words_or_by_their_name(iri: str, words: str) -> None:
    assert words_of(iri) == words
