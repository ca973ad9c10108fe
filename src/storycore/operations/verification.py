"""storycore.export.verify: whether a package is whole, and exactly what is wrong if not."""

import time
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import override

from storycore.app import App
from storycore.observe.progress import Progress
from storycore.operations.request import PathText, Request, Result, Spelling


class VerifyFault(Result):
    """One thing that is wrong with a package."""

    path: str = Field(description="Name inside the package, empty for the whole.")
    reason: str = Field(description="Stable word: checksum_mismatch, file_missing, unsafe_name, ….")
    message: str = Field(description="For people.")


class VerifyResult(Result):
    """Whether a package is whole, and exactly what is wrong if not."""

    valid: bool = Field(description="Whether everything holds.")
    path: str = Field(description="Absolute path of what was checked.")
    kind: Literal["zip", "folder"] = Field(description="What it is.")
    checksum: str = Field(description="sha256: and 64 hex digits of the ZIP; empty for a folder.")
    files_checked: int = Field(description="How many files were read and compared.")
    bytes_checked: int = Field(description="Their size, unpacked.")
    algorithms: list[str] = Field(default=[], description="Checksums that were compared: sha256, sha512, md5, ….")
    faults: list[VerifyFault] = Field(description="Everything that is wrong.")
    warnings: list[VerifyFault] = Field(description="Odd but not wrong, media that can't be read for instance.")
    unpacked_to: str | None = Field(description="Folder that it was unpacked to, if asked for and valid.")
    verify_time_ms: float = Field(description="How long it took.")

    @property
    @override
    def verdict(self) -> bool:
        """Whether the package is valid."""
        return self.valid


class VerifyRequest(Request[VerifyResult]):
    """Check a package down to the last byte."""

    package_path: Annotated[PathText, Spelling()] = Field(description="A ZIP, or the folder that one was unpacked to.")
    unpack_to: PathText | None = Field(default=None, description="New folder to unpack it to, if it is valid.")


def check_package(app: App, request: VerifyRequest) -> None:
    """Refuses what can be refused before any work.

    Raises:
        InvalidInput, AccessDenied, NotFound: the paths are not acceptable, or nothing stands there.
        Conflict: output_exists.
    """
    app.places.file(request.package_path)
    if request.unpack_to is not None:
        app.places.new_folder(request.unpack_to)


def verify(app: App, request: VerifyRequest, progress: Progress) -> VerifyResult:
    """Checks a package, and unpacks it if that is asked for and it is valid.

    Raises:
        NotFound, AccessDenied, InvalidInput: the paths are not acceptable.
        Conflict: output_exists: something stands where it should be unpacked to; source_changed; cancelled.
    """
    from storycore.exports.unpack import unpack
    from storycore.exports.verify import verify_package

    started = time.monotonic()
    path = app.places.file(request.package_path)
    target = None if request.unpack_to is None else app.places.new_folder(request.unpack_to)
    if target is None:
        verdict = verify_package(path, settings=app.settings, progress=progress)
    else:
        verdict = unpack(path, target, settings=app.settings, progress=progress)
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
        warnings=[VerifyFault(path=it.path, reason=it.reason.value, message=it.message) for it in verdict.warnings],
        unpacked_to=str(target) if target is not None and verdict.valid else None,
        verify_time_ms=round((time.monotonic() - started) * 1000, 3),
    )
