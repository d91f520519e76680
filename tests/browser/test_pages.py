"""Alarms, the ledger, schedules and what the agent is, in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Open, until_live
from tests.browser.pages_stage import lab, signed, tab_to, without_violations
from tests.browser.stage import Stage
from tests.browser.test_console import LANGUAGES, small_targets

__all__ = ["lab", "signed"]

pytestmark = pytest.mark.lab
PAGES = ["/guide", "/alarms", "/printers", "/ledger", "/schedules", "/about"]


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
    without_violations(page)


def test_the_dark_colours_are_as_readable_as_the_light(open_page: Open) -> None:
    for path in ("/alarms", "/printers", "/about"):
        page = open_page(path, color_scheme="dark")
        until_live(page)
        without_violations(page)


def row(page: Page, alarm: str) -> Locator:
    return page.locator(f'[data-alarm="{alarm}"]')


def test_an_alarm_is_acknowledged_shelved_and_taken_up_again(
    open_page: Open, signed: dict[str, dict[str, str]]
) -> None:
    page = open_page("/alarms", **signed)
    until_live(page)
    cold = row(page, "oven-cold")
    cold.get_by_role("button", name="Acknowledge").click()
    page.get_by_label("Remark").fill("it has just been switched on")
    without_violations(page)
    page.get_by_role("dialog").get_by_role("button", name="Acknowledge").click()
    expect(cold).to_have_attribute("data-state", "acknowledged")
    expect(cold).to_contain_text("by token")
    expect(page.locator("#said")).to_have_text("Done")
    cold.get_by_role("button", name="Shelve").click()
    shelve = page.get_by_role("dialog")
    shelve.get_by_role("button", name="Shelve").click()
    expect(shelve.locator("output")).to_have_text("A value is missing")
    shelve.get_by_label("Why").fill("the sensor is being changed")
    shelve.get_by_label("For how long").select_option("1 hour")
    shelve.get_by_role("button", name="Shelve").click()
    expect(cold).to_have_attribute("data-state", "shelved")
    expect(cold).to_contain_text("until 20")
    cold.get_by_role("button", name="Take up again").click()
    expect(cold).to_have_attribute("data-state", "unacknowledged")


def test_the_alarms_are_counted_on_every_page_and_the_count_follows(
    open_page: Open, lab: Stage, signed: dict[str, dict[str, str]]
) -> None:
    page = open_page("/about", **signed)
    until_live(page)
    count = page.locator('[id="nav:alarms"] [data-part="text"]')
    expect(count).to_have_text("2")
    lab.put("/devices/psu1/settings/output", {"value": True})
    lab.post("/alarms/supply-off/ack", {})
    expect(count).to_have_text("1")
    page.goto(f"{lab.url}/alarms")
    expect(row(page, "supply-off")).to_have_attribute("data-state", "normal")


def test_whom_nobody_knows_is_led_to_signing_in_and_the_alarm_stays(open_page: Open) -> None:
    page = open_page("/alarms")
    row(page, "oven-cold").get_by_role("button", name="Acknowledge").click()
    page.get_by_role("dialog").get_by_role("button", name="Acknowledge").click()
    page.wait_for_url("**/sign-in?next=/alarms")
    page.go_back()
    expect(row(page, "oven-cold")).to_have_attribute("data-state", "unacknowledged")
    open_page.complaints.clear()  # type: ignore[attr-defined] # the refusal, as the browser logs it


def test_the_ledger_is_filtered_opened_verified_and_exported(
    open_page: Open, lab: Stage, signed: dict[str, dict[str, str]]
) -> None:
    lab.put("/devices/psu1/settings/voltage", {"value": 4.5})
    page = open_page("/ledger", **signed)
    page.get_by_label("Device").fill("psu1.voltage")
    page.get_by_label("Action").fill("set")
    page.get_by_role("button", name="Search").click()
    rows = page.locator("details.entry")
    expect(rows.first).to_contain_text("psu1.voltage")
    assert all("psu1.voltage" in it for it in rows.all_inner_texts())
    rows.first.locator("summary").press("Enter")
    expect(rows.first.locator(".is")).to_have_text("4.5")
    page.get_by_role("button", name="Verify").click()
    expect(page.locator("#verdict.safe")).to_contain_text("Nothing was altered")
    expect(page.locator("#verdict")).to_be_focused()
    without_violations(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Export these as JSON lines").click()
    lines = download.value.path().read_text("utf-8").splitlines()
    assert len(lines) >= 3
    assert all("psu1.voltage" in line for line in lines)


def test_a_finding_of_a_verification_leads_to_its_row(
    open_page: Open, signed: dict[str, dict[str, str]]
) -> None:
    page = open_page("/ledger", **signed)
    verdict = {
        "verified": False,
        "rows": 9,
        "head": {"seq": 9, "hash": "ab" * 32},
        "findings": [{"seq": 3, "text": "was altered"}],
        "more_findings": 2,
        "notes": [],
    }
    page.route("**/ledger/verify", lambda route: route.fulfill(json=verdict))
    page.get_by_role("button", name="Verify").click()
    place = page.locator("#verdict.unsafe")
    expect(place).to_contain_text("3 findings in 9 rows")
    expect(place).to_contain_text("and 2 more")
    place.get_by_role("link", name="Row 3").click()
    expect(page.locator("#row-3")).to_have_attribute("open", "")


def test_everything_can_be_stopped_from_within_a_dialog(open_page: Open) -> None:
    for path, opener in (("/alarms", "Shelve"), ("/alarms", "Acknowledge")):
        page = open_page(path)
        row(page, "oven-cold").get_by_role("button", name=opener).click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_role("button", name="Stop all").click()
        expect(page.locator("#stop-said")).to_have_text("Every device is confirmed safe.")


def test_a_schedule_is_switched_off_and_on_by_keyboard(
    open_page: Open, signed: dict[str, dict[str, str]]
) -> None:
    page = open_page("/schedules", **signed)
    until_live(page)
    nightly = page.locator('[data-schedule="nightly-check"]')
    expect(nightly).to_contain_text("02:00:00")
    tab_to(page, "Switch off")
    page.keyboard.press("Enter")
    expect(nightly).to_have_attribute("data-state", "off")
    expect(nightly).to_contain_text("somebody has switched it off")
    tab_to(page, "Switch on")
    page.keyboard.press("Enter")
    expect(nightly).to_have_attribute("data-state", "on")


def test_an_alarm_is_acknowledged_by_keyboard_alone(
    open_page: Open, lab: Stage, signed: dict[str, dict[str, str]]
) -> None:
    lab.put("/devices/psu1/settings/output", {"value": True})
    lab.put("/devices/psu1/settings/output", {"value": False})
    page = open_page("/alarms", **signed)
    until_live(page)
    supply = row(page, "supply-off")
    expect(supply).to_have_attribute("data-state", "unacknowledged")
    tab_to(page, "Acknowledge: Supply is off")
    page.keyboard.press("Enter")
    tab_to(page, "", tag="INPUT")
    page.keyboard.type("seen")
    page.keyboard.press("Enter")
    expect(supply).to_have_attribute("data-state", "acknowledged")
