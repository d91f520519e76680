"""What the console says where there is nothing to show."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from agent.web.console import page as pages
from tests.agent.web_bench import Web, problem, served


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[Web]:
    async with served(folder=tmp_path) as found:
        yield found


@pytest.fixture
async def browser(web: Web) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{web.port}") as client:
        yield client


@pytest.mark.parametrize("path", ["/devices/nothing", "/nothing"])
async def test_what_there_is_not_is_said_to_a_person_as_a_page(
    browser: httpx.AsyncClient, path: str
) -> None:
    headers = {"Accept": "text/html,*/*;q=0.8", "Accept-Language": "ko"}
    page = await browser.get(path, headers=headers)
    assert page.status_code == 404
    assert page.headers["content-type"].startswith("text/html")
    assert "전체 정지" in page.text
    problem(await browser.get(path), 404, "no-such")


def test_a_button_that_acts_by_a_script_waits_for_it() -> None:
    """Pressed before, it would do nothing and say nothing. What stands in a dialog was opened by a script."""
    folder = Path(pages.__file__).parent / "templates"
    plain = r"<form[^>]*method=\"(post|get)\".*?</form>|<form[^>]*class=\"search\".*?</form>"
    apart = re.compile(rf"{plain}|<dialog.*?</dialog>", re.DOTALL)
    buttons = [
        it
        for path in folder.rglob("*.html")
        for it in re.findall(r"<button[^>]*>", apart.sub("", path.read_text()))
    ]
    assert len(buttons) > 25
    assert [it for it in buttons if not re.search(r"ready\(| disabled| form=\"stop\"", it)] == []


def test_a_form_that_is_sent_before_its_script_has_come_goes_nowhere() -> None:
    """A browser would put what was typed into the address, passwords as well."""
    folder = Path(pages.__file__).parent / "templates"
    forms = [
        it for path in folder.rglob("*.html") for it in re.findall(r"<form[^>]*>", path.read_text())
    ]
    assert len(forms) > 20
    assert [
        it for it in forms if not re.search(r' method="(post|dialog)"| method="get"| hx-get', it)
    ] == []
