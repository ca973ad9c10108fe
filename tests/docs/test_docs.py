"""The pages say what the code does."""

import ast
import importlib.util
import json
import re
import time
from pathlib import Path

import jsonschema
import pytest

from storycore.events import TYPES, make
from storycore.sink.behaviour import BEHAVIOURS
from storycore.webhooks.delivery import Code
from storycore.webhooks.signing import read_secret, sign

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.fixture(scope="module")
def reference():
    spec = importlib.util.spec_from_file_location("reference", ROOT / "docs/reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.pages()


@pytest.mark.parametrize(
    "name",
    ["agents.md", "operations.md", "errors.md", "settings.md", "formats.md", "presets.md", "events.md", "openapi.json"],
)
def test_reference_pages_are_as_the_code_makes_them(reference, name):
    """`python3 run.py fix` writes them anew."""
    assert (ROOT / "docs/reference" / name).read_text(encoding="utf-8") == reference[name]


def test_schemas_of_events_are_published_and_fit_what_is_sent(reference):
    folder = ROOT / "docs/reference/events"
    published = {f"events/{path.name}": path.read_text(encoding="utf-8") for path in folder.iterdir()}
    assert published == {name: text for name, text in reference.items() if name.startswith("events/")}
    output, error = {"path": "x", "size_bytes": 1}, {"code": "x", "reason": "x", "message": "x"}
    given = {"output": output, "error": error, "subject": "x", "pipeline": "x"}
    for kind, model in TYPES.items():
        sent = make(kind, {name: value for name, value in given.items() if name in model.model_fields})
        validator = jsonschema.Draft202012Validator(json.loads(published[f"events/{kind}.schema.json"]))
        validator.validate(json.loads(sent.body))
        assert not validator.is_valid({**json.loads(sent.body), "data": {"colour": "red"}})


def test_the_page_about_webhooks_tells_every_code_and_its_receiver_runs(capsys):
    text = (ROOT / "docs/webhooks.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE) == [code.value for code in Code]
    assert [word for word in BEHAVIOURS if f"/{word}" not in text] == []
    (block,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    place = {}
    exec(compile(block, "webhooks.md", "exec"), place)
    body = make("qa.started", {"subject": "reel 1"}).body.encode()
    now = int(time.time())
    signature = sign([read_secret(place["SECRET"])], "evt_1", now, body)
    headers = {"Webhook-Id": "evt_1", "Webhook-Timestamp": str(now), "Webhook-Signature": signature}
    assert [place["receive"](headers, body), place["receive"](headers, body)] == [204, 204]
    assert place["receive"](headers, body + b" ") == 401
    assert capsys.readouterr().out.count("qa.started") == 1


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    local = [link for link in links if "://" not in link]
    assert [link for link in local if not (page.parent / link).exists()] == []


def test_every_page_is_in_the_index_and_every_picture_is_small_and_shown():
    index = (ROOT / "docs/README.md").read_text(encoding="utf-8")
    pages = [path.name for path in (ROOT / "docs").glob("*.md") if path.name != "README.md"]
    assert [name for name in pages if f"]({name})" not in index] == []
    told = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    pictures = list((ROOT / "docs/pictures").iterdir())
    assert [path.name for path in pictures if f"pictures/{path.name})" not in told] == []
    assert [path.name for path in pictures if path.stat().st_size > 150_000] == []


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
