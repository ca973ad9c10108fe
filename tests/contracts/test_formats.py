"""What holds for every format there is."""

import hashlib
import sys
from types import SimpleNamespace

import pytest

from fixtures.projects import make_project, snapshot
from storycore.errors import Cancelled, Conflict, InvalidInput, NotFound, Reason
from storycore.exports.export import export, target_of, wanted
from storycore.exports.formats import registry
from storycore.exports.formats.format import Film, FormatOptions
from storycore.observe.progress import Progress
from storycore.project.files import walk
from storycore.project.reader import read_project
from storycore.settings import Settings

NAMES = registry.names()
SMALL = {"width": 64, "height": 36, "fps": 12}


@pytest.fixture(autouse=True)
def _one_cache(monkeypatch, tmp_path_factory):
    """Rendered segments are found again from one test to the next."""
    monkeypatch.setenv("STORYCORE_CACHE_FOLDER", str(tmp_path_factory.getbasetemp() / "cache-of-formats"))


@pytest.fixture
def film(tmp_path):
    folder = make_project(tmp_path / "film", seconds=0.5)
    return film_in(folder)


def film_in(folder):
    settings = Settings.read()
    return Film(listing=walk(folder, max_files=1000), project=read_project(folder, settings), settings=settings)


VERDICTS = ("within target", "off target")


def write(name, film, target, progress=None):
    found = registry.find(name)
    small = {option: value for option, value in SMALL.items() if option in found.options.model_fields}
    return found.write(film, target, found.options(**small), progress or Progress())


@pytest.mark.parametrize("name", NAMES)
def test_a_format_says_what_it_is(name):
    found = registry.find(name)
    assert (found.name, found.suffix[0], found.suffix) == (name, ".", found.suffix.lower())
    assert found.media_type.count("/") == 1
    assert issubclass(found.options, FormatOptions)
    assert all(field.description for field in found.options.model_fields.values())
    assert found.options.model_config["extra"] == "forbid"


@pytest.mark.parametrize("name", NAMES)
def test_what_is_told_of_a_file_is_measured_in_it(name, film, tmp_path):
    target = tmp_path / f"new/film{registry.find(name).suffix}"
    made = write(name, film, target)
    data = target.read_bytes()
    assert (made.size_bytes, made.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert made.metrics
    told = registry.find(name).figures
    assert {*made.metrics} <= {*told} or name == "stems", "what a preset can ask for"
    for key, value in made.metrics.items() if name != "stems" else ():
        assert told[key].aimed >= (isinstance(value, dict) and value.get("verdict") in VERDICTS), key


@pytest.mark.parametrize("name", NAMES)
def test_the_same_film_gives_the_same_bytes(name, film, tmp_path):
    suffix = registry.find(name).suffix
    first, second = (write(name, film, tmp_path / f"{place}/film{suffix}") for place in "ab")
    assert first.sha256 == second.sha256


@pytest.mark.parametrize("name", NAMES)
def test_the_project_is_not_changed(name, film, tmp_path):
    before = snapshot(film.project.folder)
    write(name, film, tmp_path / f"film{registry.find(name).suffix}")
    assert snapshot(film.project.folder) == before


@pytest.mark.parametrize("name", NAMES)
def test_a_file_that_stands_there_is_not_replaced(name, film, tmp_path):
    target = tmp_path / f"film{registry.find(name).suffix}"
    target.write_text("mine")
    with pytest.raises(Conflict) as fault:
        write(name, film, target)
    assert (fault.value.reason, target.read_text()) == (Reason.OUTPUT_EXISTS, "mine")


@pytest.mark.parametrize("name", NAMES)
def test_a_cancelled_format_leaves_nothing(name, film, tmp_path):
    progress = Progress(interval_seconds=0)
    progress.cancel()
    with pytest.raises(Cancelled):
        write(name, film, tmp_path / f"new/film{registry.find(name).suffix}", progress)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", NAMES)
def test_progress_is_told_in_steps_that_go_up(name, film, tmp_path):
    reports = []
    write(name, film, tmp_path / f"film{registry.find(name).suffix}", Progress(reports.append, interval_seconds=0))
    fractions = [report.fraction for report in reports]
    assert fractions == sorted(fractions)
    assert fractions
    assert fractions[-1] < 1


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_without_shots_is_written_too(name, tmp_path):
    folder = tmp_path / "bare"
    folder.mkdir()
    (folder / "project.json").write_text('{"name": "test"}')
    assert write(name, film_in(folder), tmp_path / f"film{registry.find(name).suffix}").size_bytes > 0


@pytest.mark.parametrize("asked", ["json,zip", ["JSON", "Zip"], "Json, ZIP,json", ["json,zip"]])
def test_formats_are_named_in_any_case_alone_or_together(asked):
    assert [item.format.name for item in wanted(asked, {})] == ["json", "zip"]


@pytest.mark.parametrize("asked", ["xyz", "", [], ["json", "pdf2"], "json,", [""], "z" * 5000])
def test_an_unknown_format_is_refused_with_the_known_ones(asked):
    with pytest.raises(InvalidInput, match="Unsupported target format") as fault:
        wanted(asked, {})
    assert (fault.value.reason, fault.value.details) == (Reason.UNSUPPORTED_FORMAT, {"supported_formats": NAMES})
    assert len(fault.value.message) < 100
    assert fault.value.remediation == f"Choose one of: {', '.join(NAMES)}."


def test_each_format_gets_the_options_it_knows():
    first, second = wanted("json,zip", {"strict": True, "compression_level": 1})
    assert first.options.model_dump(exclude_defaults=True) == {"strict": True}
    assert (second.options.compression_level, second.options.strict) == (1, True)


@pytest.mark.parametrize(
    ("options", "reason", "pointer"),
    [
        ({"loud": 1}, Reason.UNKNOWN_FIELD, "/conversion_options/loud"),
        ({"compression_level": 10}, Reason.OUT_OF_RANGE, "/conversion_options/compression_level"),
        ({"compression_level": True}, Reason.WRONG_TYPE, "/conversion_options/compression_level"),
        ({"compression_level": "6"}, Reason.WRONG_TYPE, "/conversion_options/compression_level"),
        ({"strict": "yes"}, Reason.WRONG_TYPE, "/conversion_options/strict"),
        ({"include_source": 1}, Reason.WRONG_TYPE, "/conversion_options/include_source"),
    ],
)
def test_an_option_that_is_not_acceptable_is_told_with_its_place(options, reason, pointer):
    with pytest.raises(InvalidInput) as fault:
        wanted("zip", options)
    assert (fault.value.reason, fault.value.errors[0].pointer) == (reason, pointer)


def test_an_option_that_none_of_the_formats_knows_is_refused():
    with pytest.raises(InvalidInput):
        wanted("json", {"compression_level": 1})


def test_strict_refuses_a_film_without_shots(tmp_path):
    folder = tmp_path / "bare"
    folder.mkdir()
    (folder / "project.json").write_text('{"name": "test"}')
    with pytest.raises(NotFound) as fault:
        export(film_in(folder), wanted("json,zip", {"strict": True}), tmp_path / "new", Progress())
    assert (fault.value.reason, (tmp_path / "new").exists()) == (Reason.NOTHING_TO_EXPORT, False)


def test_several_formats_are_made_all_or_none(film, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/Little film.zip").write_text("mine")
    with pytest.raises(Conflict):
        export(film, wanted("json,zip", {}), tmp_path / "out", Progress())
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["Little film.zip"]


def test_an_output_is_a_folder_or_a_file_that_ends_like_its_format(tmp_path):
    (tmp_path / "there.json").mkdir()
    json_only = wanted("json", {})
    assert target_of(json_only, tmp_path / "new") == (tmp_path / "new", None)
    assert target_of(json_only, tmp_path / "a.JSON") == (tmp_path, "a.JSON")
    assert target_of(json_only, tmp_path / "there.json") == (tmp_path / "there.json", None)
    for formats, name in ((json_only, "a.zip"), (wanted("json,zip", {}), "a.zip")):
        with pytest.raises(InvalidInput) as fault:
            target_of(formats, tmp_path / name)
        assert fault.value.reason is Reason.PATH_INVALID


def test_other_packages_can_bring_formats(tmp_path, monkeypatch):
    """An installed package is what its metadata folder on the path says; so one is put there."""
    facts = tmp_path / "shotcards-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: shotcards\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text(
        "[storycore.formats]\nCards = shotcards:FORMAT\njson = shotcards:NOT_OURS\n"
    )
    (tmp_path / "shotcards.py").write_text(
        "from types import SimpleNamespace\nFORMAT = SimpleNamespace(name='cards')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert registry.names() == [*NAMES, "Cards"]
    assert registry.find("CARDS") == SimpleNamespace(name="cards")
    assert registry.find("json").suffix == ".json"
    sys.modules.pop("shotcards")
