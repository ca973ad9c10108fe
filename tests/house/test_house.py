"""The house keeps its own rules."""

import ast
import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path

import pytest

import storycore
from storycore.loading import load
from storycore.operations import request as requests
from storycore.operations.catalog import GROUPS, OPERATIONS, find

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src/storycore").rglob("*.py"))


def loaded_after(code):
    """Top-level names of the modules that are loaded after `code` ran in a fresh interpreter."""
    program = (
        f"import sys\ntry:\n    {code}\nexcept SystemExit:\n    pass\nprint('\\n'.join(sys.modules), file=sys.stderr)"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    return {name.split(".")[0] for name in run.stderr.split()}


HEAVY = {
    "pydantic",
    "fastapi",
    "starlette",
    "uvicorn",
    "rich",
    "PIL",
    "yaml",
    "numpy",
    "prometheus_client",
    "cv2",
    "obstore",
    "isal",
    "jinja2",
    "aiohttp",
    "c2pa",
    "cryptography",
    "mcp",
    "opentelemetry",
    "zlib_ng",
}


@pytest.mark.parametrize("words", ["--help", "--version", "export --help", "project --help"])
def test_help_loads_nothing_heavy(words):
    code = f"sys.argv[1:] = {words.split()!r}; from storycore.__main__ import main; main()"
    assert loaded_after(code) & HEAVY == set()


def test_importing_storycore_loads_nothing_heavy():
    assert loaded_after("import storycore") & HEAVY == set()


def test_a_record_in_sqlite_loads_nothing_of_postgres():
    code = "import storycore.tasks.queue, storycore.operations.outbox"
    program = f"import sys; {code}; print([name for name in sys.modules if 'postgres' in name or 'psycopg' in name])"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert run.stdout.strip() == "[]"


def test_public_names_are_sorted_and_can_be_imported():
    assert storycore.__all__ == sorted(storycore.__all__)
    assert [name for name in storycore.__all__ if not hasattr(storycore, name)] == []


def test_a_name_that_is_not_public_is_an_attribute_error():
    with pytest.raises(AttributeError, match="nope"):
        storycore.nope  # noqa: B018


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda item: item.name)
def test_the_catalogue_names_what_there_is(operation):
    request = load(operation.request)
    assert issubclass(request, requests.Request)
    assert callable(load(operation.function))
    assert not operation.stream or callable(load(operation.stream))
    assert not operation.dry_run or find(operation.dry_run)
    assert operation.words[0] in GROUPS
    assert not operation.summary.endswith(".")


def test_every_request_and_result_is_a_public_name():
    named = {operation.request.split(":")[1] for operation in OPERATIONS}
    assert {name for kind in named for name in (kind, kind.replace("Request", "Result"))} <= set(storycore.__all__)


def test_imports_keep_to_the_layers():
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT / "src")))
def test_every_module_says_what_it_is_and_is_named_for_it(path):
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    vague = {"utils", "helpers", "common", "base", "core", "manager", "handler", "service", "misc"}
    assert path.stem not in vague


def test_every_exception_from_a_check_gives_its_reason():
    excepted = re.compile(r"#\s*(?:noqa|type:\s*ignore|pragma)\b.*")
    told = re.compile(r"# noqa: [A-Z0-9, ]+ - \w|# type: ignore\[[a-z-]+\]  # \w")
    found = [line for path in SOURCES for line in excepted.findall(path.read_text(encoding="utf-8"))]
    assert [line for line in found if not told.match(line)] == []


def test_no_committed_file_names_a_package_index_or_this_machine():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("this is not a git checkout")
    index = re.compile(r"https?://[^ \"]+/(?:simple|packages|debian)/|" + re.escape(str(ROOT.parent)) + "/")
    found = [name for name in listed.stdout.split("\0") if name and index.search(_text(ROOT / name))]
    assert found == []


def test_versions_agree():
    assert importlib.metadata.version("storycore") == storycore.__version__
    assert f"## [{storycore.__version__}]" in _text(ROOT / "CHANGELOG.md")


def _text(path):
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
