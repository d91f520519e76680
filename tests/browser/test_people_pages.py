"""People in a real browser, on a station of their own that begins without an account."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import Open, until_live
from tests.browser.people_stage import PASSWORD, add, by, make_first, restart, sign_in
from tests.browser.stage import Stage, stage
from tests.browser.test_console import LANGUAGES, small_targets
from tests.lab.processes import short_folder

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def lab(browser: Browser) -> Iterator[Stage]:
    """A station whose first administrator, park, was made on the page; kim is a technician."""
    folder = short_folder()
    with stage(folder) as running:
        context = browser.new_context(locale="en-US")
        make_first(context.new_page(), running)
        context.close()
        add(running, "kim", "technician", "김하나")
        yield running
    shutil.rmtree(folder, ignore_errors=True)


def voltage_of(page: Page) -> Locator:
    """The form of a setting."""
    return page.locator('form[data-url$="/psu1/settings/voltage"]')


def test_who_signs_in_comes_back_with_what_was_typed_and_sets_a_value(
    open_page: Open, lab: Stage
) -> None:
    page = open_page("/devices/psu1")
    voltage_of(page).get_by_role("textbox").fill("2.5")
    voltage_of(page).get_by_role("link", name="Sign in to do this").click()
    page.get_by_label("Name").fill("kim")
    page.get_by_label("Password").fill("wrong password")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").first).to_contain_text("do not fit")
    expect(page.get_by_label("Name")).to_have_value("kim")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator(".person")).to_contain_text("김하나 technician")
    assert page.url == f"{lab.url}/devices/psu1"
    expect(voltage_of(page).get_by_role("textbox")).to_have_value("2.5")
    voltage_of(page).get_by_role("button", name="Set").click()
    expect(voltage_of(page).locator("output")).to_contain_text("Done")
    open_page.complaints.clear()  # type: ignore[attr-defined] # the refusal of the wrong password


def test_a_locked_page_shows_on_and_does_what_was_asked_after_the_password(
    open_page: Open, lab: Stage
) -> None:
    page = open_page("/devices/psu1")
    sign_in(page, "kim")
    until_live(page)
    restart(lab)  # sessions go on, locked
    until_live(page)
    field = voltage_of(page).get_by_role("textbox")
    field.fill("1.25")
    field.press("Enter")
    again = page.get_by_role("dialog", name="Your password again")
    expect(again.get_by_label("Password")).to_be_focused()
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.keyboard.press("Escape")
    expect(again).to_be_hidden()
    expect(voltage_of(page).locator("output")).to_contain_text("Nothing was done")
    field.press("Enter")
    expect(again.get_by_label("Password")).to_be_focused()
    page.keyboard.type("wrong password")
    page.keyboard.press("Enter")
    expect(again.get_by_role("alert")).to_contain_text("do not fit")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(again).to_be_hidden()
    expect(voltage_of(page).locator("output")).to_contain_text("Done")
    expect(voltage_of(page).locator('[data-part="text"]')).to_have_text("1.25")
    open_page.complaints.clear()  # type: ignore[attr-defined] # the refusals, and the restart


def test_a_file_is_sent_after_the_password_where_the_session_was_locked(
    open_page: Open, lab: Stage, tmp_path: Path
) -> None:
    (part := tmp_path / "잠금.gcode").write_text("G28\nG1 X10 F600\n" * 20_000)
    page = open_page("/printers")
    sign_in(page, "kim")
    until_live(page)
    restart(lab)  # sessions go on, locked
    until_live(page)
    page.locator("#drop input").set_input_files(part)
    again = page.get_by_role("dialog", name="Your password again")
    expect(again.get_by_label("Password")).to_be_focused()
    assert lab.get("/files")["files"] == []
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("#uploads output")).to_have_text("Stored")
    [kept] = lab.get("/files")["files"]
    assert kept["size"] == part.stat().st_size  # sent anew as a whole, not the rest of it
    open_page.complaints.clear()  # type: ignore[attr-defined] # the restart, and the refusal


def test_the_dialog_keeps_the_focus_and_has_a_stop_of_its_own(open_page: Open, lab: Stage) -> None:
    page = open_page("/devices/psu1")
    sign_in(page, "kim")
    until_live(page)
    page.evaluate("document.getElementById('again').showModal()")
    for _ in range(8):
        page.keyboard.press("Tab")
        inside = (
            "document.activeElement === document.body || !!document.activeElement.closest('#again')"
        )
        assert page.evaluate(inside)
    page.locator("#again").get_by_role("button", name="Stop all").click()
    expect(page.locator("#stop-said")).to_have_text("Every device is confirmed safe.")
    assert "kim" in by(lab, "stop")


def test_signing_out_leaves_a_page_that_is_read_and_stops(open_page: Open, lab: Stage) -> None:
    page = open_page("/devices/psu1")
    sign_in(page, "kim")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.get_by_role("link", name="Go on without").click()
    expect(page.locator(".person")).to_have_text("Sign in")
    page.goto(f"{lab.url}/devices/psu1")
    expect(voltage_of(page).get_by_role("link", name="Sign in to do this")).to_be_visible()
    page.keyboard.press("Control+Shift+Period")
    expect(page.locator("#stop-said")).to_have_text("Every device is confirmed safe.")


def test_a_page_of_one_person_does_nothing_in_the_name_of_another(open_page: Open) -> None:
    page = open_page("/devices/psu1")
    sign_in(page, "kim")
    other = page.context.new_page()
    other.goto(page.url)
    other.get_by_role("button", name="Sign out").click()
    other.get_by_label("Name").fill("park")
    other.get_by_label("Password").fill(PASSWORD)
    other.keyboard.press("Enter")
    expect(other.locator(".person")).to_contain_text("administrator")
    voltage_of(page).get_by_role("textbox").fill("3")
    voltage_of(page).get_by_role("button", name="Set").click()
    expect(voltage_of(page).locator("output")).to_contain_text("Somebody else has signed in")
    open_page.complaints.clear()  # type: ignore[attr-defined] # the refusal


def test_a_session_that_is_over_leads_to_signing_in_and_back(open_page: Open, lab: Stage) -> None:
    page = open_page("/devices/psu1")
    sign_in(page, "kim")
    page.context.clear_cookies()
    voltage_of(page).get_by_role("textbox").fill("4.5")
    voltage_of(page).get_by_role("button", name="Set").click()
    page.get_by_label("Name").fill("kim")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(voltage_of(page).get_by_role("textbox")).to_have_value("4.5")
    open_page.complaints.clear()  # type: ignore[attr-defined] # the refusal


def test_a_session_that_ends_while_the_password_is_asked_for_leads_to_signing_in(
    open_page: Open,
) -> None:
    page = open_page("/devices/psu1")
    sign_in(page, "kim")
    locked = {"type": "urn:problem-type:labkeeper:locked", "detail": "locked"}
    page.route("**/settings/voltage", lambda it: it.fulfill(status=403, json=locked), times=1)
    page.wait_for_url("**/devices/psu1")
    until_live(page)
    voltage_of(page).get_by_role("textbox").fill("1")
    voltage_of(page).get_by_role("button", name="Set").click()
    expect(page.get_by_role("dialog", name="Your password again")).to_be_visible()
    page.context.clear_cookies()
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/sign-in?next=/devices/psu1")
    open_page.complaints.clear()  # type: ignore[attr-defined] # the refusals


def test_from_another_machine_a_page_that_lost_its_session_leads_to_signing_in(
    open_page: Open,
) -> None:
    page = open_page("/devices/psu1")
    sign_in(page, "kim")
    until_live(page)
    page.context.clear_cookies()
    page.evaluate("document.body.dataset.network = ''")  # as a page over TLS is marked
    page.evaluate("document.dispatchEvent(new CustomEvent('connection', {detail: 'lost'}))")
    page.wait_for_url("**/sign-in?next=/devices/psu1")


def test_an_administrator_adds_somebody_by_keyboard(open_page: Open) -> None:
    page = open_page("/people")
    sign_in(page, "park")
    page.get_by_label("Name for signing in").fill("lee")
    page.get_by_label("What people call them").fill("이서준")
    for typed in ("e", PASSWORD, "another password"):  # engineer, and the password twice
        page.keyboard.press("Tab")
        page.keyboard.type(typed)
    page.keyboard.press("Enter")
    expect(page.locator("#users-said")).to_contain_text("not the same")
    expect(page.locator("#add-again")).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("#users-said")).to_have_text("Done")
    expect(page.locator('[data-user="lee"] summary')).to_contain_text("이서준 lee engineer")


def test_an_administrator_changes_roles_and_switches_off_by_keyboard(
    open_page: Open, lab: Stage
) -> None:
    add(lab, "ob", "observer", "옵")
    page = open_page("/people")
    sign_in(page, "park")
    row = page.locator('[data-user="ob"]')
    row.locator("summary").focus()
    for key in ("Enter", "Tab", "t", "Tab", "Enter"):  # technician
        page.keyboard.press(key)
    expect(row.locator("summary")).to_contain_text("technician")
    row.get_by_role("button", name="Switch off").press("Enter")
    expect(row.locator("summary")).to_contain_text("switched off")
    last = page.locator('[data-user="park"]')
    last.locator("summary").press("Enter")
    last.get_by_role("button", name="Switch off").press("Enter")
    expect(page.locator("#users-said")).to_contain_text("park is the last administrator")
    open_page.complaints.clear()  # type: ignore[attr-defined] # the refusal


def test_a_token_is_shown_once_copied_and_revoked(open_page: Open, lab: Stage) -> None:
    page = open_page("/people", permissions=["clipboard-read", "clipboard-write"])
    sign_in(page, "park")
    page.get_by_label("Name of the program").fill("night-report")
    page.get_by_role("button", name="Make", exact=True).click()
    made = page.get_by_role("dialog", name="The new token")
    token = made.get_by_label("Token").input_value()
    assert token.startswith("lk_")
    made.get_by_role("button", name="Copy").click()
    expect(made.get_by_role("status")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == token
    page.keyboard.press("Escape")
    expect(made).to_be_hidden()
    assert token not in page.content()
    mine = page.locator('[data-token="night-report"]')
    expect(mine).to_contain_text("Counts until")
    mine.get_by_role("button", name="Revoke").click()
    expect(mine).to_contain_text("revoked")


def test_ones_own_password_and_language(open_page: Open, lab: Stage) -> None:
    add(lab, "cho", "qa", "조민")
    page = open_page("/people")
    sign_in(page, "cho")
    page.get_by_label("Password now").fill(PASSWORD)
    page.get_by_label("New password, at least 10 characters").fill("battery staple correct")
    page.get_by_label("New password again").fill("battery staple correct")
    page.get_by_role("button", name="Change the password").click()
    expect(page.locator("#own-said")).to_have_text("Done")
    page.get_by_label("Your language").select_option("ko")
    page.locator('form[data-then="language"]').get_by_role("button").click()
    expect(page.get_by_role("heading", name="내 계정")).to_be_visible()
    page.get_by_role("button", name="로그아웃").click()
    page.context.clear_cookies()
    page.goto(f"{lab.url}/people")
    sign_in(page, "cho", "battery staple correct")
    expect(page.locator(".person")).to_contain_text("조민 품질 담당")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("who", ["", "kim", "park"])
@pytest.mark.parametrize("path", ["/sign-in", "/people", "/devices/psu1"])
def test_a_page_fits_every_width_and_everybody(
    open_page: Open, lab: Stage, path: str, who: str, language: str
) -> None:
    page = open_page("/sign-in", language=language)
    if who:
        page.locator("#name").fill(who)
        page.locator("#password").fill(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.locator(".person button")).to_be_visible()
    page.goto(f"{lab.url}{path}")
    if path == "/people" and who == "park":
        page.locator("summary").first.click()
    for width in (360, 768, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{path} in {language} is {wide} wide at {width}"
        assert small_targets(page) == []
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
