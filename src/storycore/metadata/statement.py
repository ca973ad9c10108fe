"""What content credentials say, in words: who signed, what is claimed, what it is made of, what is wrong. Pure.

Everything in them is a stranger's text, and any part of it may be missing or of another form.

Source: C2PA Technical Specification 2.2, "Validation status codes"; IPTC NewsCodes, Digital Source Type.
"""

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

_MOST_PARTS: Final = 1000
_LONGEST: Final = 500


class State(StrEnum):
    """How credentials count."""

    TRUSTED = "trusted"
    """Nothing was changed, and whoever signed is trusted here."""
    VALID = "valid"
    """Nothing was changed, but nobody who is trusted here vouches for the signer."""
    INVALID = "invalid"
    """Something was changed, or the credentials do not hold."""


TYPES: Final[Mapping[str, str]] = {
    "trainedAlgorithmicMedia": "made with generative AI",
    "compositeWithTrainedAlgorithmicMedia": "partly made with generative AI",
    "compositeSynthetic": "partly synthetic",
    "composite": "put together of several parts",
    "compositeCapture": "put together of recordings",
    "algorithmicMedia": "made by a program",
    "algorithmicallyEnhanced": "recorded, and enhanced by a program",
    "digitalCapture": "recorded with a digital device",
    "computationalCapture": "recorded with a digital device that computes",
    "digitalCreation": "made by people on a computer",
    "humanEdits": "edited by people",
    "negativeFilm": "digitised from negative film",
    "positiveFilm": "digitised from positive film",
    "print": "digitised from a print",
    "screenCapture": "recorded from a screen",
    "virtualRecording": "recorded in a virtual world",
    "dataDrivenMedia": "made of data by a program",
    "empty": "put together, without a word on how its parts were made",
}
"""Last part of the IRI of a digital source type → what it means."""

_CHANGED: Final = "The file was changed after it was signed."
_FORGED: Final = "The credentials were changed after they were signed."
_FAULTS: Final[Mapping[str, str]] = {
    "assertion.dataHash.mismatch": _CHANGED,
    "assertion.bmffHash.mismatch": _CHANGED,
    "assertion.boxesHash.mismatch": _CHANGED,
    "assertion.collectionHash.mismatch": _CHANGED,
    "assertion.dataHash.malformed": _CHANGED,
    "assertion.bmffHash.malformed": _CHANGED,
    "assertion.hashedURI.mismatch": _FORGED,
    "assertion.missing": _FORGED,
    "claimSignature.mismatch": _FORGED,
    "claimSignature.missing": _FORGED,
    "claim.malformed": _FORGED,
    "claim.cbor.invalid": _FORGED,
    "signingCredential.untrusted": "Nobody that is trusted here vouches for the signer.",
    "signingCredential.expired": "The certificate of the signer has run out.",
    "signingCredential.revoked": "The certificate of the signer was revoked.",
    "signingCredential.invalid": "The certificate of the signer is not acceptable.",
    "claimSignature.outsideValidity": "The certificate of the signer was not valid at that time.",
}
"""Status code → what it means."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One thing that a file is made of.

    Attributes:
        title: may be empty.
        media_type: may be empty.
        words: how it came to be, may be empty.
        source_type: IRI of its digital source type, may be empty.
        software: that made it, may be empty.
        state: of its own credentials; None if it has none.
    """

    title: str
    media_type: str
    words: str
    source_type: str
    software: str
    state: State | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is wrong.

    Attributes:
        code: C2PA's word for it.
        message: for people.
    """

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What the credentials of one file say.

    Attributes:
        state: how they count here.
        manifest: label of the manifest that stands for the file.
        title: of the file, may be empty.
        generator: the program that wrote it, may be empty.
        signer: name in the certificate, may be empty.
        serial: number of the certificate, may be empty.
        is_own: whether it was signed here.
        signed_at: instant that somebody else vouches for, "" if nobody does.
        source_type: IRI of the digital source type of the whole, may be empty.
        parts: what it is made of.
        mining: what is said of training and data mining: use → allowed, notAllowed, constrained.
        faults: what is wrong; empty unless invalid.
        remarks: what is odd.
    """

    state: State
    manifest: str
    title: str
    generator: str
    signer: str
    serial: str
    is_own: bool
    signed_at: str
    source_type: str
    parts: tuple[Part, ...]
    mining: Mapping[str, str]
    faults: tuple[Fault, ...]
    remarks: tuple[Fault, ...]

    @property
    def claim(self) -> str:
        """What is said of the whole, in words; "" if nothing is."""
        return words_of(self.source_type)

    @property
    def is_generated(self) -> bool:
        """Whether the whole is said to be made, or partly made, with generative AI."""
        return self.source_type.endswith(("/trainedAlgorithmicMedia", "/compositeWithTrainedAlgorithmicMedia"))


def words_of(source_type: str) -> str:
    """A digital source type in words; its own name if it is not known, "" if there is none."""
    name = source_type.rstrip("/").rsplit("/", maxsplit=1)[-1]
    return TYPES.get(name, name)


def understand(told: Mapping[str, Any], own: AbstractSet[str] = frozenset()) -> Statement:
    """What a reader of credentials tells.

    Args:
        told: its JSON.
        own: serial numbers of the certificates that sign here.
    """
    label = _text(told.get("active_manifest"))
    active = _map(_map(told.get("manifests")).get(label))
    signature = _map(active.get("signature_info"))
    state = _state(told.get("validation_state"))
    actions = list(_actions(active))
    codes = _failures(_map(told.get("validation_results")).get("activeManifest"))
    untrusted = [fault for fault in codes if fault.code == "signingCredential.untrusted"]
    faults = [fault for fault in codes if fault.code != "signingCredential.untrusted"]
    serial = _text(signature.get("cert_serial_number"))
    return Statement(
        state=state,
        manifest=label,
        title=_text(active.get("title")),
        generator=_generator(active),
        signer=_text(signature.get("common_name")) or _text(signature.get("issuer")),
        serial=serial,
        is_own=bool(serial) and serial in own,
        signed_at=_text(signature.get("time")),
        source_type=next((_text(it.get("digitalSourceType")) for it in actions if _is_made(it)), ""),
        parts=tuple(_parts(active, actions)),
        mining=_mining(active),
        faults=tuple(faults) if state is State.INVALID else (),
        remarks=tuple(untrusted if state is State.INVALID else (*untrusted, *faults)),
    )


def _is_made(action: Mapping[str, Any]) -> bool:
    return action.get("action") in ("c2pa.created", "c2pa.opened") and bool(action.get("digitalSourceType"))


def _parts(active: Mapping[str, Any], actions: Iterable[Mapping[str, Any]]) -> Iterator[Part]:
    of_url = {url: action for action in actions for url in _urls(action)}
    listed = active.get("ingredients")
    for item in listed[:_MOST_PARTS] if isinstance(listed, list) else ():
        told = _map(item)
        action = of_url.get(_text(told.get("label")), {})
        results = _map(told.get("validation_results"))
        yield Part(
            title=_text(told.get("title")),
            media_type=_text(told.get("format")),
            words=_text(told.get("description")),
            source_type=_text(action.get("digitalSourceType")),
            software=_software(action),
            state=_part_state(results) if told.get("active_manifest") else None,
        )


def _part_state(results: Mapping[str, Any]) -> State:
    """As it was found when it was put in."""
    active = results.get("activeManifest")
    codes = [fault.code for fault in _failures(active)]
    if not codes:
        trusted = "signingCredential.trusted" in _codes(_map(active).get("success"))
        return State.TRUSTED if trusted else State.VALID
    return State.VALID if set(codes) == {"signingCredential.untrusted"} else State.INVALID


def _urls(action: Mapping[str, Any]) -> Iterator[str]:
    listed = _map(action.get("parameters")).get("ingredients")
    for item in listed if isinstance(listed, list) else ():
        yield _text(_map(item).get("url")).rsplit("/", maxsplit=1)[-1]


def _actions(active: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for assertion in _assertions(active, "c2pa.actions"):
        listed = assertion.get("actions")
        yield from map(_map, listed if isinstance(listed, list) else ())


def _mining(active: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in ("cawg.training-mining", "c2pa.training-mining"):
        for assertion in _assertions(active, name):
            for use, told in _map(assertion.get("entries")).items():
                found[_text(use).rsplit(".", maxsplit=1)[-1]] = _text(_map(told).get("use"))
    return found


def _assertions(active: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any]]:
    listed = active.get("assertions")
    for item in listed if isinstance(listed, list) else ():
        told = _map(item)
        if _text(told.get("label")).startswith(name):
            yield _map(told.get("data"))


def _generator(active: Mapping[str, Any]) -> str:
    listed = active.get("claim_generator_info")
    first = _map(listed[0]) if isinstance(listed, list) and listed else {}
    return " ".join(filter(None, (_text(first.get("name")), _text(first.get("version")))))


def _software(action: Mapping[str, Any]) -> str:
    told = action.get("softwareAgent")
    if isinstance(told, str):
        return _text(told)
    return " ".join(filter(None, (_text(_map(told).get("name")), _text(_map(told).get("version")))))


def _failures(results: Any) -> list[Fault]:
    listed = _map(results).get("failure")
    found = []
    for item in listed if isinstance(listed, list) else ():
        told = _map(item)
        code = _text(told.get("code"))
        found.append(Fault(code=code, message=_FAULTS.get(code, _text(told.get("explanation")) or code)))
    return list(dict.fromkeys(found))


def _codes(listed: Any) -> set[str]:
    return {_text(_map(item).get("code")) for item in (listed if isinstance(listed, list) else ())}


def _state(value: Any) -> State:
    return {"Trusted": State.TRUSTED, "Valid": State.VALID}.get(str(value), State.INVALID)


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str:
    return value[:_LONGEST] if isinstance(value, str) else ""
