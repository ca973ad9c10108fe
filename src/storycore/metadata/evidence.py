"""What a media file says itself of how it was made.

Four things are looked for: C2PA credentials, an IPTC digital source type in XMP, the graph of a ComfyUI workflow, and
StoryCore's own note beside a generated file. Only the beginning and the end of a file are read, which is where all of
these stand; nothing is decoded, and nothing in a file can make this fail.

Source: C2PA 2.2, "Embedding manifests"; IPTC Photo Metadata 2023.1, Digital Source Type; PNG 1.2 §4.2.3 (tEXt).
"""

import functools
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from storycore.json_text import BadJson, read
from storycore.project.content import open_regular
from storycore.project.lookup import SIDECAR

SCHEME: Final = "http://cv.iptc.org/newscodes/digitalsourcetype/"
GENERATED: Final = SCHEME + "trainedAlgorithmicMedia"
COMPOSITE: Final = SCHEME + "compositeWithTrainedAlgorithmicMedia"

_BEGIN_BYTES: Final = 512 * 1024
_END_BYTES: Final = 256 * 1024
_MOST_SIDECAR_BYTES: Final = 16 * 1024 * 1024
_MOST_MODELS: Final = 20
_TYPE: Final = re.compile(rb"digitalsourcetype/([A-Za-z]{3,60})")
_GRAPH: Final = (b"tEXtprompt\0", b"tEXtworkflow\0", b'"class_type"', b'"class_type\\"')  # the last one: JSON in JSON
_MODEL: Final = re.compile(
    rb"\"([^\"\\\x00-\x1f]{1,120}\.(?:safetensors|ckpt|pt|pth|gguf|sft|onnx))\\?\"", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What one file says of itself.

    Attributes:
        has_credentials: whether it seems to hold C2PA credentials; they are not judged here.
        source_type: the IRI of its digital source type, "" if it names none.
        has_graph: whether the graph of a ComfyUI workflow stands in it, or a note that it came from one beside it.
        software: what made it, "" if that is not known.
        version: of that software, "" if that is not known.
        models: names of the models in the graph or the note, at most 20.
    """

    has_credentials: bool = False
    source_type: str = ""
    has_graph: bool = False
    software: str = ""
    version: str = ""
    models: tuple[str, ...] = ()

    @property
    def is_generated(self) -> bool:
        """Whether it says that generative AI made it, or a part of it."""
        return self.has_graph or self.source_type in (GENERATED, COMPOSITE)

    @property
    def is_partly_generated(self) -> bool:
        """Whether it says that generative AI made only a part of it."""
        return self.source_type == COMPOSITE


NOTHING: Final = Evidence()


def look(path: Path) -> Evidence:
    """What a file says of itself; nothing if it can't be read."""
    try:
        facts, beside = path.stat(), path.with_name(path.name + SIDECAR)
        noted = beside.stat().st_mtime_ns if beside.exists() else 0
    except OSError:
        return NOTHING
    return _look(path, facts.st_size, facts.st_mtime_ns, noted)


@functools.lru_cache(maxsize=4096)
def _look(path: Path, size: int, modified_ns: int, noted_ns: int) -> Evidence:  # noqa: ARG001 - what it is known by
    try:
        with open_regular(path) as file:
            seen = file.read(_BEGIN_BYTES)
            if size > len(seen):
                file.seek(max(len(seen), size - _END_BYTES))
                seen += file.read(_END_BYTES)
    except OSError:
        return NOTHING
    noted = _noted(path, size)
    graph = any(mark in seen for mark in _GRAPH)
    models = noted.models if noted else _models(seen) if graph else ()
    return Evidence(
        has_credentials=b"jumb" in seen and b"c2pa" in seen,
        source_type=_source_type(seen),
        has_graph=graph or noted is not None,
        software="ComfyUI" if graph or noted else "",
        version=noted.version if noted else "",
        models=models,
    )


def _source_type(seen: bytes) -> str:
    """The type that says the most: a mixture before what is in it, generated before filmed."""
    if b"digitalsourcetype/" not in seen:  # which is much quicker to see than what would follow it
        return ""
    found = [SCHEME + kind.decode("ascii") for kind in dict.fromkeys(_TYPE.findall(seen))]
    return next((kind for kind in (COMPOSITE, GENERATED) if kind in found), found[0] if found else "")


def _models(seen: bytes) -> tuple[str, ...]:
    names = {_base(found.decode("utf-8", errors="replace")) for found in _MODEL.findall(seen)}
    return tuple(sorted(names))[:_MOST_MODELS]


def _base(name: str) -> str:
    return re.split(r"[/\\]", name)[-1]


@dataclass(frozen=True, slots=True)
class _Note:
    version: str
    models: tuple[str, ...]


def _noted(path: Path, size: int) -> _Note | None:
    """What the note beside a file says, if it is about a file of this size."""
    try:
        with open_regular(path.with_name(path.name + SIDECAR)) as file:
            told = read(file.read(_MOST_SIDECAR_BYTES)).value
    except (OSError, BadJson, ValueError):
        return None
    if not isinstance(told, dict) or not str(told.get("schema", "")).startswith("storycore.generated/"):
        return None
    about = told.get("file")
    if not isinstance(about, dict) or about.get("size_bytes") != size:
        return None
    backend, models = told.get("backend"), told.get("models")
    version = backend.get("version") if isinstance(backend, dict) else ""
    names = [_base(name) for name in models if isinstance(name, str)] if isinstance(models, list) else []
    return _Note(str(version or "")[:40], tuple(sorted(set(names)))[:_MOST_MODELS])
