"""People on a real station: the first administrator, others, and signing in, in a real browser."""

from __future__ import annotations

import re

import httpx
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page, expect

from tests.browser.stage import Stage

PASSWORD = "correct horse battery"
CODE = re.compile(r"[A-Z2-7]{4}(?:-[A-Z2-7]{4}){3}")


def make_first(page: Page, lab: Stage) -> None:
    """Make the first administrator as a person would: the log is open beside the browser."""
    page.goto(f"{lab.url}/")
    page.get_by_role("link", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="First administrator")).to_be_visible()
    expect(page.locator("main")).to_contain_text("labkeeper user first-code")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    [code] = CODE.findall((lab.folder / "agent.log").read_text())
    expect(page.get_by_label("Code")).to_be_focused()
    page.keyboard.type(code.lower())
    page.get_by_label("Name for signing in").fill("park")
    page.get_by_label("What people call you").fill("박도윤")
    page.get_by_label("Password, at least 10 characters").fill(PASSWORD)
    page.get_by_label("Password again").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator(".person")).to_contain_text("박도윤 administrator")


def add(lab: Stage, name: str, role: str, display: str) -> None:
    """Add somebody over the socket, as root would."""
    over = httpx.HTTPTransport(uds=str(lab.folder / "state" / "agent.sock"))
    body = {"name": name, "role": role, "display": display, "password": PASSWORD}
    with httpx.Client(transport=over, base_url="http://localhost/api/v1") as client:
        answer = client.post("/users", json=body)
        assert answer.status_code == 200, answer.text


def sign_in(page: Page, name: str, password: str = PASSWORD) -> None:
    """Sign in on the page, in English."""
    page.locator(".person").get_by_role("link", name="Sign in").click()
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.locator("main").get_by_role("button", name="Sign in").click()


def by(lab: Stage, action: str) -> set[str]:
    """Who did something lately, as the ledger has it."""
    entries = [row["entry"] for row in lab.get("/ledger?limit=100")["rows"]]
    return {it["actor"]["name"] for it in entries if it["action"] == action}


def restart(lab: Stage) -> None:
    """End the agent and start it anew."""
    lab.agent.terminate()
    lab.agent.wait(10)
    lab.restart()
    lab.until_ready()
