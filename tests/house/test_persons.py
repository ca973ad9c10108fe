"""Tests keep to themselves: nothing of whoever runs them is read, and nothing is left with them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import json
from storycore.settings import Settings, files
bare = Settings()
places = [bare.database.removeprefix("sqlite:///"), bare.cache_folder, bare.generated_folder, bare.sealing_key_place,
          bare.signing_place, *(path.absolute() for path in files())]
print(json.dumps([str(path) for path in places]))
"""
"""Where everything is that nobody chose a place for, by settings that were made without looking at the environment."""


def places():
    run = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60, check=True)
    return [Path(text) for text in json.loads(run.stdout)]


@pytest.fixture(scope="module")
def shared():
    """What stands longer than one test meets these."""
    return places()


def test_what_nobody_chose_a_place_for_is_at_the_place_of_the_test():
    own = Path.cwd().parent
    assert [path for path in places() if not path.is_relative_to(own)] == []


def test_what_several_tests_share_is_at_a_place_of_this_run(shared, tmp_path_factory):
    assert [path for path in shared if not path.is_relative_to(tmp_path_factory.getbasetemp())] == []
