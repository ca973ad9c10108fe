"""Finished segments that several machines share in an object store."""

import shutil
from pathlib import Path
from typing import Final

from typing_extensions import override

from storycore.errors import Conflict, Reason
from storycore.rendering.cache import Depot
from storycore.storage.objects import Bucket
from storycore.storage.place import StorePlace
from storycore.storage.stored_file import open_stored
from storycore.storage.upload import new_object
from storycore.units import MEBIBYTE

_BLOCK_BYTES: Final = 4 * MEBIBYTE


class BucketDepot(Depot):
    """A place in an object store.

    Args:
        place: of all segments.
    """

    def __init__(self, place: StorePlace) -> None:
        self._place = place
        self._bucket = Bucket(place)

    @property
    @override
    def name(self) -> str:
        return f"{self._bucket.name} {self._place.key}"

    @override
    def fetch(self, key: str, target: Path) -> bool:
        place = self._of(key)
        if self._bucket.facts(place.key) is None:
            return False
        with open_stored(self._bucket, place.key, place.name) as stored, target.open("wb") as file:
            shutil.copyfileobj(stored, file, _BLOCK_BYTES)
        return True

    @override
    def send(self, key: str, path: Path) -> None:
        try:
            with (
                path.open("rb") as file,
                new_object(self._of(key), size_bytes=path.stat().st_size, media_type="video/mp4") as target,
            ):
                while block := file.read(_BLOCK_BYTES):
                    target.write(block)
        except Conflict as fault:
            if fault.reason is not Reason.OUTPUT_EXISTS:  # else another machine was quicker, with the same bytes
                raise

    @override
    def forget(self, key: str) -> None:
        self._bucket.remove(self._of(key).key)

    @override
    def tidy(self) -> None:
        """A bucket has rules of its own for what is old."""

    def _of(self, key: str) -> StorePlace:
        return self._place / key[:2] / f"{key}.segment"
