"""The recipes for contributors are followed to the letter, in a copy of the project."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.projects import make_project

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/recipes.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PARTS = ("src", "docs", "tests", ".importlinter", "pyproject.toml", "CHANGELOG.md")

pytestmark = pytest.mark.slow


def follow(text, project):
    """Makes the files and adds the lines that a recipe shows; gives its commands and what was touched."""
    commands, touched, path = [], [], ""
    for block in BLOCK.finditer(text):
        kind, body = block.groups()
        before = text[: block.start()].rstrip().rpartition("\n")[2]
        if named := re.findall(r"`([\w./]+\.py|\.importlinter)`", before):
            path = named[-1]
        if kind == "sh":
            commands += body.splitlines()
        elif kind == "diff":
            add(project / path, body)
            touched.append(path)
        else:
            assert not (project / path).exists(), path
            (project / path).write_text(body, encoding="utf-8")
            touched.append(path)
    return commands, touched


def add(path, body):
    """Adds the lines with a plus beside the others, which stand in the file exactly once."""
    lines = [(line[0], line[1:]) for line in body.splitlines()]
    assert {sign for sign, _ in lines} == {" ", "+"}, body
    old = "".join(f"{line}\n" for sign, line in lines if sign == " ")
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{path.name} has not once:\n{old}"
    path.write_text(text.replace(old, "".join(f"{line}\n" for _, line in lines)), encoding="utf-8")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    place = tmp_path_factory.mktemp("copy") / "storycore"
    for part in PARTS:
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copyfile
        place.mkdir(exist_ok=True)
        copy(ROOT / part, place / part)
    return place


def run(project, *words):
    own = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    environment = {**own, "PYTHONPATH": str(project / "src")}
    done = subprocess.run([sys.executable, *words], cwd=project, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{words}\n{done.stdout}{done.stderr}"
    return done.stdout


def test_both_recipes_lead_to_a_project_that_passes_its_checks(project):
    """What `run.py` would start is started here with this very interpreter; types are left to the check of all."""
    _, *recipes = re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert [recipe.partition("\n")[0] for recipe in recipes] == ["Add a format", "Add an operation"]
    followed = [follow(recipe, project) for recipe in recipes]
    make_project(project / "film")
    touched = [path for _, paths in followed for path in paths if path.endswith(".py")]
    run(project, "-m", "ruff", "check", "--no-cache", *touched)
    run(project, "-m", "ruff", "format", "--no-cache", "--check", *touched)
    run(project, str(Path(sys.executable).with_name("lint-imports")), "--no-cache")
    made, tests, told = "", [], {}
    for command in [command for commands, _ in followed for command in commands]:
        words = command.split()
        if words[:3] == ["python3", "run.py", "fix"]:
            made = made or run(project, "docs/reference.py") + "made"  # once is enough for both
        elif words[:3] == ["python3", "run.py", "test"]:
            tests.append(words[3:])
        else:
            assert words[0] == "storycore", command
            told[" ".join(words[1:4])] = run(project, "-m", *words)
    assert "film.txt" in told["export format film/"]
    assert "speakers" in told["project speech film/"]
    files = dict.fromkeys(word for words in tests for word in words if word.endswith(".py"))
    wanted = ["chapters" if "-k" in words else Path(words[0]).stem for words in tests]
    done = run(project, "-m", "pytest", "-q", "-p", "no:cacheprovider", *files, "-k", " or ".join(wanted))
    assert int(re.search(r"(\d+) passed", done)[1]) >= 10
    reference = {path.name: path.read_text(encoding="utf-8") for path in (project / "docs/reference").glob("*.md")}
    assert "| `chapters` |" in reference["formats.md"]
    assert "## `storycore.project.speech`" in reference["operations.md"]
    assert "storycore_project_speech" in reference["agents.md"]


def test_a_line_that_a_recipe_names_but_nobody_finds_is_told(tmp_path):
    (tmp_path / "a.py").write_text("one\n")
    with pytest.raises(AssertionError, match="has not once"):
        add(tmp_path / "a.py", " two\n+three\n")
