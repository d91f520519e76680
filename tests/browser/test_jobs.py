"""Jobs in a real browser: started in three clicks, asked, paused, stopped, queued; by keyboard too."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open, renew, until_live
from tests.browser.job_stage import ended, put_recipes, started
from tests.browser.stage import Stage
from tests.browser.test_console import bearer, small_targets

pytestmark = pytest.mark.lab
LANGUAGES = ["ko", "en"]


@pytest.fixture
def jobs(lab: Stage) -> Iterator[httpx.Client]:
    """A client of the API beside the browser; what a test leaves in the queue is stopped."""
    put_recipes(lab)
    with httpx.Client(base_url=f"{lab.url}/api/v1", headers=bearer(lab), timeout=20) as client:
        yield client
        client.post("/queue/release", json={})
        for job in client.get("/jobs").json()["jobs"]:
            if job["ended"] is None:
                client.post(f"/jobs/{job['job']}/stop", json={})


def state(page: Page, word: str) -> None:
    """Wait until the job's page says that it is in this state."""
    expect(page.locator('.standing .state [data-part="text"]')).to_have_text(word, timeout=10_000)


def test_three_clicks_from_the_station_to_a_job_that_asks_runs_rests_and_is_stopped(
    open_page: Open, lab: Stage, jobs: httpx.Client
) -> None:
    page = open_page("/", extra_http_headers=bearer(lab))
    page.get_by_role("link", name="Jobs", exact=True).click()
    page.get_by_role("link", name="Soak test").click()
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_url(re.compile(r"/jobs/\d{8}-"))
    until_live(page)
    expect(page.locator(".ask h2")).to_have_text("Is the specimen of lot L-1 in the oven?")
    page.get_by_role("button", name="Yes").click()
    expect(page.locator('.step[data-kind="now"]').last).to_contain_text("Soaking")
    expect(page.locator('.line[data-kind="now"]')).to_contain_text("Cycles → Soaking")
    expect(page.locator(".measures .tag").first).to_have_text("pass")
    expect(page.locator('.line[data-kind="left"]')).to_contain_text("At least 1")
    expect(page.locator(".ask")).to_have_count(0)
    oven = page.locator('.of-job [id="value:oven1.temperature"]')
    expect(oven.locator('[data-part="text"]')).to_have_text(re.compile(r"\d"))
    page.get_by_role("button", name="Pause").click()
    state(page, "paused")
    page.get_by_role("button", name="Resume").click()
    state(page, "running")
    page.get_by_role("button", name="Stop this job").click()
    state(page, "stopped")
    expect(page.locator("#job-controls .outcomes")).to_contain_text("confirmed safe")


def test_a_button_does_nothing_until_its_script_is_there(
    open_page: Open, lab: Stage, jobs: httpx.Client
) -> None:
    page = open_page("/jobs/start/soak_test", extra_http_headers=bearer(lab))
    start = page.get_by_role("button", name="Start", exact=True)
    expect(start).to_be_enabled()
    page.route("**/console.js", lambda route: route.abort())
    page.reload()
    expect(start).to_be_disabled()
    expect(page.get_by_role("button", name="Stop all")).to_be_enabled()
    open_page.complaints.clear()  # type: ignore[attr-defined] # the script that did not come


def test_pressed_twice_it_is_one_job(open_page: Open, lab: Stage, jobs: httpx.Client) -> None:
    page = open_page("/jobs/start/soak_test", extra_http_headers=bearer(lab))
    before = len(jobs.get("/jobs").json()["jobs"])
    # Twice at once, as by a hand that shakes: also past what the form itself holds back.
    page.evaluate(
        """() => { const it = document.getElementById("start");
        it.requestSubmit(); it.removeAttribute("aria-busy"); it.requestSubmit(); }"""
    )
    page.wait_for_url(re.compile(r"/jobs/\d{8}-"))
    expect(page.locator(".ask h2")).to_be_visible()
    assert len(jobs.get("/jobs").json()["jobs"]) == before + 1


@pytest.mark.parametrize(
    ("language", "limit", "form"),
    [
        ("en", "At most 150 °C", "does not have the form"),
        ("ko", "150 °C 이하여야 합니다", "형식이 아닙니다"),
    ],
)
def test_a_wrong_value_is_said_at_its_field_while_it_is_typed(
    open_page: Open, lab: Stage, jobs: httpx.Client, language: str, limit: str, form: str
) -> None:
    page = open_page("/jobs/start/soak_test", language=language, extra_http_headers=bearer(lab))
    page.locator("#take-hot").fill("151")
    expect(page.locator("#take-hot-wrong")).to_have_text(limit)
    page.locator("#take-lot").fill("-3")
    expect(page.locator("#take-lot-wrong")).to_contain_text(form)
    page.locator('#start button[type="submit"]').click()
    expect(page.locator("#take-hot")).to_be_focused()
    page.locator("#take-hot").fill("149,5")
    expect(page.locator("#take-hot-wrong")).to_be_empty()


def test_what_the_agent_refuses_is_said_at_its_field_in_the_language_of_the_page(
    open_page: Open, lab: Stage, jobs: httpx.Client
) -> None:
    page = open_page("/jobs/start/soak_test", language="ko", extra_http_headers=bearer(lab))
    page.evaluate("document.getElementById('take-hot').dataset.high = 9999")
    page.locator("#take-hot").fill("200")
    page.locator('#start button[type="submit"]').click()
    expect(page.locator("#take-hot-wrong")).to_contain_text("상한보다 큽니다 (상한 150 °C)")
    expect(page.locator("#take-hot")).to_be_focused()
    open_page.complaints.clear()  # type: ignore[attr-defined] # the refusal, as the browser logs it


def test_a_question_on_another_page_leads_to_its_answer(
    open_page: Open, lab: Stage, jobs: httpx.Client
) -> None:
    page = open_page("/devices/psu1", extra_http_headers=bearer(lab))
    until_live(page)
    job = started(jobs, "asks_value")
    page.locator("#questions a", has_text="How thick is it?").click()
    until_live(page)
    field = page.get_by_label("Your answer (mm)")
    field.fill("9")
    page.get_by_role("button", name="Answer").click()
    expect(page.locator(".ask .wrong")).to_have_text("At most 5 mm")
    renew(page, "job-questions")
    expect(page.locator(".ask .wrong")).to_have_text("At most 5 mm")
    field.fill("2.5")
    page.get_by_role("button", name="Answer").click()
    state(page, "done")
    expect(page.locator("#job-log")).to_contain_text("It is 2.5")
    assert jobs.get(f"/jobs/{job}").json()["answers"][0]["value"] == 2.5


def test_the_queue_is_ordered_by_button_by_key_and_by_hand_and_held(
    open_page: Open, lab: Stage, jobs: httpx.Client
) -> None:
    started(jobs, "soak_test")
    one, two, three = (started(jobs, "soak_test") for _ in range(3))
    page = open_page("/jobs", extra_http_headers=bearer(lab))
    until_live(page)

    def in_order(*wanted: str) -> None:
        for at, job in enumerate(wanted):
            expect(page.locator("#waiting > li").nth(at)).to_have_attribute("data-job", job)
        assert [it["job"] for it in jobs.get("/queue").json()["jobs"]] == list(wanted)

    in_order(one, two, three)
    page.get_by_role("button", name=f"{two}: up").click()
    in_order(two, one, three)
    page.locator(f"#move-{two}").focus()
    page.keyboard.press("ArrowDown")
    in_order(one, two, three)
    expect(page.locator(f"#move-{two}")).to_be_focused()
    page.locator(f"#move-{three}").drag_to(
        page.locator(f"#move-{one}"), target_position={"x": 10, "y": 2}
    )
    in_order(three, one, two)
    page.get_by_role("button", name="Hold the queue").click()
    expect(page.locator(".held")).to_contain_text("no job begins")
    page.get_by_role("button", name="Release the queue").click()
    expect(page.locator(".held")).to_have_count(0)
    page.locator(f"#hold-{one}").click()
    expect(page.locator(f"#release-{one}")).to_be_visible()
    page.locator(f"#drop-{two}").click()
    expect(page.locator("#waiting > li")).to_have_count(2)


def test_a_job_is_started_answered_and_stopped_by_keyboard_alone(
    open_page: Open, lab: Stage, jobs: httpx.Client
) -> None:
    page = open_page("/jobs", extra_http_headers=bearer(lab))
    tab_to(page, "a[href='/jobs/start/soak_test']")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/start/"))
    tab_to(page, "#start button[type=submit]")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/jobs/\d{8}-"))
    until_live(page)
    tab_to(page, ".yes-no button")
    page.keyboard.press("Enter")
    expect(page.locator('.step[data-kind="now"]').last).to_contain_text("Soaking")
    tab_to(page, "#job-stop")
    page.keyboard.press("Enter")
    state(page, "stopped")


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until this has the focus."""
    for _ in range(60):
        if page.evaluate("it => document.activeElement?.matches(it)", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{selector} is not reached by Tab")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pages_of_jobs_fit_every_width_and_everybody(
    open_page: Open, lab: Stage, jobs: httpx.Client, language: str
) -> None:
    run = ended(jobs, "quick")
    job = started(jobs, "soak_test")
    started(jobs, "soak_test")
    pages = ("/jobs", "/jobs/start/soak_test", f"/jobs/{job}", "/jobs/history", f"/jobs/{run}/run")
    for path in pages:
        page = open_page(path, language=language)
        until_live(page)
        for width in (360, 768, 1280):
            page.set_viewport_size({"width": width, "height": 900})
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{path} in {language} is {wide} wide at {width}"
            assert small_targets(page) == []
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()


def test_a_run_is_found_in_the_history_drawn_and_verified(
    open_page: Open, lab: Stage, jobs: httpx.Client
) -> None:
    job = ended(jobs, "quick")
    page = open_page("/jobs/history", extra_http_headers=bearer(lab))
    page.get_by_label("Verdict").select_option("fail")
    page.get_by_role("button", name="Search").click()
    page.locator(f"a[href='/jobs/{job}/run']").click()
    expect(page.locator(".verdict")).to_have_text("not passed")
    expect(page.locator("#plots figcaption")).to_have_text("warm_up: oven temperature (°C)")
    page.wait_for_selector("#plots canvas")
    page.get_by_role("button", name="Is it as it was").click()
    expect(page.locator("#verified")).to_contain_text("files are as they were")
    [folder] = (lab.folder / "state" / "runs").rglob(f"{job}_quick")
    with (folder / "measures.csv").open("a") as file:
        file.write("x\n")
    page.get_by_role("button", name="Is it as it was").click()
    expect(page.locator("#verified li").first).to_contain_text("measures.csv")
