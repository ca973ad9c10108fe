"""Long work as tasks, by HTTP and by the library."""

import threading

import httpx
import pytest

from fixtures.databases import postgres, restart_postgres
from fixtures.media_files import sparse
from fixtures.servers import serving
from fixtures.waiting import until
from storycore import (
    ArtifactListRequest,
    PackageRequest,
    StoryCore,
    StoryCoreError,
    TaskCancelRequest,
    TaskEventsRequest,
    TaskListRequest,
    TaskStatusRequest,
)

PACKAGE = "/v1/storycore.export.package"
STATUS = "/v1/storycore.task.status"
CANCEL = "/v1/storycore.task.cancel"


@pytest.fixture
def client(server):
    with httpx.Client(base_url=server, timeout=60) as http:
        yield http


def test_an_export_by_http_is_a_task_that_can_be_asked_for_later(client, film):
    answer = client.post(PACKAGE, json={"project_path": film.name}, headers={"Prefer": "wait=60"})
    assert (answer.status_code, answer.headers["preference-applied"]) == (200, "wait=60")
    listed = client.get("/v1/storycore.task.list").json()["data"]["items"]
    task = client.get(STATUS, params={"task_id": listed[0]["task_id"]}).json()["data"]
    assert (task["status"], task["progress"], task["attempt"], task["result"]) == (
        "completed", 1.0, 1, answer.json()["data"],
    )  # fmt: skip


def test_who_does_not_wait_gets_the_task_and_where_to_ask(client, film):
    answer = client.post(PACKAGE, json={"project_path": film.name}, headers={"Prefer": "respond-async, wait=0"})
    body = answer.json()
    assert (answer.status_code, body["status"], answer.headers["retry-after"]) == (202, "pending", "1")
    done = until(lambda: client.get(answer.headers["location"]).json()["data"], lambda it: it["status"] == "completed")
    assert done["task_id"] == body["data"]["task_id"]


def test_who_waits_long_enough_gets_the_task_while_it_goes_on(client, film):
    sparse(film / "assets/big.mov", size_bytes=10 * 2**30)
    answer = client.post(PACKAGE, json={"project_path": film.name}, headers={"Prefer": "wait=1"})
    task = answer.json()["data"]
    assert (answer.status_code, task["status"], answer.headers["preference-applied"]) == (202, "running", "wait=1")
    client.post(CANCEL, json={"task_id": task["task_id"]})
    where = answer.headers["location"]
    assert until(lambda: client.get(where).json()["data"], lambda it: it["status"] != "running")["attempt"] == 1


def test_what_is_refused_leaves_no_row(client, film, films):
    refused = [
        client.post(PACKAGE, json={"project_path": "nowhere"}).json(),
        client.post(PACKAGE, json={"project_path": film.name, "output_path": str(films / "out")}).json(),
        client.post("/v1/storycore.export.format", json={"project_path": film.name, "target_format": "pdff"}).json(),
        client.post("/v1/storycore.export.verify", json={"package_path": "gone.zip"}).json(),
    ]
    reasons = [body["error"]["details"]["reason"] for body in refused]
    assert reasons == ["project_not_found", "path_outside_root", "unsupported_format", "file_not_found"]
    assert client.get("/v1/storycore.task.list").json()["data"]["items"] == []


def test_a_failed_task_answers_with_its_error_and_names_itself(client, film):
    (film / "project.json").write_text("{")
    error = client.post(PACKAGE, json={"project_path": film.name}).json()["error"]
    assert error["details"]["reason"] == "project_invalid"
    task = client.get(STATUS, params={"task_id": error["details"]["task_id"]}).json()["data"]
    assert (task["status"], task["error"]["details"]["reason"]) == ("failed", "project_invalid")


def test_a_running_task_that_is_cancelled_ends_so_and_leaves_nothing(client, film):
    sparse(film / "assets/big.mov", size_bytes=10 * 2**30)
    task = client.post(PACKAGE, json={"project_path": film.name}, headers={"Prefer": "wait=0"}).json()["data"]
    until(lambda: list(film.glob("exports/*/.*.part")), bool)
    assert client.post(CANCEL, json={"task_id": task["task_id"]}).json()["data"]["cancelled"] is True
    ended = until(
        lambda: client.get(STATUS, params={"task_id": task["task_id"]}).json()["data"],
        lambda it: it["status"] not in ("pending", "running"),
    )
    assert (ended["status"], ended["error"]["details"]["reason"]) == ("cancelled", "cancelled")
    assert list(film.glob("exports/*")) == []
    again = client.post(CANCEL, json={"task_id": task["task_id"]}).json()["error"]
    assert (again["details"]["reason"], again["message"]) == ("task_finished", "The task is over already: cancelled.")


def test_who_waits_while_the_database_is_away_is_told_the_task_that_goes_on(film, films):
    sparse(film / "assets/big.mov", size_bytes=10 * 2**30)
    with postgres() as url, serving(films, database_url=url) as there, httpx.Client(base_url=there, timeout=60) as http:
        leaving = threading.Timer(2, restart_postgres, kwargs={"away_seconds": 3})
        leaving.start()
        answer = http.post(PACKAGE, json={"project_path": film.name}, headers={"Prefer": "wait=7"})
        leaving.join()
        assert (answer.status_code, answer.json().get("error")) == (202, None)
        http.post(CANCEL, json={"task_id": answer.json()["data"]["task_id"]})


def test_the_library_keeps_record_of_what_it_does_here(film):
    with StoryCore() as sc:
        packed = sc.run(PackageRequest(project_path=str(film)))
        task = sc.run(TaskListRequest()).items[0]
        told = sc.run(TaskStatusRequest(task_id=task.task_id))
        events = [event.event for event in sc.events(TaskEventsRequest(task_id=task.task_id))]
        artifact = sc.run(ArtifactListRequest(task_id=task.task_id)).items[0]
    assert told.result == packed.model_dump(mode="json")
    assert (events[0], events[-1]) == ("started", "completed")
    assert (artifact.path, artifact.checksum) == (packed.export_path, packed.checksum)


def test_what_was_asked_for_from_one_folder_is_found_and_done_again_from_another(film, tmp_path, monkeypatch):
    monkeypatch.chdir(film.parent)
    with StoryCore() as sc:
        sc.run(PackageRequest(project_path=film.name, output_path=f"{film.name}/exports/one.zip"))
        task = sc.run(TaskListRequest()).items[0]
    monkeypatch.chdir(tmp_path)
    with StoryCore() as sc:
        asked = sc.asked(task.task_id).request
        assert asked["project_path"] == str(film)
        assert asked["output_path"] == str(film / "exports/one.zip")
        assert sc.run(PackageRequest(project_path=asked["project_path"])).files_included


def test_lists_go_on_by_cursor_to_the_end_without_gap_or_double(film):
    with StoryCore() as sc:
        ids = [sc.submit(PackageRequest(project_path=str(film))).task_id for _ in range(5)]
        seen, cursor = [], None
        while True:
            page = sc.run(TaskListRequest(limit=2, cursor=cursor))
            seen += [item.task_id for item in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break
    assert seen == ids[::-1]


def test_a_waiting_task_that_is_cancelled_never_begins(film):
    with StoryCore() as sc:
        task = sc.submit(PackageRequest(project_path=str(film)))
        sc.run(TaskCancelRequest(task_id=task.task_id))
        sc.work()
        other = sc.submit(PackageRequest(project_path=str(film)))
        assert sc.wait(other.task_id, 60).status == "completed"
        assert [event.event for event in sc.events(TaskEventsRequest(task_id=task.task_id))] == [
            "accepted",
            "cancelled",
        ]


def test_without_a_database_exports_work_and_tasks_say_why_they_do_not(film, monkeypatch):
    monkeypatch.setenv("STORYCORE_DATABASE_URL", "none")
    with StoryCore() as sc:
        assert sc.run(PackageRequest(project_path=str(film))).files_included > 0
        with pytest.raises(StoryCoreError, match="there is none") as told:
            sc.run(TaskListRequest())
    assert told.value.reason == "setting_invalid"


def test_events_go_on_after_the_one_that_was_seen_last(film):
    with StoryCore() as sc:
        sc.run(PackageRequest(project_path=str(film)))
        task_id = sc.run(TaskListRequest()).items[0].task_id
        all_of_them = list(sc.events(TaskEventsRequest(task_id=task_id)))
        rest = list(sc.events(TaskEventsRequest(task_id=task_id, after=all_of_them[0].id)))
    assert rest == all_of_them[1:]


def test_two_servers_on_one_database_see_the_same_tasks(films, film):
    with serving(films) as one, serving(films) as other:
        answer = httpx.post(one + PACKAGE, json={"project_path": film.name}, headers={"Prefer": "wait=60"}, timeout=90)
        listed = httpx.get(f"{other}/v1/storycore.task.list").json()["data"]["items"]
    assert answer.status_code == 200
    assert [item["status"] for item in listed] == ["completed"]
