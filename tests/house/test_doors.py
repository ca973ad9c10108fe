"""Each outside library has one door, and the pure modules touch nothing outside."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src/storycore"

DOORS = {
    "PIL": ("demo", "rendering/lettering", "rendering/still", "rendering/title"),
    "aiodns": ("webhooks/names",),
    "aiohttp": (
        "comfyui/address",
        "comfyui/client",
        "comfyui/ear",
        "webhooks/dialling",
        "webhooks/faults",
        "webhooks/wire",
    ),
    "alembic": ("database",),
    "anyio": ("api", "dashboard", "demo/delivery", "mcp", "processes"),
    "bagit": ("demo",),
    "c2pa": ("metadata/credentials",),
    "click": ("cli", "processes", "sink/command"),
    "cryptography": ("webhooks/signing", "webhooks/sealing", "metadata/signing_key"),
    "cv2": (
        "rendering/wide",
        "rendering/drawing",
        "rendering/frame",
        "rendering/painter",
        "rendering/still",
        "rendering/title",
        "rendering/transition",
    ),
    "fastapi": ("api",),
    "httpx": ("remote", "storage/unfinished"),
    "imageio_ffmpeg": ("rendering/encoder",),
    "isal": ("exports/packing/compression",),
    "jinja2": ("dashboard/templating",),
    "manimgx_fonts": ("rendering/fonts",),
    "manimgx_fonts_cjk": ("rendering/fonts",),
    "mcp": ("mcp",),
    "numpy": ("rendering",),
    "obstore": ("storage/objects",),
    "opentelemetry": ("observe/tracing",),
    "opentimelineio": ("exports/interchange/otio_text",),
    "platformdirs": ("settings",),
    "prometheus_client": ("observe/metrics",),
    "procrastinate": ("tasks/procrastinate_engine",),
    "pydantic": (
        "operations",
        "settings",
        "events",
        "api/document",
        "api/envelope_schema",
        "cli/options",
        "exports/formats",
        "exports/data_files",
        "exports/delivery",
        "exports/export",
        "exports/gates",
        "exports/presets",
    ),
    "pycares": ("webhooks/names",),
    "pydantic_core": ("database/tables", "operations", "settings"),
    "pypdf": ("exports/documents/pdf_facts",),
    "pypdfium2": ("exports/documents/page_painter",),
    "rich": ("cli", "demo"),
    "sqlalchemy": (
        "database",
        "comfyui/records",
        "comfyui/runs/records",
        "keys/records",
        "replies/records",
        "tasks/records",
        "tasks/changes/records",
        "tasks/parts/records",
        "tasks/history/records",
        "tasks/engine",
        "tasks/embedded",
        "tasks/dispatch/records",
        "tasks/procrastinate_engine",
        "tasks/queue",
        "operations/run",
        "operations/once",
        "operations/outbox",
        "webhooks/deliveries/records",
        "webhooks/endpoints/records",
        "webhooks/health/records",
        "webhooks/history/records",
        "webhooks/leasing/records",
        "webhooks/outbox/records",
        "webhooks/queue/records",
        "webhooks/recovery/records",
        "webhooks/results/records",
    ),
    "starlette": ("api", "dashboard", "mcp", "processes"),
    "structlog": ("observe/logging",),
    "typing_extensions": ("",),
    "typst": ("exports/documents/typesetter",),
    "h11": ("api/trailer", "processes"),
    "uvicorn": ("processes",),
    "yaml": ("metadata",),
    "yarl": ("webhooks/dialling",),
    "zlib_ng": ("exports/packing/compression",),
}
"""Outside library → the rooms or modules that may import it."""

PURE = (
    "units", "errors", "wording", "json_text", "tasks/task", "keys/key",
    "operations/catalog", "operations/envelope", "exports/delivery/checksums", "remote/folders",
    "project/timeline", "project/model",
    "project/transitions", "project/canonical", "exports/packing/zip_records", "exports/packing/names",
    "exports/packing/bag", "exports/packing/crate", "exports/checking/archive_records", "exports/checking/bag_text",
    "metadata/document", "metadata/write", "api/ranges",
    "rendering/plan", "rendering/gain", "rendering/ducking",
    "rendering/limiter", "rendering/sounds", "rendering/captions", "rendering/caption_text", "rendering/tags",
    "rendering/bidi", "rendering/layout", "rendering/words", "rendering/motion", "rendering/look",
    "rendering/codecs", "rendering/playlists",
    "storage/place", "storage/store",
    "metadata/document", "metadata/write", "api/ranges", "webhooks/signing", "webhooks/schedule", "webhooks/url",
    "webhooks/address", "webhooks/headers", "webhooks/delivery", "webhooks/endpoint", "webhooks/message", "events",
    "dashboard/words", "dashboard/drawings", "dashboard/same_as",
        *(f"comfyui/{name}" for name in ("backend", "outputs", "pace", "progress", "wire")),
    *(f"exports/interchange/{name}" for name in (
        "counting", "cutting", "edit", "edl", "fcp7", "fcpx", "naming", "otio_text", "xml_text",
    )),
    *(f"exports/documents/{name}" for name in (
        "letters", "pages", "panels", "report", "shot_list", "storyboard", "web_page",
    )),
    *(f"comfyui/graph/{name}" for name in (
        "api_graph", "branch_order", "canvas", "check", "companions", "controls", "convert", "document",
        "dynamic_text", "embedded", "file_names", "group_nodes", "node_class", "oddities", "parameters", "promotions",
        "restored", "routes", "subgraphs", "ui_graph", "values",
    )),
)  # fmt: skip
OUTSIDE = {
    "os",
    "io",
    "socket",
    "subprocess",
    "shutil",
    "tempfile",
    "urllib",
    "http",
    "sqlite3",
    "threading",
    "asyncio",
}


def imports(path):
    """Top-level names of every module that a file imports, at whatever place in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").split(".")[0]


def modules():
    return {path.relative_to(PACKAGE).with_suffix("").as_posix(): path for path in PACKAGE.rglob("*.py")}


def test_every_outside_library_comes_in_by_its_own_door():
    strangers = {
        (name, library)
        for name, path in modules().items()
        for library in set(imports(path)) - sys.stdlib_module_names - {"storycore"}
        if not any(name.startswith(door) for door in DOORS.get(library, ()))
    }
    assert strangers == set()


def test_no_door_leads_nowhere():
    used = {library for path in modules().values() for library in imports(path)}
    assert set(DOORS) - used == set()


@pytest.mark.parametrize("name", PURE)
def test_pure_modules_touch_nothing_outside(name):
    assert set(imports(modules()[name])) & OUTSIDE == set()


def test_unit_tests_stand_where_the_code_stands():
    """tests/unit mirrors src: a test file is called like the module, or like one of the room, that it is about."""
    unit = ROOT / "tests/unit"
    folders = {path.parent.relative_to(unit).as_posix() for path in unit.rglob("test_*.py")}
    assert [folder for folder in folders if not (PACKAGE / folder).is_dir()] == []
