"""What a run put out, by the server's word: pure. Names come from strangers, and keys say nothing of kinds."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

from storycore.project.paths import is_portable

_SHAPES: Final = frozenset({".glb", ".gltf", ".obj", ".fbx", ".stl", ".ply", ".usdz", ".splat", ".spz", ".ksplat"})
"""Suffixes of three-dimensional things, whose names some nodes tell as bare texts."""
_PLACES: Final = frozenset({"output", "temp"})
_MOST_NAME_BYTES: Final = 180


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteFile:
    """A file that the server has.

    Attributes:
        node: which node put it out.
        filename: as the server names it.
        subfolder: inside its folder; may be empty.
        type: its folder: "output" or "temp".
    """

    node: str
    filename: str
    subfolder: str
    type: str

    @property
    def is_kept(self) -> bool:
        """Whether the server keeps it; what a node only shows on the way, as PreviewImage does, is temporary."""
        return self.type != "temp"

    @property
    def query(self) -> dict[str, str]:
        """How it is asked for."""
        return {"filename": self.filename, "subfolder": self.subfolder, "type": self.type}


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteText:
    """A text that a node put out."""

    node: str
    text: str


def files(outputs: Mapping[str, Any]) -> list[RemoteFile]:
    """Every file that a run put out, each once, in the order of its nodes; what is only shown on the way comes last."""
    found: dict[tuple[str, str, str], RemoteFile] = {}
    for node, key, value in _values(outputs):
        file = _from_object(node, value) if isinstance(value, dict) else _from_text(node, key, value)
        if file is not None:
            found.setdefault((file.filename, file.subfolder, file.type), file)
    return sorted(found.values(), key=lambda file: not file.is_kept)


def texts(outputs: Mapping[str, Any]) -> list[RemoteText]:
    """The texts of nodes that put out nothing but text."""
    with_files = {file.node for file in files(outputs)}
    return [
        RemoteText(node=node, text=value)
        for node, key, value in _values(outputs)
        if key in ("text", "string") and isinstance(value, str) and value and node not in with_files
    ]


def safe_name(name: str, taken: set[str]) -> str:
    """A name of ours for a file that a stranger named: portable, and none of those `taken`, whatever their case."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    clean = "".join("_" if ord(it) < 32 or ord(it) == 127 or it in '<>:"|?*%$~' else it for it in last)
    clean = clean.encode("utf-8", "ignore").decode().strip(". ")
    path = PurePosixPath(clean or "output")
    stem, suffix = path.stem, path.suffix if len(path.suffix) <= 12 else ""
    stem = stem.encode()[:_MOST_NAME_BYTES].decode("utf-8", "ignore").rstrip(". ") or "output"
    if not is_portable(stem + suffix):
        stem = f"output_{stem}"
    if not is_portable(stem + suffix):
        stem, suffix = "output", ""
    wanted, count = stem + suffix, 1
    while wanted.casefold() in taken:
        count += 1
        wanted = f"{stem}_{count}{suffix}"
    taken.add(wanted.casefold())
    return wanted


def _values(outputs: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    for node, told in outputs.items():
        for key, values in told.items() if isinstance(told, dict) else ():
            for value in values if isinstance(values, list) else [values]:
                yield str(node), str(key), value


def _from_object(node: str, value: Mapping[str, Any]) -> RemoteFile | None:
    name, place = value.get("filename"), value.get("type", "output")
    if not isinstance(name, str) or not name or not isinstance(place, str) or place not in _PLACES:
        return None
    subfolder = value.get("subfolder")
    return RemoteFile(node=node, filename=name, subfolder=subfolder if isinstance(subfolder, str) else "", type=place)


def _from_text(node: str, key: str, value: Any) -> RemoteFile | None:
    if key == "text" or not isinstance(value, str) or PurePosixPath(value).suffix.lower() not in _SHAPES:
        return None
    subfolder, _, name = value.replace("\\", "/").rpartition("/")
    return RemoteFile(node=node, filename=name, subfolder=subfolder, type="output")
