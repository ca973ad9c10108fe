"""Films that several workers on one Postgres render together: the same bytes, whoever dies meanwhile."""

import contextlib
import os
import signal
from functools import cached_property
from hashlib import sha256
from pathlib import Path

import imageio_ffmpeg
import psutil
import pytest
from sqlalchemy import delete, select

from fixtures.databases import postgres
from fixtures.engines import only_submit
from fixtures.films import cached_segments, make_film
from fixtures.programs import running
from fixtures.waiting import until
from storycore import FormatRequest, Settings, StoryCore, TaskCancelRequest, TaskListRequest
from storycore.database.tables import tasks

WAIT = 60.0
HELD = """#!/bin/sh
# Encodes nothing while somebody holds it; ffmpegs inherit HOME from their worker.
case "$*" in *.part*) while [ -e "$HOME/hold" ]; do sleep 0.1; done;; esac
exec "{real}" "$@"
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="Windows has no kill that can't be heard, and no such scripts"),
]


class Machine:
    """A worker with a home and a cache of its own."""

    def __init__(self, folder, process):
        self.folder, self.process = folder, process

    @property
    def painted(self):
        return set(cached_segments(self.folder / "cache"))

    def hold(self):
        (self.folder / "hold").touch()

    def let_go(self):
        (self.folder / "hold").unlink(missing_ok=True)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.let_go()


class Studio:
    """Machines that share a database, the film, and a folder of segments."""

    def __init__(self, place, url, stack):
        self.place, self.stack, self.machines = place, stack, []
        self.film = make_film(
            place / "film",
            *({"colour": (number * 20, 90, 20), "camera": "pan", "duration": 1} for number in range(9)),
        )
        ffmpeg = place / "ffmpeg"
        ffmpeg.write_text(HELD.format(real=imageio_ffmpeg.get_ffmpeg_exe()))
        ffmpeg.chmod(0o755)
        self.settings = {"database_url": url, "ffmpeg": str(ffmpeg), "lease_seconds": "2", "render_workers": "1"}
        self.core = stack.enter_context(StoryCore(Settings.read(**self.settings)))
        only_submit(self.core)
        self.records = self.core._app.tasks.records

    def machine(self, name):
        folder = self.place / name
        folder.mkdir(exist_ok=True)
        environment = {f"STORYCORE_{key.upper()}": value for key, value in self.settings.items()}
        environment["STORYCORE_SEGMENT_STORE"] = str(self.place / "shared")
        environment["STORYCORE_CACHE_FOLDER"] = str(folder / "cache")
        words = ("worker", "--workers", "1", "--root", str(self.place))
        line, process = self.stack.enter_context(
            running(*words, cwd=folder, HOME=str(folder), **environment)
        )  # fmt: skip
        assert line.startswith("Doing tasks"), line
        return Machine(folder, process)

    @cached_property
    def request(self):
        small = {"width": 960, "height": 540, "effort": "fast", "measure": "quick", "audio_codec": "none"}
        return FormatRequest(project_path=str(self.film), target_format="mp4", conversion_options=small)

    @cached_property
    def alone(self):
        """The film, rendered by one process without a database."""
        with StoryCore(Settings.read(**{**self.settings, "database_url": "none"})) as core:
            request = self.request.model_copy(update={"output_path": str(self.place / "alone")})
            return digest(core.run(request).output_path)

    def submit(self):
        """Orders the film, of which nobody has rendered anything yet."""
        for segment in self.place.glob("**/*.segment"):
            segment.unlink()
        with self.core._app.database.write() as connection:  # a helper may stop after the film that it helped with
            connection.execute(delete(tasks).where(tasks.c.parent.is_not(None), tasks.c.status == "cancelled"))
        return self.core.submit(self.request).task_id

    def parts(self, owner=None):
        """How the parts of all films stand: status by id, of one machine or all."""
        with self.core._app.database.read() as connection:
            query = select(tasks.c.id, tasks.c.status, tasks.c.owner).where(tasks.c.parent.is_not(None))
            rows = connection.execute(query).all()
            return {row.id: row.status for row in rows if owner is None or does(owner, row.owner)}

    def director(self, task_id, *machines):
        """The machine that runs a task itself, and the other one."""
        owner = until(lambda: self.records.find(task_id).owner)
        first, second = machines
        return (first, second) if does(first, owner) else (second, first)

    def ends(self, task_id):
        """How a task ended, and what the bytes of its film are."""
        task = self.core.wait(task_id, WAIT)
        assert task.status == "completed", task.error
        return task.attempt, digest(task.result["output_path"])


def does(machine, owner):
    return owner is not None and owner.split(":")[1] == str(machine.process.pid)


def digest(path):
    return sha256(Path(path).read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    with postgres() as url, contextlib.ExitStack() as stack:
        yield Studio(tmp_path_factory.mktemp("studio"), url, stack)


@pytest.fixture
def machines(studio):
    """Two machines that work; those that the test before left alive go on."""
    for number in range(2):
        if number == len(studio.machines):
            studio.machines.append(studio.machine(f"machine {number}"))
        elif studio.machines[number].process.poll() is not None:
            studio.machines[number] = studio.machine(studio.machines[number].folder.name)
    return studio.machines


def begun(studio, machines):
    """A film that both machines have begun, and that neither goes on with before it is let go."""
    for machine in machines:
        machine.hold()
    task_id = studio.submit()
    director, helper = studio.director(task_id, *machines)
    until(lambda: studio.parts(helper) and sorted(studio.parts().values()) == ["pending", "running"])
    return task_id, director, helper


def test_one_worker_alone_renders_all_of_it_itself(studio, machines):
    first, second = machines
    second.kill()
    assert studio.ends(studio.submit()) == (1, studio.alone)
    assert studio.parts() == {}
    assert len(first.painted) == 9


def test_two_workers_give_the_same_bytes_and_the_list_names_one_task(studio, machines):
    task_id, director, helper = begun(studio, machines)
    assert [item.task_id for item in studio.core.run(TaskListRequest(status="running")).items] == [task_id]
    assert studio.core.standing().counts["running"] == 1
    helper.let_go()  # it goes on with all that the director has not begun
    until(lambda: len(helper.painted) == 6)
    director.let_go()
    assert studio.ends(task_id) == (1, studio.alone)
    assert len(director.painted) == 9
    assert studio.parts() == {}


def test_a_helper_that_is_killed_costs_only_what_it_had_begun(studio, machines):
    task_id, director, helper = begun(studio, machines)
    helper.kill()
    director.let_go()
    assert studio.ends(task_id) == (1, studio.alone)
    assert helper.painted == set()
    assert studio.parts() == {}


def test_when_who_ordered_the_film_is_killed_the_other_finishes_it(studio, machines):
    task_id, director, helper = begun(studio, machines)
    director.kill()
    helper.let_go()
    assert studio.ends(task_id) == (2, studio.alone)
    assert studio.parts() == {}


def test_a_film_that_is_cancelled_ends_on_both_machines_and_leaves_nothing(studio, machines):
    task_id, director, helper = begun(studio, machines)
    studio.core.run(TaskCancelRequest(task_id=task_id))
    assert studio.core.wait(task_id, WAIT).status == "cancelled"
    until(lambda: not {"pending", "running"} & set(studio.parts().values()))
    families = [psutil.Process(one.process.pid) for one in (director, helper)]
    until(lambda: not [child for family in families for child in family.children(recursive=True)])
    assert not [left for place in studio.place.glob("*/cache/segments/work") for left in place.iterdir()]
    assert not list(studio.film.glob("exports/**/*.part"))
    director.let_go()
    helper.let_go()
