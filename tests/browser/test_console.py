"""The console in a real browser, on a real station."""

from __future__ import annotations

import signal

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open, until_live
from tests.browser.stage import Stage

pytestmark = pytest.mark.lab
PAGES = ["/", "/?kiosk", "/devices/psu1", "/devices/printer1"]
LANGUAGES = ["ko", "en"]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", PAGES)
def test_a_page_fits_every_width_and_everybody(open_page: Open, path: str, language: str) -> None:
    page = open_page(path, language=language)
    until_live(page)
    for width in (360, 768, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{path} in {language} is {wide} wide at {width}"
        assert small_targets(page) == []
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_the_first_page_is_small_whoever_comes_for_the_first_time(
    open_page: Open, lab: Stage
) -> None:
    page = open_page("/about")
    devtools = page.context.new_cdp_session(page)
    devtools.send("Network.clearBrowserCache")
    devtools.send("Network.enable")
    came: list[int] = []
    devtools.on("Network.loadingFinished", lambda it: came.append(it["encodedDataLength"]))
    page.goto(lab.url)
    until_live(page)
    assert len(came) > 7  # the page, its style and its scripts
    assert sum(came) < 150_000


def test_the_dark_colours_are_as_readable_as_the_light(open_page: Open) -> None:
    for path in ("/", "/devices/psu1"):
        page = open_page(path, color_scheme="dark")
        until_live(page)
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()


def small_targets(page: Page) -> list[str]:
    """What is too small for a finger in a glove: below 44 px in height."""
    return list(
        page.evaluate(
            """() => [...document.querySelectorAll("a, button, input, select")]
            .filter((it) => it.getClientRects().length && !it.matches(".skip"))
            .filter((it) => it.getBoundingClientRect().height < 43.5)
            .map((it) => it.outerHTML.slice(0, 80))"""
        )
    )


def test_a_value_on_the_page_follows_the_device(open_page: Open, lab: Stage) -> None:
    page = open_page("/devices/psu1", extra_http_headers=bearer(lab))
    until_live(page)
    setting = page.locator('form[data-url$="/settings/voltage"]')
    setting.locator("input").fill("3.25")
    setting.get_by_role("button").click()
    expect(setting.locator("output")).to_contain_text("Done")
    expect(setting.locator('[data-part="text"]')).to_have_text("3.25")


def test_a_value_out_of_range_is_refused_with_its_limit(open_page: Open, lab: Stage) -> None:
    page = open_page("/devices/psu1", extra_http_headers=bearer(lab))
    until_live(page)
    setting = page.locator('form[data-url$="/settings/voltage"]')
    expect(setting).to_contain_text("Range: 0 – 5.5 V")
    setting.locator("input").fill("99")
    setting.get_by_role("button").click()
    expect(setting.locator("output")).to_contain_text("5.5")
    setting.locator("input").fill("five")
    setting.get_by_role("button").click()
    expect(setting.locator("output")).to_have_text("Not a number")
    open_page.complaints.clear()  # type: ignore[attr-defined] # the refusal, as the browser logs it


def bearer(lab: Stage) -> dict[str, str]:
    """What lets a browser change something: the token."""
    token = (lab.folder / "state" / "api-token").read_text().strip()
    return {"Authorization": f"Bearer {token}"}


def test_the_last_hour_is_drawn_and_goes_on(open_page: Open) -> None:
    page = open_page("/devices/oven1")
    until_live(page)
    page.wait_for_selector(".plot:not([hidden]) canvas")


def test_stop_by_keyboard_says_of_each_device_that_it_is_safe(open_page: Open, lab: Stage) -> None:
    page = open_page("/devices/dmm1")
    page.keyboard.press("Control+Shift+Period")
    expect(page.get_by_role("alert")).to_have_text("Every device is confirmed safe.")
    devices = page.locator("#stop-devices li")
    expect(devices).to_have_count(len(lab.devices))
    expect(devices.first).to_contain_text("confirmed safe")
    page.keyboard.press("Escape")
    expect(page.locator("#stop-result")).to_be_hidden()


def test_stop_works_without_scripts(open_page: Open) -> None:
    page = open_page("/", java_script_enabled=False)
    page.get_by_role("button", name="Stop all").click()
    expect(page.get_by_role("alert")).to_have_text("Every device is confirmed safe.")


def test_stop_works_while_the_live_connection_is_broken(open_page: Open) -> None:
    page = open_page("/")
    until_live(page)
    page.route("**/live/**", lambda route: route.abort())
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_selector('#connection[data-kind="lost"]')
    page.get_by_role("button", name="Stop all").click()
    expect(page.locator("#stop-said")).to_have_text("Every device is confirmed safe.")
    open_page.complaints.clear()  # type: ignore[attr-defined] # the requests that were cut


WATCH = """() => new Promise((pushed) => {
    heard = null; lost = null; held = 0;
    let turned = performance.now();
    setInterval(() => {
        held = Math.max(held, performance.now() - turned - 50);
        turned = performance.now();
    }, 50);
    document.addEventListener("items", () => { heard = performance.now(); pushed(); });
    document.addEventListener("connection", () => (lost = performance.now()));
})"""
"""Notes by the page's own clock when a push came and when the loss was said; waits for a push.

`held` is for how long at most a busy machine has kept the page from doing anything.
"""
BRIGHTEST = """() => Math.max(...[...document.querySelectorAll(".value, .state")]
    .map((it) => Number(getComputedStyle(it).opacity)))"""


def test_a_halted_agent_is_noticed_in_three_seconds_and_the_page_comes_back(
    open_page: Open, lab: Stage
) -> None:
    page = open_page("/")
    until_live(page)
    page.evaluate(WATCH)
    lab.agent.send_signal(signal.SIGSTOP)
    try:
        page.wait_for_selector('body.is-lost #connection[data-kind="lost"]')
        assert page.evaluate("lost - heard - held") < 3000
        expect(page.locator("#connection")).to_contain_text("The values below are old")
        assert page.evaluate(BRIGHTEST) < 0.6
    finally:
        lab.agent.send_signal(signal.SIGCONT)
    until_live(page)
    assert page.evaluate(BRIGHTEST) == 1
    assert page.evaluate("document.body.classList.contains('is-lost')") is False
    open_page.complaints.clear()  # type: ignore[attr-defined] # attempts that were given up


def test_an_agent_that_has_ended_is_said_by_the_page_and_by_stop(
    open_page: Open, lab: Stage
) -> None:
    page = open_page("/")
    until_live(page)
    page.evaluate(WATCH)
    lab.agent.terminate()
    lab.agent.wait(10)
    try:
        page.wait_for_selector("body.is-lost")
        assert page.evaluate("lost - heard - held") < 3000
        assert page.evaluate(BRIGHTEST) < 0.6
        page.keyboard.press("Control+Shift+Period")
        expect(page.locator("#stop-said")).to_contain_text("use the emergency stop at the machine")
        page.keyboard.press("Escape")
    finally:
        lab.restart()
    lab.until_ready()
    until_live(page)
    open_page.complaints.clear()  # type: ignore[attr-defined] # nobody answered


def test_the_language_is_switched_on_the_page_and_stays(open_page: Open) -> None:
    page = open_page("/")
    page.get_by_role("link", name="한국어", exact=True).click()
    expect(page.get_by_role("button", name="전체 정지")).to_be_visible()
    page.goto(page.url.partition("?")[0])
    expect(page.locator("html")).to_have_attribute("lang", "ko")


def test_a_station_is_walked_by_keyboard(open_page: Open) -> None:
    page = open_page("/")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    seen = {page.evaluate("document.activeElement.getAttribute('href')")}
    for _ in range(6):
        page.keyboard.press("Tab")
        seen.add(page.evaluate("document.activeElement.getAttribute('href')"))
    assert {"/devices/dmm1", "/devices/stage1"} <= seen
