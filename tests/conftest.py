"""What every test has: a place of its own, and no settings of the person who runs it."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from fixtures.databases import postgres, sqlite
from fixtures.projects import make_project
from fixtures.servers import serving
from fixtures.stores import StoreServer, azurite, moto, seaweedfs, settled
from storycore.database.connect import Database

# Wall time says nothing on a busy machine; each test has its own timeout.
hypothesis.settings.register_profile("house", deadline=None)
hypothesis.settings.load_profile("house")

# In CI the same examples each time, so that a red run tells of the change; everywhere else new ones, to find more.
hypothesis.settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    hypothesis.settings.load_profile("ci")

_LONG_SECONDS = 300

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT.parent / "shared" / "samples"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest tests begin first, so that at the end nobody waits for one of them alone."""
    items.sort(key=lambda item: all(mark.args < (_LONG_SECONDS,) for mark in item.iter_markers("timeout")))


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with today's tables; making them anew for each test would take most of its time."""
    path = tmp_path_factory.mktemp("database") / "storycore.db"
    Database.open(f"sqlite:///{path}").close()
    return path


def _move_out(patch: pytest.MonkeyPatch, place: Path) -> None:
    """Gives tests, and the programs that they start, other folders of settings, data and caches than the person's.

    Settings that are made without looking at the environment lead there too. Linux and macOS look at the names of XDG;
    on Windows platformdirs looks at a name of its own before it asks the system.
    """
    for kind in ("config", "data", "state", "cache"):
        patch.setenv(f"XDG_{kind.upper()}_HOME", str(place / kind))
    patch.setenv("WIN_PD_OVERRIDE_LOCAL_APPDATA", str(place / "local"))


@pytest.fixture(scope="session", autouse=True)
def _nothing_of_the_person(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """For servers that several tests share; each test has a place of its own."""
    with pytest.MonkeyPatch.context() as patch:
        home = tmp_path_factory.mktemp("home")
        patch.chdir(home)  # a settings file may stand where tests are started
        _move_out(patch, home)
        patch.setenv("STORYCORE_DATABASE_URL", f"sqlite:///{home / 'storycore.db'}")
        patch.setenv("STORYCORE_RENDER_WORKERS", "1")  # so few frames are not worth a second process
        yield


@pytest.fixture(autouse=True)
def _own_place(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, empty_database: Path) -> None:
    own = tmp_path_factory.mktemp("own")
    (own / "here").mkdir()
    monkeypatch.chdir(own / "here")
    _move_out(monkeypatch, own / "home")
    shutil.copyfile(empty_database, own / "storycore.db")
    monkeypatch.setenv("STORYCORE_DATABASE_URL", f"sqlite:///{own / 'storycore.db'}")
    monkeypatch.setenv("STORYCORE_CACHE_FOLDER", str(own / "cache"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))
    # Without compiled modules, hundreds of commands would each compile the whole program again.
    for name in (
        "STORYCORE_ROOTS",
        "STORYCORE_OUTPUT_ROOTS",
        "SOURCE_DATE_EPOCH",
        "NO_COLOR",
        "PYTHONDONTWRITEBYTECODE",
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def films(tmp_path: Path) -> Path:
    """A folder that projects stand in."""
    folder = tmp_path / "films"
    folder.mkdir()
    return folder


@pytest.fixture
def film(films: Path) -> Path:
    """A small project of three shots."""
    return make_project(films / "little")


@pytest.fixture
def samples() -> Path:
    """The sample projects; the test is skipped where they are not at hand."""
    if not SAMPLES.is_dir():
        pytest.skip("the sample projects are not beside this checkout")
    return SAMPLES


@pytest.fixture
def server(films: Path) -> Iterator[str]:
    """Base URL of a server whose root is `films`."""
    with serving(films) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path, empty_database: Path) -> Iterator[str]:
    """An empty database of each kind."""
    with sqlite(empty_database, tmp_path) if request.param == "sqlite" else postgres() as url:
        yield url


@pytest.fixture(scope="session")
def moto_server() -> Iterator[StoreServer]:
    """An S3 server that runs as long as the tests."""
    with moto() as server:
        yield server


@pytest.fixture(scope="session")
def seaweedfs_server() -> Iterator[StoreServer]:
    """Another S3 server, that checks signatures and checksums."""
    with seaweedfs() as server:
        yield server


@pytest.fixture(scope="session")
def azurite_server() -> Iterator[StoreServer]:
    """An Azure Blob server."""
    with azurite() as server:
        yield server


@pytest.fixture(params=["moto", "seaweedfs", "azurite"])
def store(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[StoreServer]:
    """An object store of each kind, reached by the environment, with a listed place of the test's own."""
    with settled(monkeypatch, request.getfixturevalue(f"{request.param}_server")) as server:
        yield server


@pytest.fixture
def s3(moto_server: StoreServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[StoreServer]:
    """An S3 store that starts at once."""
    with settled(monkeypatch, moto_server) as server:
        yield server


@pytest.fixture
def strict_s3(seaweedfs_server: StoreServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[StoreServer]:
    """An S3 store that checks signatures and checksums."""
    with settled(monkeypatch, seaweedfs_server) as server:
        yield server
