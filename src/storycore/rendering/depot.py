"""Finished segments that several machines share: in a folder that all of them see, or in an object store.

The cache of each machine stands in front. What lies in a depot is named by all that decides about its bytes, so it is
never changed; who needs room may remove any of it at any time.
"""

import secrets
import shutil
from pathlib import Path
from typing import Final

from typing_extensions import override

from storycore.errors import InvalidInput, Reason
from storycore.rendering.cache import Depot, SegmentCache
from storycore.settings import Settings
from storycore.storage.place import BadPlace, names_store, read_place

_NAME: Final = "name"


class FolderDepot(Depot):
    """A folder.

    Args:
        folder: absolute; made when it is first needed.
        most_bytes: to keep; the least recently used ones go first.
    """

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self._folder = folder
        self._kept = SegmentCache(folder, most_bytes)

    @property
    @override
    def name(self) -> str:
        return name_of(self._folder)

    @override
    def fetch(self, key: str, target: Path) -> bool:
        return self._kept.take(key, target)

    @override
    def send(self, key: str, path: Path) -> None:
        if self._kept.held(key) is None:
            part = self._kept.new(key)
            try:
                shutil.copyfile(path, part)
                self._kept.keep(key, part)
            finally:
                part.unlink(missing_ok=True)

    @override
    def forget(self, key: str) -> None:
        self._kept.forget(key)

    @override
    def tidy(self) -> None:
        self._kept.tidy()


def segment_cache(settings: Settings) -> SegmentCache:
    """The segments of this machine, and behind them those that it shares with others.

    Raises:
        InvalidInput: setting_invalid: `segment_store` is no place.
        DependencyFailed: store_unavailable, library_missing.
    """
    folder, most = settings.cache_folder / "segments", settings.segment_cache_bytes
    return SegmentCache(folder, most, depot_of(settings))


def depot_of(settings: Settings) -> Depot | None:
    """Where segments are shared; None if nowhere but in the cache folder.

    Raises:
        InvalidInput, DependencyFailed: see `segment_cache`.
    """
    text = settings.segment_store
    if not text:
        return None
    if not names_store(text):
        folder = Path(text).expanduser()
        if not folder.is_absolute():
            raise _unusable("names a folder by no absolute path")
        return FolderDepot(folder, settings.segment_cache_bytes)
    from storycore.rendering.bucket_depot import BucketDepot

    try:
        return BucketDepot(read_place(text))
    except BadPlace as fault:
        raise _unusable(str(fault)) from None


def shared_by(settings: Settings) -> str:
    """Tells the place where this process shares segments from any other; the same for all who share it.

    Raises:
        InvalidInput, DependencyFailed: see `segment_cache`.
        OSError: the folder can't be used.
    """
    depot = depot_of(settings)
    return depot.name if depot is not None else name_of(settings.cache_folder / "segments")


def name_of(folder: Path) -> str:
    """A name by chance that is kept in a folder; made if it is not there yet."""
    path = folder / _NAME
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / f"{_NAME}.{secrets.token_hex(6)}.part"
        part.write_text(secrets.token_hex(16), encoding="ascii")
        try:
            path.hardlink_to(part)
        except FileExistsError:  # another process was quicker
            part.unlink()
        except OSError:  # a file system without hard links
            part.replace(path)
        else:
            part.unlink()
    return path.read_text(encoding="ascii")


def _unusable(why: str) -> InvalidInput:
    return InvalidInput(
        f"segment_store: it {why}.",
        reason=Reason.SETTING_INVALID,
        remediation="Name a folder that every machine sees, or a place like s3://bucket/segments without keys in it.",
    )
