"""A process that is killed while it signs leaves no film without its credentials."""

import subprocess
import sys
from pathlib import Path

from fixtures.marks import judged, make_generated_film


def test_a_film_that_stands_is_signed_whenever_its_export_was_killed(tmp_path: Path) -> None:
    make_generated_film(tmp_path / "film")
    words = ["export", "format", "film", "-t", "mp4", "-o", "out", "-O", "width=64", "-O", "height=36"]
    with subprocess.Popen(
        [sys.executable, "-m", "storycore", *words], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    ) as started:
        assert started.stderr is not None
        for line in started.stderr:
            if line.startswith("signing"):
                started.kill()
                break
        started.stderr.read()
    for path in (tmp_path / "out").glob("*.mp4"):  # hidden parts are none
        assert judged(path)["validation_state"] == "Valid"
    words[words.index("out")] = "more"
    subprocess.run([sys.executable, "-m", "storycore", *words, "-q"], cwd=tmp_path, check=True, timeout=120)
    assert judged(tmp_path / "more/Small.mp4")["validation_state"] == "Valid"
