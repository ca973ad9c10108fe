"""Panels: the pictures that the pipeline draws together in a grid, cuts out, promotes and refines."""

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from storycore.project.draft import Piece
from storycore.project.lookup import MediaLookup
from storycore.project.model import Media, MediaKind

_NUMBER = re.compile(r"panel_0*(\d{1,9})(?!\d)", re.IGNORECASE)
_GRID = re.compile(r"(\d{1,3})\s*[xX×]\s*(\d{1,3})")
_STEPS = (("refined_panels", "refined"), ("promoted_panels", "promoted"), ("panels", "panel"))
_FOLDERS = {"refined": "assets/images/refined", "promoted": "assets/images/promoted", "panel": "assets/images/panels"}
_GRIDS = "assets/images/grids"


class Panels:
    """Which panel belongs to which shot, and which files show it."""

    def __init__(self, lookup: MediaLookup, manifest: Piece) -> None:
        self._lookup = lookup
        self._manifest = manifest
        self._shots = _shots_by_panel(manifest.raw.get("panel_to_shot_map"))
        self._panels = {shot: number for number, shot in self._shots.items()}
        self._files = {source: self._listed(key, source) for key, source in _STEPS}
        self._grid = self._find_grid()

    def image(self, shot_id: str, number: int) -> Media | None:
        """The best picture of a shot's panel: refined, promoted, as generated, or its cell of the grid."""
        panel = self._panels.get(shot_id)
        if panel is None:
            if self._shots.get(number, shot_id) != shot_id:
                return None  # the panel of this number belongs to another shot
            panel = number
        for _, source in _STEPS:
            for path, pointer in self._files[source].get(panel, ()):
                if media := self._lookup.at(path, MediaKind.IMAGE, source, self._manifest.file, pointer):
                    return media
        return self._cell(panel)

    def _listed(self, key: str, source: str) -> dict[int, list[tuple[str, str]]]:
        """Files by panel: those that the manifest lists, then those that stand in the folder."""
        files: dict[int, list[tuple[str, str]]] = {}
        for piece in self._manifest.objects(key):
            path = piece.raw.get("path")
            number = _number_of(path, piece.raw.get("panel_index"))
            if isinstance(path, str) and number is not None:
                files.setdefault(number, []).append((path, f"{piece.pointer}/path"))
        for name in self._lookup.folder.names(_FOLDERS[source]):
            number = _number_of(name, None)
            if number is not None:
                files.setdefault(number, []).append((f"{_FOLDERS[source]}/{name}", ""))
        return files

    def _find_grid(self) -> tuple[str, int, int] | None:
        grid = self._manifest.object("grid")
        path, size = grid.raw.get("path"), _size(grid.raw.get("dimensions"))
        candidates: Iterator[tuple[Any, tuple[int, int] | None]] = iter(
            [(path, size or _size(path)), *((f"{_GRIDS}/{name}", _size(name)) for name in self._grids())]
        )
        for found, cells in candidates:
            if isinstance(found, str) and cells and self._lookup.folder.find(found):
                return (found, *cells)
        return None

    def _grids(self) -> Iterator[str]:
        return (name for name in self._lookup.folder.names(_GRIDS) if name.startswith("grid_"))

    def _cell(self, panel: int) -> Media | None:
        if self._grid is None:
            return None
        path, rows, columns = self._grid
        if not 1 <= panel <= rows * columns:
            return None
        pointer = f"{self._manifest.pointer}/grid/path"
        media = self._lookup.at(path, MediaKind.IMAGE, "grid", self._manifest.file, pointer)
        if media is None:
            return None
        row, column = divmod(panel - 1, columns)
        return Media(path=media.path, kind=media.kind, source="grid", found=True, panel=(row, column, rows, columns))


def panel_number(path: str) -> int | None:
    """The number in the name of a panel's file, `panel_03_refined.png` for instance."""
    match = _NUMBER.match(PurePosixPath(path.replace("\\", "/")).name)
    return int(match[1]) if match else None


def _shots_by_panel(value: Any) -> dict[int, str]:
    found = {}
    for panel, shot in value.items() if isinstance(value, Mapping) else ():
        number = _number_of(panel, None)
        if number is not None and isinstance(shot, str):
            found[number] = shot
    return found


def _number_of(path: Any, index: Any) -> int | None:
    if isinstance(path, str) and (number := panel_number(path)) is not None:
        return number
    return index if isinstance(index, int) and not isinstance(index, bool) else None


def _size(value: Any) -> tuple[int, int] | None:
    match = _GRID.search(value) if isinstance(value, str) else None
    size = (int(match[1]), int(match[2])) if match else (0, 0)
    return size if min(size) > 0 else None
