"""The dashboard by HTTP: who may see it, what it refuses, and that it tells the same as the API."""

import contextlib
import hashlib
import html
import io
import json
import shutil
import sqlite3
import subprocess
from pathlib import Path

import httpx
import pytest
from PIL import Image, ImageChops, ImageStat

from fixtures.projects import make_project, write_json
from fixtures.servers import serving
from storycore import FormatRequest, KeyCreateRequest, PackageRequest, Settings, StoryCore
from storycore.dashboard import assets
from storycore.dashboard.answering import POLICY
from storycore.dashboard.places import PLACES
from storycore.dashboard.visit import Visit

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
REFUSED = "http://127.0.0.1:9/hook"
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    folder = tmp_path_factory.mktemp("films")
    make_project(folder / "little")
    odd = make_project(folder / "odd", name=HOSTILE)
    write_json(odd / "storyboard.json", {"title": HOSTILE})
    return folder


def called(url, name, /, **values):
    """What the API answers."""
    answer = httpx.post(f"{url}/v1/storycore.{name}", json=values, timeout=60)
    assert answer.status_code < 300, answer.text
    return answer.json()["data"]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("dashboard")


@pytest.fixture(scope="module")
def url(films, place):
    facts = {"database_url": f"sqlite:///{place / 's.db'}", "cache_folder": place / "cache"}
    with serving(films, webhook_allow=("127.0.0.1:9",), **facts) as url:
        yield url


@pytest.fixture(scope="module")
def guarded(films, tmp_path_factory):
    """A server that asks for keys; a key for everything; one that allows to look at tasks."""
    place = tmp_path_factory.mktemp("guarded")
    facts = {"database_url": f"sqlite:///{place / 's.db'}", "require_key": True}
    with StoryCore(Settings.read(**facts)) as core:
        everything = core.run(KeyCreateRequest(name="all", scopes=["admin"])).key
        little = core.run(KeyCreateRequest(name="little", scopes=["tasks:read"])).key
    with serving(films, **facts) as url:
        yield url, everything, little


@pytest.fixture(scope="module")
def artifact(url, films):
    answer = httpx.post(f"{url}/v1/storycore.export.package", json={"project_path": str(films / "little")}, timeout=60)
    assert answer.status_code == 200
    return httpx.get(f"{url}/exports?format=json").json()["artifacts"]["items"][0]


def test_a_page_keeps_a_strict_policy_and_tells_other_sites_nothing(url):
    answer = httpx.get(f"{url}/")
    assert answer.headers["content-security-policy"] == POLICY
    assert "unsafe" not in POLICY
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"


def test_no_page_holds_a_script_or_a_style_of_its_own():
    texts = [path.read_text() for path in Path(assets.__file__).with_name("templates").iterdir()]
    assert [text for text in texts if "style=" in text or "<style" in text or " on" + "click" in text] == []
    assert all(text.count("<script") == text.count("<script src=") for text in texts)


def test_vendored_scripts_are_the_ones_that_were_published():
    listed = [line.split() for line in (assets.FOLDER / "VENDORED.txt").read_text().splitlines() if ".js" in line]
    sums = {words[0]: words[-1] for words in listed if "sha256" in words}
    assert sums == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in assets.FOLDER.glob("*.min.js")}


def test_files_of_pages_are_fetched_once(url):
    first = httpx.get(f"{url}/")
    style = first.text.split('href="/static/')[1].split('"')[0]
    assert "immutable" in httpx.get(f"{url}/static/{style}").headers["cache-control"]
    assert httpx.get(f"{url}/static/site.css").headers["cache-control"] == "no-cache"
    assert httpx.get(f"{url}/static/..%2fanswering.py").status_code == 404


def test_a_page_as_json_tells_what_the_api_tells(url, artifact):
    api = httpx.get(f"{url}/v1/storycore.artifact.list").json()["data"]
    assert httpx.get(f"{url}/exports?format=json").json()["artifacts"] == api


def test_a_page_that_is_not_there_has_words_for_people_and_an_envelope_for_programs(url):
    people = httpx.get(f"{url}/nowhere", headers={"Accept": "text/html"})
    programs = httpx.get(f"{url}/nowhere")
    assert people.status_code == programs.status_code == 404
    assert "There is no such page." in people.text
    assert programs.json()["status"] == "error"
    assert httpx.get(f"{url}/tasks/task_none").status_code == 404


def test_commands_in_remedies_and_explanations_stand_out(url, films):
    asked = {"path": str(films / "none")}
    page = httpx.get(f"{url}/projects/view", params=asked, headers={"Accept": "text/html"}).text
    assert "<code>storycore project list</code>" in page
    told = httpx.get(f"{url}/api/storycore.export.format").text
    assert "<code>export presets</code>" in told
    assert "`" not in page + told


def test_names_of_strangers_are_text(url, films):
    page = httpx.get(f"{url}/projects/view", params={"path": str(films / "odd")})
    assert HOSTILE not in page.text
    assert "&lt;script&gt;alert(1)" in page.text


def test_a_project_outside_the_roots_is_refused(url):
    for path in ("/projects/view", "/projects/shot-picture"):
        assert httpx.get(f"{url}{path}", params={"path": "/etc", "number": "1"}).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}],
    ids=["foreign", "null", "cross-site"],
)
def test_forms_of_other_sites_do_nothing(url, headers):
    before = httpx.get(f"{url}/webhooks?format=json").json()["webhooks"]["items"]
    answer = httpx.post(f"{url}/webhooks", data={"url": "https://x.example/"}, headers=headers)
    assert answer.status_code == 403
    assert httpx.get(f"{url}/webhooks?format=json").json()["webhooks"]["items"] == before


def test_a_link_of_another_site_shows_a_page_but_never_calls_the_api(url):
    followed = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert httpx.get(f"{url}/tasks", headers=followed).status_code == 200
    assert httpx.get(f"{url}/v1/storycore.task.list", headers=followed).status_code == 403
    framed = {**followed, "Sec-Fetch-Dest": "iframe"}
    assert httpx.get(f"{url}/tasks", headers=framed).status_code == 403


def test_actions_take_forms_only_and_the_api_takes_none(url):
    assert httpx.post(f"{url}/webhooks", json={"url": "https://x.example/"}).status_code == 415
    assert httpx.post(f"{url}/v1/storycore.export.package", data={"project_path": "little"}).status_code == 415
    assert httpx.get(f"{url}/tasks/task_none/cancel").status_code == 405


def test_a_form_that_is_too_large_or_broken_is_refused(url):
    large = httpx.post(f"{url}/webhooks", content=b"a=" + b"x" * 2_000_000, headers=FORM)
    assert large.status_code == 413
    assert httpx.post(f"{url}/webhooks", content=b"url=%ff&&&&", headers=FORM).status_code == 400
    many = "&".join(f"a{number}=1" for number in range(300))
    assert httpx.post(f"{url}/webhooks", content=many, headers=FORM).status_code == 400


def test_a_film_is_sent_in_parts_and_a_pdf_is_shown_only_if_it_is_one(url, artifact):
    place = f"{url}/exports/{artifact['artifact_id']}"
    part = httpx.get(f"{place}/file", headers={"Range": "bytes=0-3"})
    assert (part.status_code, part.content) == (206, b"PK\x03\x04")
    assert part.headers["content-security-policy"] == "sandbox"
    assert httpx.get(f"{place}/pages").status_code == 404


def test_a_package_is_verified_and_the_same_is_asked_for_again(url, artifact):
    checked = httpx.post(f"{url}/exports/{artifact['artifact_id']}/verify", content="", headers=FORM)
    assert checked.status_code == 303
    task = checked.headers["location"].split("?")[0]
    with httpx.stream("GET", f"{url}{task}?live=1", timeout=60) as stream:
        told = "".join(stream.iter_text())  # to its end
    assert told.endswith("event: end\ndata: {}\n\n")
    assert "all of it holds" in told
    assert f"<dt>File</dt><dd><code>{artifact['path']}</code>" in told
    again = httpx.post(f"{url}{task}/again", content="", headers=FORM)
    assert again.status_code == 303
    assert again.headers["location"].split("?")[0] != task


def test_a_task_says_how_the_same_is_typed_and_called(url, films, artifact):
    page = httpx.get(f"{url}/tasks/{artifact['task_id']}").text
    assert f"storycore export package {films / 'little'}" in page
    assert f"{url}/v1/storycore.export.package" in page


def test_a_secret_is_shown_once(url, films):
    made = httpx.post(f"{url}/settings/keys", data={"name": "suite", "scopes": ["tasks:read"]})
    key = made.text.split("sck_")[1][:20]
    assert key not in httpx.get(f"{url}/settings").text
    assert made.headers["cache-control"] == "no-store"


def test_what_was_sent_to_a_webhook_that_was_ended_is_shown_and_not_offered_again(url):
    told = {"url": REFUSED, "event_types": ["image.generated"]}
    hook = httpx.post(f"{url}/v1/storycore.integration.webhook.register", json=told).json()["data"]["webhook_id"]
    httpx.post(f"{url}/v1/storycore.integration.webhook.ping", json={"webhook_id": hook}, timeout=60)
    found = httpx.get(f"{url}/webhooks/deliveries?format=json&webhook_id={hook}").json()["deliveries"]["items"][0]
    place = f"{url}/webhooks/deliveries/view?id={found['delivery_id']}&event={found['event_id']}&webhook={hook}"
    assert f'href="/webhooks/{hook}"' in httpx.get(place).text
    assert "was ended" not in httpx.get(f"{url}/webhooks").text
    assert httpx.post(f"{url}/webhooks/{hook}/delete", content="", headers=FORM).status_code == 303
    shown = httpx.get(place).text
    assert "Its webhook was ended" in shown
    assert f'href="/webhooks/{hook}"' not in shown
    assert 'id="redeliver"' not in shown
    for listed in ("/webhooks", "/webhooks/deliveries"):
        page = httpx.get(f"{url}{listed}").text
        assert f"redeliver-{found['delivery_id']}" not in page
        assert "its webhook was ended" in page
    again = httpx.post(f"{url}/webhooks/deliveries/{found['delivery_id']}/redeliver", content="", headers=FORM)
    assert again.status_code == 404
    assert "It is not sent again: its webhook was ended." in again.text
    assert "Register its address anew" in again.text


def test_settings_say_where_they_are_from_and_tell_no_secret(url, films):
    rows = {row["name"]: row for row in httpx.get(f"{url}/settings?format=json").json()["settings"]}
    assert rows["roots"]["value"] == [str(films)]
    assert (rows["roots"]["origin"], rows["log_level"]["origin"]) == ("flags", "")
    assert rows["secret_key"]["value"] in ("", "**********")


def test_settings_are_told_as_people_do(url):
    told = row(httpx.get(f"{url}/settings").text, ">require_key<")
    assert "<code>no</code>" in told


def test_who_has_no_key_is_led_to_where_one_is_shown(guarded):
    url, everything, _ = guarded
    asked = httpx.get(f"{url}/tasks?status=failed")
    assert asked.status_code == 303
    assert asked.headers["location"] == "/sign-in?next=%2Ftasks%3Fstatus%3Dfailed"
    assert httpx.get(f"{url}/tasks?format=json").status_code == 401
    wrong = httpx.post(f"{url}/sign-in", data={"key": "sck_none", "next": "/tasks"})
    assert (wrong.status_code, "set-cookie" in wrong.headers) == (401, False)
    entered = httpx.post(f"{url}/sign-in", data={"key": everything, "next": "/tasks?status=failed"})
    cookie = entered.headers["set-cookie"]
    assert entered.headers["location"] == "/tasks?status=failed"
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert httpx.get(f"{url}/tasks", cookies={"storycore_key": everything}).status_code == 200


@pytest.mark.parametrize("wanted", ["//evil.example", "https://evil.example", "/\\evil.example", "", "javascript:x"])
def test_signing_in_never_leads_elsewhere(guarded, wanted):
    url, everything, _ = guarded
    entered = httpx.post(f"{url}/sign-in", data={"key": everything, "next": wanted})
    assert entered.headers["location"] == "/"


def test_the_cookie_of_the_pages_opens_nothing_of_the_api(guarded):
    url, everything, _ = guarded
    assert httpx.get(f"{url}/v1/storycore.task.list", cookies={"storycore_key": everything}).status_code == 401


def test_a_key_shows_and_does_only_what_it_allows(guarded):
    url, _, little = guarded
    cookies = {"storycore_key": little}
    assert httpx.get(f"{url}/tasks", cookies=cookies).status_code == 200
    assert httpx.get(f"{url}/", cookies=cookies).status_code == 200
    for path in ("/settings", "/webhooks", "/projects", "/exports", "/comfyui", "/figures", "/exports/new"):
        answer = httpx.get(f"{url}{path}", cookies=cookies)
        assert answer.status_code == (200 if path == "/exports/new" else 403), path
    made = httpx.post(f"{url}/exports/new", data={"project": "little", "what": "package"}, cookies=cookies)
    assert made.status_code == 403


def test_every_action_is_refused_without_a_key(guarded):
    url, *_ = guarded
    actions = [place.path for place in PLACES if place.method == "POST" and not place.is_open]
    for path in actions:
        filled = path.replace("{", "").replace("}", "")
        assert httpx.post(f"{url}{filled}", content="", headers=FORM).status_code == 401, path


def test_pages_are_counted_as_pages(url):
    httpx.get(f"{url}/tasks")
    told = httpx.get(f"{url}/metrics").text
    assert 'storycore_http_requests_total{operation="page",status="200"}' in told


def test_an_address_keeps_the_state_of_a_page():
    visit = Visit(core=None, path="/tasks", query={"status": "failed", "cursor": "c9", "said": "again", "live": "1"})
    assert visit.here == "/tasks?status=failed&cursor=c9"
    assert visit.with_query(cursor=None) == "/tasks?status=failed"
    assert visit.json == "/tasks?status=failed&cursor=c9&format=json"
    assert json.dumps(visit.live) == '"/tasks?status=failed&cursor=c9&live=1"'


def test_events_are_told_from_the_newest_on_by_kind_and_page_by_page(url, artifact):
    sent = [{"event_type": kind, "data": {"subject": HOSTILE}} for kind in ("qa.started", "qa.completed")]
    for one in sent:
        assert httpx.post(f"{url}/v1/storycore.event.publish", json=one).status_code == 200
    told = httpx.get(f"{url}/events?format=json").json()["events"]["items"]
    assert [one["event_type"] for one in told[:2]] == ["qa.completed", "qa.started"]
    exports = httpx.get(f"{url}/events?type=export.*&format=json").json()["events"]["items"]
    assert {one["event_type"].split(".")[0] for one in exports} == {"export"}
    page = httpx.get(f"{url}/events")
    assert HOSTILE not in page.text
    assert f"/tasks/{artifact['task_id']}" in page.text
    assert "Nothing of this kind" in httpx.get(f"{url}/events?type=video.rendered").text
    assert httpx.get(f"{url}/events?type=nothing").status_code == 400
    assert httpx.get(f"{url}/events?cursor=nothing").status_code == 400


def test_events_come_to_the_page_by_themselves(url):
    with httpx.stream("GET", f"{url}/events?live=1&type=audio.generated", timeout=30) as stream:
        lines = stream.iter_lines()
        assert "Nothing of this kind" in next(lines) + next(lines)
        facts = {"output": {"path": "/music/wind.wav", "size_bytes": 1}}
        httpx.post(f"{url}/v1/storycore.event.publish", json={"event_type": "audio.generated", "data": facts})
        assert any("wind.wav" in line for line in lines)


def test_a_delivery_says_what_was_not_sent_and_what_was_not_kept(url, place):
    hook = called(url, "integration.webhook.register", url=REFUSED, event_types=["qa.*"])
    sent = called(url, "integration.webhook.ping", webhook_id=hook["webhook_id"])
    view = {"id": sent["delivery_id"], "event": sent["event_id"], "webhook": hook["webhook_id"]}
    page = httpx.get(f"{url}/webhooks/deliveries/view", params=view).text
    assert "Nothing was sent: no connection came about." in page
    assert "&#34;webhook.ping&#34;" in page
    with contextlib.closing(sqlite3.connect(place / "s.db")) as database, database:
        database.execute("UPDATE attempts SET request_headers = NULL")  # as one of before has it
    assert "Its headers were not kept." in httpx.get(f"{url}/webhooks/deliveries/view", params=view).text


def test_a_document_shows_its_pages_and_nothing_else_has_pages(url, films, artifact, tmp_path):
    made = called(url, "export.format", project_path=str(films / "little"), target_format=["pdf"])
    found = next(it for it in httpx.get(f"{url}/exports?format=json").json()["artifacts"]["items"]
                 if it["path"] == made["outputs"][0]["output_path"])  # fmt: skip
    place = f"/exports/{found['artifact_id']}"
    count = made["outputs"][0]["quality_metrics"]["pages"]
    first, last = (httpx.get(f"{url}{place}", params=wanted).text for wanted in ({}, {"page": "9999"}))
    assert f'src="{place}/page?number=1"' in first
    assert first.count("size=small") == count > 1
    assert 'id="verify"' in first  # credentials stand beside it
    assert f'src="{place}/page?number={count}"' in last
    large = httpx.get(f"{url}{place}/page?number={count}", timeout=60)
    small = httpx.get(f"{url}{place}/page?number={count}&size=small", timeout=60)
    assert [it.headers["content-type"] for it in (large, small)] == ["image/jpeg"] * 2
    sizes = [Image.open(io.BytesIO(it.content)).size for it in (large, small)]
    assert [max(size) for size in sizes] == [1600, 320]
    (tmp_path / "it.pdf").write_bytes(Path(found["path"]).read_bytes())
    assert likeness(tmp_path / "it.pdf", count, large.content) < 6  # of 255, to what poppler draws
    assert f'src="{place}/thumbnail"' in row(httpx.get(f"{url}/exports").text, found["artifact_id"])
    assert httpx.get(f"{url}{place}/thumbnail").content == httpx.get(f"{url}{place}/page?number=1&size=small").content
    beyond = httpx.get(f"{url}{place}/page?number={count + 1}")
    assert (beyond.status_code, beyond.headers["content-type"]) == (200, "image/svg+xml")
    for wrong in ("0", "-1", "1e9", "x", "٣", "123456789"):
        assert httpx.get(f"{url}{place}/page", params={"number": wrong}).status_code == 400, wrong
    assert httpx.get(f"{url}/exports/{artifact['artifact_id']}/page").status_code == 404
    Path(found["path"]).write_bytes(b"changed")
    assert httpx.get(f"{url}{place}/page?number={count}").content == large.content  # of the document that was made


def likeness(path, number, picture) -> float:
    """Mean difference between a picture of a page and what another program draws of it."""
    if shutil.which("pdftoppm") is None:
        pytest.skip("poppler is not installed")
    ours = Image.open(io.BytesIO(picture)).convert("L")
    size = ["-scale-to-x", str(ours.width), "-scale-to-y", str(ours.height)]
    told = subprocess.run(
        ["pdftoppm", "-f", str(number), "-l", str(number), *size, "-gray", str(path)], capture_output=True, check=True
    )
    theirs = Image.open(io.BytesIO(told.stdout)).convert("L")
    return ImageStat.Stat(ImageChops.difference(ours, theirs)).mean[0]


def test_a_sound_has_a_waveform_and_other_files_have_none(url, films, artifact):
    wish = {"project_path": str(films / "little"), "target_format": ["wav"]}
    assert httpx.post(f"{url}/v1/storycore.export.format", json=wish, timeout=60).status_code == 200
    sound = next(it for it in httpx.get(f"{url}/exports?format=json").json()["artifacts"]["items"]
                 if it["media_type"] in ("audio/wav", "audio/x-wav"))  # fmt: skip
    place = f"/exports/{sound['artifact_id']}"
    assert f'src="{place}/waveform"' in httpx.get(f"{url}{place}").text
    assert f'src="{place}/waveform"' in httpx.get(f"{url}/exports").text
    drawn = httpx.get(f"{url}{place}/waveform", timeout=30)
    assert (drawn.status_code, drawn.headers["content-type"]) == (200, "image/svg+xml")
    assert drawn.text.count("V") > 50
    assert httpx.get(f"{url}/exports/{artifact['artifact_id']}/waveform").status_code == 404
    Path(sound["path"]).write_bytes(b"changed")
    assert httpx.get(f"{url}{place}/waveform").text == drawn.text  # that of the sound that was made


def row(page, name):
    """The row of a list that holds a name."""
    return next(text for text in page.split("<tr ") if name in text)


def test_a_list_says_which_film_each_task_and_file_is_of(url, films, artifact):
    task = row(httpx.get(f"{url}/tasks").text, artifact["task_id"])
    file = row(httpx.get(f"{url}/exports").text, artifact["artifact_id"])
    assert artifact["project_path"] == str(films / "little")
    for told in (task, file):
        assert f'title="{films / "little"}">little</a>' in told
        assert artifact["name"] in told
    called = f"Packing the project · <bdi>{artifact['name']}</bdi>"  # the same here and there
    assert called in task
    assert f"<h1>{called}</h1>" in httpx.get(f"{url}/tasks/{artifact['task_id']}").text
    known = httpx.get(f"{url}/v1/storycore.task.status", params={"task_id": artifact["task_id"]}).json()["data"]
    assert (known["project_path"], known["subject"]) == (str(films / "little"), artifact["name"])


def test_the_page_of_a_project_shows_what_was_made_of_it_wherever_that_stands(tmp_path):
    facts = {
        "database_url": f"sqlite:///{tmp_path / 's.db'}",
        "cache_folder": tmp_path / "cache",
        "credentials": "always",
    }
    film, other = (make_project(tmp_path / "films" / name, name=name) for name in ("mine", "other"))
    with StoryCore(Settings.read(**facts)) as core:
        for one in (film, other):
            core.run(
                FormatRequest(project_path=f"{one}/", target_format="html", output_path=str(tmp_path / "delivered"))
            )
    with serving(tmp_path / "films", **facts) as url:
        page = httpx.get(f"{url}/projects/view", params={"path": str(film), "format": "json"}, timeout=60).json()
    assert [one["path"] for one in page["exports"]] == [str(tmp_path / "delivered/mine.html")]
    assert (tmp_path / "delivered/mine.html.c2pa").is_file()  # what vouches for it stands beside it, not in front


def test_a_film_outside_the_folders_of_the_server_is_listed_as_elsewhere_and_not_opened(tmp_path):
    facts = {"database_url": f"sqlite:///{tmp_path / 's.db'}", "cache_folder": tmp_path / "cache"}
    (tmp_path / "served").mkdir()
    hidden = make_project(tmp_path / "other" / HOSTILE.replace("/", "-"))
    with StoryCore(Settings.read(**facts)) as core:
        made = core.run(PackageRequest(project_path=str(hidden)))
    with serving(tmp_path / "served", **facts) as url:
        for page in (httpx.get(f"{url}/tasks").text, httpx.get(f"{url}/exports").text):
            assert Path(made.export_path).name in page
            assert "elsewhere" in page
            assert "not in the folders that this server reads" in page
            assert "/projects/view" not in page
            assert "<script>alert" not in page


@pytest.fixture(scope="module")
def poster(url, films):
    wish = {"project_path": str(films / "little"), "target_format": "poster",
            "conversion_options": {"width": 640, "height": 360}}  # fmt: skip
    assert httpx.post(f"{url}/v1/storycore.export.format", json=wish, timeout=60).status_code == 200
    return httpx.get(f"{url}/exports?format=json").json()["artifacts"]["items"][0]


def test_a_picture_is_listed_with_a_small_one_that_moves_nothing_when_it_comes(url, poster, artifact):
    place = f"/exports/{poster['artifact_id']}/thumbnail"
    page = httpx.get(f"{url}/exports").text
    assert f'src="{place}" width="128" height="72" loading="lazy"' in row(page, poster["artifact_id"])
    assert "<svg" in row(page, artifact["artifact_id"])
    small = httpx.get(f"{url}{place}", timeout=30)
    assert (small.headers["content-type"], small.headers["cache-control"]) == ("image/jpeg", "private, max-age=86400")
    assert Image.open(io.BytesIO(small.content)).size == (320, 180)
    assert len(small.content) < 30_000
    made = Path(poster["path"]).read_bytes()
    Path(poster["path"]).write_bytes(b"changed")
    assert httpx.get(f"{url}{place}").content == small.content  # that of the picture that was made
    Path(poster["path"]).write_bytes(made)


def test_of_a_file_that_is_gone_the_page_says_so_and_offers_nothing_that_needs_it(url, poster):
    place, path = f"{url}/exports/{poster['artifact_id']}", Path(poster["path"])
    whole = path.read_bytes()
    for left in (None, whole[:-1]):  # removed, then cut short
        path.unlink()
        if left is not None:
            path.write_bytes(left)
        page, file = httpx.get(place), httpx.get(f"{place}/file", headers={"Accept": "text/html"})
        assert (page.status_code, file.status_code) == (200, 404)
        for told in (page, file):
            assert "not there any more as it was made" in told.text
            assert told.headers["content-type"].startswith("text/html")
        assert f'href="/tasks/{poster["task_id"]}"' in page.text
        assert "/file" not in page.text
        assert 'id="verify"' not in page.text
        path.write_bytes(whole)
    assert httpx.get(f"{place}/file").content == whole


def test_an_empty_list_shows_what_will_stand_there_and_how_to_make_the_first(tmp_path):
    facts = {"database_url": f"sqlite:///{tmp_path / 's.db'}", "cache_folder": tmp_path / "cache"}
    (tmp_path / "films").mkdir()
    told = {}
    with serving(tmp_path / "films", **facts) as url:
        for path in ("/", "/projects", "/exports", "/exports/new", "/tasks", "/comfyui", "/webhooks",
                     "/webhooks/deliveries", "/events", "/figures", "/settings"):  # fmt: skip
            page = httpx.get(f"{url}{path}", timeout=60)
            assert page.status_code == 200
            told[path] = [part.split("</div>")[0] for part in page.text.split('<div class="empty">')[1:]]
    assert {path: len(found) for path, found in told.items() if len(found) != 1} == {"/": 2, "/comfyui": 2}
    assert all('class="sign"' in one and "<code>storycore " in one for found in told.values() for one in found)
    assert len({one.split(' d="')[1].split('"')[0] for found in told.values() for one in found}) >= 6  # not one for all


def test_a_plan_tells_of_missing_media_once(url, films):
    film = make_project(films / "gappy")
    lost = min(path for path in (film / "assets").rglob("*") if path.suffix == ".png")
    lost.unlink()
    page = httpx.get(f"{url}/exports/new", params={"project": str(film), "what": "format:pdf"}, timeout=60).text
    assert page.count(lost.name) == 1
    assert "thing is odd" not in page


def test_small_pictures_are_made_of_finished_films_and_pictures_only(url, artifact):
    assert httpx.get(f"{url}/exports/{artifact['artifact_id']}/thumbnail").status_code == 404
    assert httpx.get(f"{url}/exports/artifact_none/thumbnail").status_code == 404
    assert httpx.get(f"{url}/exports/..%2f..%2fetc%2fpasswd/thumbnail").status_code in {400, 404}


def test_a_folder_that_only_begins_like_a_root_is_elsewhere(tmp_path):
    with StoryCore(Settings.read(roots=(tmp_path / "films",))) as core:
        visit = Visit(core=core, path="/tasks")
        seen = {name: visit.reads(str(tmp_path / name)) for name in ("films", "films/dream", "films-old", "other")}
    assert seen == {"films": True, "films/dream": True, "films-old": False, "other": False}


def test_an_example_of_a_call_has_the_fields_that_are_needed(url):
    page = html.unescape(httpx.get(f"{url}/api/storycore.export.package").text)
    assert """-d '{"project_path": "…"}'""" in page
    page = html.unescape(httpx.get(f"{url}/api/storycore.task.status").text)
    assert "/v1/storycore.task.status?task_id=…'" in page
