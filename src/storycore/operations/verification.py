"""storycore.export.verify: whether a package is whole, what vouches for a file, and exactly what is wrong if not."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeGuard

from pydantic import Field
from typing_extensions import override

from storycore.app import App
from storycore.errors import InvalidInput, Reason
from storycore.observe.progress import Progress
from storycore.operations.request import PathText, Request, Result, Spelling, StoredPathText
from storycore.operations.stored import VOUCHED, readable_place
from storycore.storage.place import StorePlace

if TYPE_CHECKING:
    from storycore.exports.vouching import Vouched


class VerifyFault(Result):
    """One thing that is wrong with a package, or with credentials."""

    path: str = Field(description="Name inside the package, empty for the whole.")
    reason: str = Field(description="Stable word: checksum_mismatch, file_missing, unsafe_name, …; or C2PA's.")
    message: str = Field(description="For people.")


class CredentialsPart(Result):
    """One thing that a file is said to be made of."""

    title: str = Field(description="As it is called.")
    media_type: str = Field(description="IANA media type.")
    digital_source_type: str = Field(description="IRI that says how it was made; empty if nothing does.")
    software: str = Field(description="What made it; empty if that is not said.")
    words: str = Field(description="How it came to be, for people.")
    state: Literal["trusted", "valid", "invalid"] | None = Field(
        description="Of its own credentials, as they were found when it was used; null if it had none."
    )


class Credentials(Result):
    """What the content credentials of a file say. All of it is the signer's word."""

    state: Literal["trusted", "valid", "invalid"] = Field(
        description="trusted: here, which says nothing of others; valid: unchanged, but signed by nobody who is "
        "trusted here; invalid."
    )
    place: Literal["embedded", "sidecar"] = Field(description="In the file, or beside it.")
    beside: str | None = Field(description="Absolute path of the file beside it.")
    manifest: str = Field(description="Label of the manifest that stands for the file.")
    title: str = Field(description="Of the file.")
    generator: str = Field(description="Program that wrote it.")
    signer: str = Field(description="Name in the certificate.")
    signed_here: bool = Field(description="Whether this installation signed it.")
    self_made: bool = Field(
        description="Whether it did so with the certificate that it made for itself, which is on no list of others."
    )
    signed_at: str = Field(description="Instant that somebody else vouches for; empty if nobody does.")
    digital_source_type: str = Field(description="IRI that says how the whole was made; empty if nothing does.")
    claim: str = Field(description="The same in words.")
    generated: bool = Field(description="Whether it is said to be made, or partly made, with generative AI.")
    training_mining: dict[str, str] = Field(description="What is allowed: use → allowed, notAllowed or constrained.")
    ingredients: list[CredentialsPart] = Field(description="What it is made of.")


class VerifyResult(Result):
    """Whether a package is whole or a file as it was signed, and exactly what is wrong if not."""

    valid: bool = Field(description="Whether everything holds.")
    path: str = Field(description="Absolute path of what was checked, or its URL in an object store.")
    kind: Literal["zip", "folder", "file"] = Field(description="What it is.")
    checksum: str = Field(description="sha256: and 64 hex digits of the ZIP; empty for all else.")
    files_checked: int = Field(description="How many files were read and compared.")
    bytes_checked: int = Field(description="Their size, unpacked.")
    algorithms: list[str] = Field(default=[], description="Checksums that were compared: sha256, sha512, md5, ….")
    faults: list[VerifyFault] = Field(description="Everything that is wrong.")
    warnings: list[VerifyFault] = Field(description="Odd but not wrong, media that can't be read for instance.")
    credentials: Credentials | None = Field(
        default=None, description="What vouches for the file; null if nothing does, or nothing was looked for."
    )
    unpacked_to: str | None = Field(description="Folder that it was unpacked to, if asked for and valid.")
    verify_time_ms: float = Field(description="How long it took.")

    @property
    @override
    def verdict(self) -> bool:
        """Whether it is valid."""
        return self.valid


class VerifyRequest(Request[VerifyResult]):
    """Check a package down to the last byte, or the content credentials of a file."""

    package_path: Annotated[StoredPathText, Spelling()] = Field(
        description="A ZIP, here or in a listed object store (s3://bucket/…), or the folder that one was unpacked to; "
        "or a film, a sound, a picture, here."
    )
    unpack_to: PathText | None = Field(default=None, description="New folder to unpack it to, if it is valid.")


def check_package(app: App, request: VerifyRequest) -> None:
    """Refuses what can be refused before any work.

    Raises:
        InvalidInput, AccessDenied, NotFound: the paths are not acceptable, or nothing stands there.
        InvalidInput: path_invalid: a film, a sound or a picture in a store.
        Conflict: output_exists.
    """
    _place(app, request.package_path)
    if request.unpack_to is not None:
        app.places.new_folder(request.unpack_to)


def verify(app: App, request: VerifyRequest, progress: Progress) -> VerifyResult:
    """Checks a package, and unpacks it if that is asked for and it is valid; or reads what vouches for a file.

    Raises:
        NotFound, AccessDenied, InvalidInput: the paths are not acceptable.
        Conflict: output_exists: something stands where it should be unpacked to; source_changed; cancelled.
    """
    from storycore.exports.unpack import unpack
    from storycore.exports.verify import verify_package
    from storycore.exports.vouching import can_vouch, is_package, vouch

    started = time.monotonic()
    path = _place(app, request.package_path)
    target = None if request.unpack_to is None else app.places.new_folder(request.unpack_to)
    if target is None and _is_file(path) and can_vouch(path) and not is_package(path):
        return _of_file(path, vouch(path, app.settings, progress), started, progress)
    if target is None:
        verdict = verify_package(path, settings=app.settings, progress=progress)
    else:
        verdict = unpack(path, target, settings=app.settings, progress=progress)
    vouched = vouch(path, app.settings, progress) if _is_file(path) and can_vouch(path) else None
    progress.finish()
    return VerifyResult(
        valid=verdict.valid,
        path=str(path),
        kind=verdict.kind,
        checksum=verdict.checksum,
        files_checked=verdict.files_checked,
        bytes_checked=verdict.bytes_checked,
        algorithms=list(verdict.algorithms),
        faults=[VerifyFault(path=it.path, reason=it.reason.value, message=it.message) for it in verdict.faults],
        warnings=[
            *(VerifyFault(path=it.path, reason=it.reason.value, message=it.message) for it in verdict.warnings),
            *([] if vouched is None else _remarks(vouched)),
        ],
        credentials=None if vouched is None else _credentials(vouched),
        unpacked_to=str(target) if target is not None and verdict.valid else None,
        verify_time_ms=round((time.monotonic() - started) * 1000, 3),
    )


def _place(app: App, text: str) -> Path | StorePlace:
    """Where something stands that can be checked there."""
    from storycore.project.media_types import expected

    place = readable_place(app, text)
    if isinstance(place, StorePlace) and expected(place.key).startswith(VOUCHED):
        raise InvalidInput(
            "In a store only packages are checked; what vouches for a film, a sound or a picture is read here.",
            reason=Reason.PATH_INVALID,
            remediation="Fetch the file, `storycore artifact download` does so, and verify it on this machine.",
            details={"pointer": "/package_path"},
        )
    return place


def _is_file(path: Path | StorePlace) -> "TypeGuard[Path]":
    """Whether it is a file of this machine: what vouches for others is not read in a store."""
    return isinstance(path, Path) and path.is_file()


_NONE = VerifyFault(path="", reason="no_credentials", message="It has no content credentials, in it or beside it.")


def _of_file(path: Path, found: "Vouched", started: float, progress: Progress) -> VerifyResult:
    """What vouches for a file, as a result."""
    progress.finish()
    said = found.statement
    faults, warnings = [], []
    if found.unreadable:
        faults = [VerifyFault(path="", reason="credentials_unreadable", message=found.unreadable)]
    elif said is None:
        faults = [_NONE]
    else:
        faults = [VerifyFault(path="", reason=it.code, message=it.message) for it in said.faults]
        warnings = [VerifyFault(path="", reason=it.code, message=it.message) for it in said.remarks]
    return VerifyResult(
        valid=not faults and said is not None and said.state != "invalid",
        path=str(path),
        kind="file",
        checksum="",
        files_checked=1,
        bytes_checked=found.size_bytes,
        faults=faults,
        warnings=warnings,
        credentials=_credentials(found),
        unpacked_to=None,
        verify_time_ms=round((time.monotonic() - started) * 1000, 3),
    )


def _remarks(found: "Vouched") -> list[VerifyFault]:
    """What is wrong with credentials beside a package, whose verdict stands without them."""
    if found.statement is None:
        return [VerifyFault(path="", reason="credentials_unreadable", message=found.unreadable or _NONE.message)]
    return [VerifyFault(path="", reason=it.code, message=it.message) for it in found.statement.faults]


def _credentials(found: "Vouched") -> Credentials | None:
    said = found.statement
    if said is None:
        return None
    return Credentials(
        state=said.state.value,
        place="embedded" if found.beside is None else "sidecar",
        beside=None if found.beside is None else str(found.beside),
        manifest=said.manifest,
        title=said.title,
        generator=said.generator,
        signer=said.signer,
        signed_here=said.is_own,
        self_made=found.is_self_made,
        signed_at=said.signed_at,
        digital_source_type=said.source_type,
        claim=said.claim,
        generated=said.is_generated,
        training_mining=dict(said.mining),
        ingredients=[
            CredentialsPart(
                title=part.title,
                media_type=part.media_type,
                digital_source_type=part.source_type,
                software=part.software,
                words=part.words,
                state=None if part.state is None else part.state.value,
            )
            for part in said.parts
        ],
    )
