"""The dashboard in a real browser: everybody can use it, by the keyboard alone, and without scripts."""

from urllib.parse import quote

import pytest

from fixtures.windows import AXE, Looking
from storycore.tasks.task import Outcome, Status

HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(2)>'
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def everywhere(site):
    """Every page there is."""
    one = site.delivery()
    back = f"id={one['delivery_id']}&event={one['event_id']}&webhook={one['webhook_id']}"
    return [
        "/", "/tasks", f"/tasks/{site.task}", "/exports", f"/exports/{site.artifact}",
        f"/exports/new?project={quote(str(site.film))}&what=package", "/projects",
        f"/projects/view?path={quote(str(site.film))}", f"/projects/view?path={quote(str(site.hostile))}",
        f"/exports/{site.sound}", f"/exports/{site.document}", "/comfyui", "/events", "/webhooks",
        f"/webhooks/{site.webhook}", "/webhooks/deliveries",
        f"/webhooks/deliveries/view?{back}", "/figures", "/settings", "/api", "/api/storycore.export.format",
        "/sign-in",
    ]  # fmt: skip


@pytest.fixture(scope="module")
def window(browser):
    looking = Looking(browser)
    yield looking
    looking.context.close()


@pytest.fixture(autouse=True)
def _nothing_was_wrong_before(window):
    window.wrong.clear()


@pytest.fixture(scope="module")
def plain(browser):
    """A window without scripts."""
    looking = Looking(browser, java_script_enabled=False)
    yield looking
    looking.context.close()


def test_every_page_loads_keeps_its_policy_fits_a_telephone_and_can_be_used_by_everybody(site, window):
    found = {}
    for path in everywhere(site):
        status = window.go(site.url + path)
        complaints = [*window.complaints(), *window.unread_in_the_dark()] if AXE.is_file() else []
        told = [*window.wrong, *complaints]
        told += [] if status == 200 else [f"status {status}"]
        told += [] if window.width(320) <= 320 else ["too wide"]
        if told:
            found[path] = told
        window.wrong.clear()
    assert found == {}


def test_what_everybody_can_use_is_judged_by_axe():
    if not AXE.is_file():
        pytest.skip("axe-core is not installed: npm install --prefix .tools axe-core")
    assert AXE.stat().st_size > 100_000


def test_names_of_strangers_are_shown_as_text(site, window):
    window.go(f"{site.url}/projects/view?path={quote(str(site.hostile))}")
    assert window.page.locator("h1").inner_text() == HOSTILE
    assert window.page.locator("td", has_text=HOSTILE).count() == 1
    lost = window.page.locator(".timeline rect.lost title")
    assert [text.split(" · ")[0] for text in lost.all_text_contents()] == [HOSTILE] * 2
    window.go(f"{site.url}/tasks/{site.waiting().id}")
    window.page.locator("summary", has_text="What was asked for").click()
    assert "<script>" in window.page.locator("details[open] code").inner_text()
    assert window.wrong == []


def test_a_page_goes_on_by_itself_and_a_task_is_cancelled_by_the_keyboard_alone(site, window):
    task = site.running()
    window.go(f"{site.url}/tasks/{task.id}")
    site.records.report(task, 0.42, "drawing the lighthouse")
    window.page.locator("#live", has_text="drawing the lighthouse").wait_for()
    assert window.page.locator("progress").get_attribute("value") == "0.420"
    window.press_to("#cancel")
    window.page.keyboard.press("Enter")
    window.page.get_by_text("The task was told to stop").wait_for()
    assert site.records.find(task.id).cancel_requested
    site.records.finish(task, Status.CANCELLED, error={"code": "CONFLICT", "message": "Stopped.", "remediation": "-"})
    window.page.locator("#live", has_text="cancelled").wait_for()
    assert window.page.locator("#news").inner_text().strip() == "The task has been cancelled."
    assert window.wrong == []


def test_the_end_of_a_task_brings_its_next_steps_to_the_page(site, window):
    task = site.running()
    window.go(f"{site.url}/tasks/{task.id}")
    assert window.page.locator("#again").count() == 0
    site.records.finish(task, Status.COMPLETED, outcome=Outcome(result={}))
    window.page.locator("#again").wait_for()
    assert window.page.locator("progress").count() == 0


def test_the_end_of_a_task_that_comes_before_the_page_listens_is_shown_too(site, window):
    task = site.running()

    def late(route):
        site.records.finish(task, Status.COMPLETED, outcome=Outcome(result={}))
        window.page.wait_for_timeout(300)
        route.continue_()

    window.page.route("**/hx-sse*", late, times=1)  # the page is there, and what makes it live is not yet
    window.go(f"{site.url}/tasks/{task.id}")
    window.page.locator("#again").wait_for()
    assert window.page.locator("progress").count() == 0


def test_without_scripts_a_task_is_cancelled_too(site, plain):
    task = site.waiting()
    plain.go(f"{site.url}/tasks")
    plain.page.locator(f"#cancel-{task.id}").click()
    plain.page.get_by_text("The task was told to stop").wait_for()
    assert site.records.find(task.id).status is Status.CANCELLED


def test_a_message_is_sent_again_by_the_keyboard_alone(site, window):
    one = site.delivery()
    window.go(f"{site.url}/webhooks/deliveries")
    window.press_to(f"#redeliver-{one['delivery_id']}")
    window.page.keyboard.press("Enter")
    window.page.get_by_text("It is sent again, with the same id").wait_for()
    window.page.get_by_text("by hand").first.wait_for()  # the attempt appears by itself
    assert window.wrong == []


def test_without_scripts_a_message_is_sent_again_too(site, plain):
    one = site.delivery()
    plain.go(f"{site.url}/webhooks/{site.webhook}")
    plain.page.locator(f"#redeliver-{one['delivery_id']}").click()
    plain.page.get_by_text("It is sent again, with the same id").wait_for()


def test_an_export_is_planned_and_made_without_scripts(site, plain):
    plain.go(f"{site.url}/projects/view?path={quote(str(site.film))}")
    plain.page.get_by_role("link", name="Export this").click()
    plain.page.get_by_label("What").select_option("format:json")
    plain.page.get_by_role("button", name="Show the plan").click()
    assert plain.page.get_by_role("heading", name="The plan").count() == 1
    plain.page.get_by_role("button", name="Export", exact=True).click()
    plain.page.get_by_text("Accepted.").wait_for()
    task = plain.page.url.split("/tasks/")[1].split("?")[0]
    assert site.records.find(task).request["target_format"] == "json"


def test_the_pages_of_a_document_are_looked_at_one_after_the_other_without_scripts(site, plain):
    plain.go(f"{site.url}/exports/{site.document}")
    for number in (1, 2):
        picture = plain.page.locator("img.page")
        picture.wait_for()
        assert picture.get_attribute("alt").startswith(f"Page {number} of ")
        assert plain.page.locator(".sheets a[aria-current]").inner_text().strip() == f"Page {number}"
        if number == 1:
            plain.page.get_by_role("link", name="Next page").click()
            plain.page.wait_for_url("**page=2")
    assert plain.page.get_by_role("link", name="Next page").count() == 0


def test_a_page_of_a_document_is_a_picture(site, window):
    window.go(f"{site.url}/exports/{site.document}")
    window.page.wait_for_function("() => document.querySelector('img.page').naturalWidth > 0")
    assert window.page.evaluate("() => document.querySelector('img.page').naturalWidth") == 1600
    assert window.wrong == []


def test_what_happened_to_a_task_goes_on_by_itself(site, window):
    task = site.running()
    window.go(f"{site.url}/tasks/{task.id}")
    site.records.finish(task, Status.COMPLETED, outcome=Outcome(result={}))
    window.page.locator(".happened li", has_text="completed").wait_for()
    assert window.wrong == []


def test_shots_have_pictures_that_painters_made(site, window):
    window.go(f"{site.url}/projects/view?path={quote(str(site.film))}")
    picture = window.page.locator(".strip img").first
    picture.scroll_into_view_if_needed()
    window.page.wait_for_function("() => document.querySelector('.strip img').naturalWidth > 0")
    assert window.page.evaluate("() => document.querySelector('.strip img').naturalWidth") == 320


def seen(window, row):
    """The words of a row that stand in the window without moving it sideways."""
    script = """row => [...document.getElementById(row).querySelectorAll('a, time, .state, bdi, data, .quiet')]
        .filter(it => { const box = it.getBoundingClientRect(); return box.width > 1 && box.left >= 0
            && box.right <= innerWidth; }).map(it => it.textContent.trim())"""
    return " | ".join(window.page.evaluate(script, row))


def test_on_a_telephone_lists_say_of_each_row_its_film_how_it_stands_and_when(site, window):
    one = site.delivery()
    window.page.set_viewport_size({"width": 320, "height": 700})
    window.go(f"{site.url}/tasks")
    task = seen(window, f"row-{site.task}")
    window.go(f"{site.url}/exports")
    file = seen(window, f"row-{site.artifact}")
    window.go(f"{site.url}/webhooks/deliveries")
    delivery = seen(window, f"row-{one['delivery_id']}")
    assert window.page.locator(f"#row-{one['delivery_id']} a").bounding_box()["height"] < 40
    window.page.set_viewport_size({"width": 1200, "height": 800})
    for told, words in ((task, ("little", "Packing the project", ".zip", "completed", " ago")),
                        (file, ("little", ".zip", "package", "B", " ago")),
                        (delivery, ("webhook.ping", "evt_", "given up"))):  # fmt: skip
        assert [word for word in words if word not in told] == []


def test_a_list_of_exports_shows_pictures_as_they_come_into_view_and_nothing_moves(site, window):
    window.go(f"{site.url}/exports")
    picture = window.page.locator(f"#row-{site.picture} img.small")
    before = picture.bounding_box()
    picture.scroll_into_view_if_needed()
    window.page.wait_for_function(
        "row => document.querySelector(`#${row} img.small`).naturalWidth > 0", arg=f"row-{site.picture}"
    )
    assert picture.bounding_box() == before
    assert (before["width"], before["height"]) == (128, 72)
    assert picture.evaluate("it => it.naturalWidth") <= 320
    assert window.wrong == []


def test_a_hostile_workflow_is_listed_as_text(site, window):
    site.waiting()
    window.go(f"{site.url}/tasks?kind=storycore.integration.comfyui.workflow")
    assert window.page.locator("bdi", has_text="<script>").count() >= 1
    assert window.wrong == []
