"""Signing in at a provider of OpenID Connect in a real browser, there and back again."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import until_live
from tests.browser.people_stage import add, by
from tests.browser.stage import Stage, stage
from tests.lab.processes import short_folder
from tests.oidc_provider import CLIENT, SECRET

pytestmark = pytest.mark.lab

BACK = "/sign-in/provider/back"


@pytest.fixture(scope="module")
def lab(browser: Browser) -> Iterator[Stage]:
    """A station with a provider beside it, where it is known by the address that it turns out to have."""
    folder = short_folder()
    command = (sys.executable, "-m", "tests.oidc_provider")
    provider = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)
    try:
        assert provider.stdout
        assert provider.stdin
        issuer = provider.stdout.readline().strip()
        (folder / "oidc-secret").write_text(f"{SECRET}\n")
        with stage(folder, api=_api(issuer)) as running:
            provider.stdin.write(f"{running.url}{BACK}\n")
            provider.stdin.flush()
            add(running, "lee", "administrator", "이서준")
            yield running
    finally:
        provider.terminate()
        provider.communicate()
        shutil.rmtree(folder, ignore_errors=True)


def _api(issuer: str) -> str:
    """What the station's config has in its section `api` besides where it listens."""
    return f"""\
, oidc: {{issuer: "{issuer}", client_id: {CLIENT}, client_secret_file: oidc-secret, \
roles: {{lab-technicians: technician, lab-admins: administrator}}, \
label: {{ko: 연구소 계정, en: lab account}}}}"""


def log_in_there(page: Page, who: str) -> None:
    """Say at the provider who one is."""
    expect(page.get_by_role("heading", name="Log in at the example")).to_be_visible()
    page.get_by_label("User").fill(who)
    page.get_by_role("button", name="Log in").click()


@pytest.fixture
def page(browser: Browser, lab: Stage) -> Iterator[Page]:
    """The page of a device, of a browser that nobody knows."""
    context = browser.new_context(locale="en-US")
    opened = context.new_page()
    opened.goto(f"{lab.url}/devices/psu1")
    yield opened
    context.close()


def voltage_of(page: Page) -> Locator:
    """The form of a setting."""
    return page.locator('form[data-url$="/psu1/settings/voltage"]')


def test_a_person_signs_in_there_and_comes_back_to_what_was_typed(page: Page, lab: Stage) -> None:
    voltage_of(page).get_by_role("textbox").fill("2.5")
    voltage_of(page).get_by_role("link", name="Sign in to do this").click()
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.get_by_role("button", name="Sign in with lab account").click()
    log_in_there(page, "hana")
    expect(page.locator(".person")).to_contain_text("김하나 technician")
    assert page.url == f"{lab.url}/devices/psu1"
    expect(voltage_of(page).get_by_role("textbox")).to_have_value("2.5")
    voltage_of(page).get_by_role("button", name="Set").click()
    expect(voltage_of(page).locator("output")).to_contain_text("Done")


def test_after_a_pause_the_provider_asks_again_and_what_was_typed_is_still_there(
    page: Page, lab: Stage
) -> None:
    page.goto(f"{lab.url}/sign-in?next=/devices/psu1")
    page.get_by_role("button", name="Sign in with lab account").click()
    log_in_there(page, "hana")
    until_live(page)
    lab.agent.terminate()
    lab.agent.wait(10)
    lab.restart()  # sessions go on, locked
    lab.until_ready()
    until_live(page)
    voltage_of(page).get_by_role("textbox").fill("1.5")
    voltage_of(page).get_by_role("button", name="Set").click()
    again = page.get_by_role("dialog", name="Sign in again")
    expect(again).to_contain_text("김하나 signs in with lab account again")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.keyboard.press("Escape")
    expect(voltage_of(page).locator("output")).to_contain_text("Nothing was done")
    voltage_of(page).get_by_role("button", name="Set").click()
    again.get_by_role("button", name="Sign in with lab account").click()
    log_in_there(page, "hana")
    expect(voltage_of(page).get_by_role("textbox")).to_have_value("1.5")
    voltage_of(page).get_by_role("button", name="Set").click()
    expect(voltage_of(page).locator("output")).to_contain_text("Done")
    assert by(lab, "unlock") == {"hana"}


def test_who_has_no_role_there_stays_at_the_page_for_signing_in_and_reads_why(
    browser: Browser, lab: Stage
) -> None:
    context = browser.new_context(locale="ko-KR")
    page = context.new_page()
    page.goto(f"{lab.url}/sign-in")
    page.get_by_role("button", name="로그인: 연구소 계정").click()
    log_in_there(page, "guest")
    expect(page.get_by_role("alert").first).to_contain_text(
        "이 스테이션에서 역할이 있는 그룹이 없습니다"
    )
    expect(page.locator(".person")).to_have_count(0)
    context.close()


def test_a_page_without_scripts_goes_there_and_back_by_its_buttons(
    browser: Browser, lab: Stage
) -> None:
    context = browser.new_context(locale="en-US", java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{lab.url}/sign-in")
    page.get_by_role("button", name="Sign in with lab account").click()
    log_in_there(page, "park")
    page.get_by_role("button", name="Go on").click()
    expect(page.locator(".person")).to_contain_text("박도윤 administrator")
    context.close()
