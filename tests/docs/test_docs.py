"""The pages say what the code does."""

import ast
import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.fixture(scope="module")
def reference():
    spec = importlib.util.spec_from_file_location("reference", ROOT / "docs/reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.pages()


@pytest.mark.parametrize("name", ["operations.md", "errors.md", "settings.md", "formats.md", "openapi.json"])
def test_reference_pages_are_as_the_code_makes_them(reference, name):
    """`python3 run.py fix` writes them anew."""
    assert (ROOT / "docs/reference" / name).read_text(encoding="utf-8") == reference[name]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    local = [link for link in links if "://" not in link]
    assert [link for link in local if not (page.parent / link).exists()] == []


def test_the_readme_shows_both_commands():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "python3 run.py demo" in text
    assert "python3 run.py test" in text


def test_the_lifecycle_names_functions_that_exist():
    """`room.module.function` in backticks, as written in docs/lifecycle.md."""
    text = (ROOT / "docs/lifecycle.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:\w+\.)+\w+)\(\)`", text)
    assert named
    assert [name for name in named if not _exists(name)] == []


def _exists(name):
    module, _, function = name.rpartition(".")
    path = ROOT / "src/storycore" / (module.replace(".", "/") + ".py")
    if not path.is_file():
        return False
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return any(getattr(node, "name", "") == function for node in ast.walk(tree))


def test_the_drawing_of_the_house_names_every_room_and_module():
    text = (ROOT / "docs/house.md").read_text(encoding="utf-8")
    package = ROOT / "src/storycore"
    rooms = [path.name for path in package.iterdir() if (path / "__init__.py").exists()]
    modules = [path.name for path in package.glob("*.py") if path.stem != "__init__"]
    assert [name for name in (*rooms, *modules) if name not in text] == []


def test_the_python_examples_of_the_readme_run(film, monkeypatch):
    monkeypatch.chdir(film.parent)
    film.rename(film.parent / "film")
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert blocks
    for block in blocks:
        exec(compile(block, "README.md", "exec"), {})
