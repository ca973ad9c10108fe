"""Content credentials (C2PA): files signed, and signed files read. The only door to c2pa-python.

The library is loaded when something is signed or read, and is never let out to a network: no time stamps, no remote
manifests, no revocation lists.

Source: C2PA Technical Specification 2.2; CAWG Training and Data Mining Assertion 1.1.
"""

import contextlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from storycore.errors import DependencyFailed, InvalidInput, Reason
from storycore.metadata.evidence import GENERATED
from storycore.metadata.origins import Asset

if TYPE_CHECKING:
    import c2pa

    from storycore.metadata.signing_key import Identity

EMBEDDED: Final[Mapping[str, str]] = {
    "video/mp4": "mp4", "video/quicktime": "mov", "video/x-msvideo": "avi", "audio/mp4": "m4a", "audio/wav": "wav",
    "audio/mpeg": "mp3", "audio/flac": "flac", "image/gif": "gif", "image/png": "png", "image/jpeg": "jpg",
    "image/webp": "webp",
}  # fmt: skip
"""Media type → the library's name of it, where credentials stand in the file itself."""

_READ: Final = {
    **EMBEDDED, "application/pdf": "pdf", "image/avif": "avif", "image/heic": "heic", "image/tiff": "tiff",
}  # fmt: skip

Told = dict[str, Any]

SUFFIX: Final = ".c2pa"
_ANY: Final = "application/octet-stream"
_EMPTY: Final = "http://c2pa.org/digitalsourcetype/empty"
_MINING: Final = ("cawg.ai_generative_training", "cawg.ai_training", "cawg.ai_inference", "cawg.data_mining")
_USES: Final = {"allowed": "allowed", "not_allowed": "notAllowed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What is said of a file.

    Attributes:
        title: of the film; a stranger's text, made harmless.
        version: of StoryCore.
        source_type: IPTC digital source type of the whole, "" for no claim.
        assets: what it is made of, as far as it is generated or marked.
        mining: unsaid, allowed or not_allowed.
    """

    title: str
    version: str
    source_type: str
    assets: Sequence[Asset]
    mining: str


def is_there() -> bool:
    """Whether the library that signs and reads can be used."""
    try:
        _library()
    except DependencyFailed:
        return False
    return True


def embed(claim: Claim, identity: "Identity", media_type: str, source: BinaryIO, target: BinaryIO) -> None:
    """Writes a copy of a file with credentials in it.

    Args:
        claim: what is said.
        identity: who says it.
        media_type: one of `EMBEDDED`.
        source: open for reading.
        target: open, empty, for reading and writing.

    Raises:
        DependencyFailed: signing_failed; library_missing.
        OSError: the copy can't be written.
    """
    _sign(claim, identity, EMBEDDED[media_type], source, target, apart=False)


def detach(claim: Claim, identity: "Identity", source: BinaryIO, nowhere: BinaryIO) -> bytes:
    """Credentials for a file of any kind, to be kept beside it.

    Args:
        claim: what is said.
        identity: who says it.
        source: open for reading.
        nowhere: open for reading and writing; the library writes a copy there.

    Raises:
        DependencyFailed: signing_failed; library_missing.
    """
    return _sign(claim, identity, _ANY, source, nowhere, apart=True)


def try_out(identity: "Identity") -> None:
    """Signs a few bytes that nobody gets: whether a certificate is one that C2PA takes, only its library knows.

    Raises:
        InvalidInput: setting_invalid: it is not; says why.
        DependencyFailed: library_missing.
    """
    claim = Claim(title="", version="0", source_type="", assets=(), mining="unsaid")
    try:
        detach(claim, identity, io.BytesIO(b"."), io.BytesIO())
    except DependencyFailed as fault:
        if fault.reason is not Reason.SIGNING_FAILED:
            raise
        why = fault.message.partition(": ")[2]
        raise InvalidInput(
            f"signing_certificate is none that content credentials can be signed with: {why}",
            reason=Reason.SETTING_INVALID,
            remediation="Take a certificate that an authority issued for signing, with its chain; docs/marks.md.",
        ) from None


def read(media_type: str, file: BinaryIO, anchors: bytes, *, manifest: bytes | None = None) -> dict[str, Any] | None:
    """What the credentials of a file say, as the library tells it; None if there are none.

    Args:
        media_type: of the file.
        file: open for reading.
        anchors: certificates in PEM that are trusted.
        manifest: credentials that were kept beside it.

    Raises:
        Unreadable: the file, or its credentials, are none that can be read.
        DependencyFailed: library_missing.
    """
    library = _library()
    if manifest is None and media_type not in _READ:
        return None
    kind = _READ[media_type] if manifest is None else _ANY
    try:
        with _context(library, anchors) as context:
            if manifest is None:
                reader = library.Reader(kind, file, context=context)
            else:
                reader = library.Reader(kind, file, manifest_data=manifest, context=context)
            with reader:
                told: dict[str, Any] = json.loads(reader.json())
                return told
    except library.C2paError.ManifestNotFound:
        return None
    except library.C2paError as fault:
        raise Unreadable(str(fault)) from None


class Unreadable(Exception):  # noqa: N818 - named by what it says
    """There are credentials, or something in their place, that can't be read; the message is the library's."""


def version() -> str:
    """Version of the library, to be told with what it measured."""
    return f"c2pa {_library().sdk_version()}"


def _sign(  # noqa: PLR0913 - what, who, of which kind, from where to where, and how
    claim: Claim, identity: "Identity", kind: str, source: BinaryIO, target: BinaryIO, *, apart: bool
) -> bytes:
    library = _library()
    written = _Written(target)
    source.seek(0)
    try:
        signer_info = library.C2paSignerInfo(identity.algorithm.encode(), identity.chain, identity.key, None)
        with _context(library, b"") as context, library.Signer.from_info(signer_info) as signer:
            carried, plain = _ingredients(library, context, claim.assets)
            builder = library.Builder.from_json(json.dumps(_manifest(claim, plain)), context=context)
            with builder, contextlib.ExitStack() as stack:
                for told, asset in carried:
                    file = stack.enter_context(asset.path.open("rb"))
                    builder.add_ingredient(json.dumps(told), EMBEDDED[asset.media_type], file)
                if apart:
                    builder.set_no_embed()
                made = builder.sign(signer, kind, source, written)
                return bytes(made)
    except library.C2paError as fault:
        if written.fault is not None:
            raise written.fault from None
        raise DependencyFailed(
            f"The file could not be signed: {str(fault)[:200]}", reason=Reason.SIGNING_FAILED
        ) from None


class _Written:
    """A file that the library writes; remembers why that failed, which the library does not tell."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.fault: OSError | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def write(self, data: bytes) -> int:
        """As the file does it."""
        try:
            return self._file.write(data)
        except OSError as fault:
            self.fault = fault
            raise

    def flush(self) -> None:
        """As the file does it."""
        try:
            self._file.flush()
        except OSError as fault:
            self.fault = fault
            raise


def _ingredients(
    library: Any, context: "c2pa.Context", assets: Sequence[Asset]
) -> tuple[list[tuple[Told, Asset]], list[Told]]:
    """The assets that bring credentials of their own, which are carried on, and those that are only named."""
    carried, plain = [], []
    for number, asset in enumerate(assets):
        told = _told(asset, number)
        if asset.evidence.has_credentials and asset.media_type in EMBEDDED and _opens(library, context, asset):
            carried.append((told, asset))
        else:
            plain.append(told)
    return carried, plain


def _opens(library: Any, context: "c2pa.Context", asset: Asset) -> bool:
    """Whether the library finds credentials in an asset, be they good or not."""
    try:
        with asset.path.open("rb") as file, library.Reader(EMBEDDED[asset.media_type], file, context=context):
            return True
    except (OSError, library.C2paError):
        return False


def _told(asset: Asset, number: int) -> Told:
    told = {
        "title": asset.title,
        "relationship": "componentOf",
        "instance_id": f"storycore:asset:{number}",
        "format": asset.media_type,
    }
    if words := _words(asset):
        told["description"] = words
    return told


def _words(asset: Asset) -> str:
    software = " ".join(filter(None, (asset.evidence.software, asset.evidence.version)))
    by = " with ".join(filter(None, (software, ", ".join(asset.models))))
    if not asset.is_generated:
        return ""
    return f"Made with generative AI: {by}" if by else "Made with generative AI"


def _manifest(claim: Claim, plain: Sequence[Told]) -> Told:
    assertions: list[Told] = [
        {"label": "c2pa.actions.v2", "data": {"actions": [_made(claim), *map(_placed, enumerate(claim.assets))]}}
    ]
    if claim.mining in _USES:
        entries = {name: {"use": _USES[claim.mining]} for name in _MINING}
        assertions.append({"label": "cawg.training-mining", "data": {"entries": entries}})
    return {
        "claim_generator_info": [{"name": "StoryCore", "version": claim.version}],
        "title": claim.title,
        "ingredients": list(plain),
        "assertions": assertions,
    }


def _made(claim: Claim) -> Told:
    """How the whole came to be; where nothing is claimed, it began as an empty canvas that things were placed on."""
    return {
        "action": "c2pa.created",
        "digitalSourceType": claim.source_type or _EMPTY,
        "softwareAgent": {"name": "StoryCore", "version": claim.version},
    }


def _placed(item: tuple[int, Asset]) -> Told:
    number, asset = item
    action: Told = {
        "action": "c2pa.placed",
        "parameters": {"ingredientIds": [f"storycore:asset:{number}"]},
    }
    kind = asset.evidence.source_type or (GENERATED if asset.is_generated else "")
    if kind:
        action["digitalSourceType"] = kind
    if asset.evidence.software:
        action["softwareAgent"] = {"name": asset.evidence.software} | (
            {"version": asset.evidence.version} if asset.evidence.version else {}
        )
    elif asset.is_generated and asset.models:
        action["softwareAgent"] = {"name": asset.models[0]}
    if words := _words(asset):
        action["description"] = words
    return action


@contextlib.contextmanager
def _context(library: Any, anchors: bytes) -> Iterator["c2pa.Context"]:
    """What the library may do: no thumbnails, which would add a picture to each file, and no calls to anybody."""
    settings = library.Settings.from_dict(
        {
            "builder": {"thumbnail": {"enabled": False}},
            "verify": {"verify_trust": True, "remote_manifest_fetch": False, "ocsp_fetch": False},
            "trust": {"user_anchors": anchors.decode("ascii")} if anchors else {},
        }
    )
    with settings, library.Context(settings) as context:
        yield context


def _library() -> Any:
    try:
        import c2pa as library
    except (ImportError, OSError, RuntimeError):  # the last two: its native part is missing or of another machine
        raise DependencyFailed(
            "Content credentials need c2pa-python, which is not there: pip install c2pa-python.",
            reason=Reason.LIBRARY_MISSING,
        ) from None
    return library
