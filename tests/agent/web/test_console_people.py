"""Pages and the people who look at them: signing in and out by plain forms, and who may do what."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.people.session import Rules
from agent.web.to_sign_in import own_path
from tests.agent.people_bench import PASSWORD, House, house, ledger_of
from tests.agent.web_bench import problem

EVIL = [
    *("//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example"),
    *("https://evil.example/", "javascript:alert(1)", "/\t/evil.example", "/a//evil.example"),
    *("evil.example", "", " /", "/x\r\nSet-Cookie: a=b", "/api/v1/session", "/sign-out"),
    *("/sign-in?next=/sign-in", "/live/station", "/a#b", "/" + "a" * 2000),
]


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path, "ob", "kim", "park") as found:
        yield found


async def pages(lab: House) -> httpx.AsyncClient:
    """A browser that reads pages in English; it follows no redirect."""
    client = await lab.browser()
    client.base_url = httpx.URL(f"http://127.0.0.1:{lab.port}")
    client.headers.update({"Accept": "text/html", "Accept-Language": "en"})
    client.headers["Origin"] = f"http://127.0.0.1:{lab.port}"
    return client


async def signed_in(lab: House, name: str, back: str = "/") -> httpx.AsyncClient:
    """The same, of somebody who has signed in on the page."""
    browser = await pages(lab)
    answer = await post(browser, "/sign-in", name=name, password=PASSWORD, next=back)
    assert answer.status_code == 303, answer.text
    return browser


async def post(browser: httpx.AsyncClient, path: str, **fields: str) -> httpx.Response:
    return await browser.post(path, data=fields)


def csrf_in(page: str) -> str:
    found = re.search(r'data-csrf="([^"]+)"', page)
    assert found
    return found[1]


@pytest.mark.parametrize("path", ["/", "/devices/psu1", "/jobs?filter=kim&page=2", "/a/%EA%B9%80"])
def test_who_signs_in_comes_back_to_a_page_of_ours(path: str) -> None:
    assert own_path(path) == path


@pytest.mark.parametrize("text", EVIL)
def test_and_to_nothing_else(text: str) -> None:
    assert own_path(text) == "/"


@given(st.text(alphabet="/\\.:?#@a\t\n %-", max_size=12))
def test_whatever_is_asked_for_it_stays_on_this_station(text: str) -> None:
    base = httpx.URL("http://station.example/")
    assert base.join(own_path(text)).host == "station.example"
    assert own_path(text)[:2] not in {"//", "/\\"}


async def test_signing_in_leads_back_with_a_cookie_that_no_script_reads(lab: House) -> None:
    browser = await pages(lab)
    page = await browser.get("/sign-in?next=/devices/psu1")
    assert 'name="next" value="/devices/psu1"' in page.text
    answer = await post(browser, "/sign-in", name="kim", password=PASSWORD, next="/devices/psu1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/devices/psu1")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    page = await browser.get("/devices/psu1")
    assert "technician" in page.text.partition('class="person"')[2][:400]


async def test_a_form_that_would_lead_elsewhere_leads_to_the_station(lab: House) -> None:
    browser = await pages(lab)
    answer = await post(browser, "/sign-in", name="kim", password=PASSWORD, next="//evil.example/x")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


async def test_one_text_for_a_wrong_name_a_wrong_password_and_too_many_attempts(
    lab: House,
) -> None:
    browser = await pages(lab)
    told = set()
    for name in ("nobody", *["kim"] * 7):
        answer = await post(browser, "/sign-in", name=name, password="wrong password")
        assert answer.status_code == 401
        assert "set-cookie" not in answer.headers
        [said] = re.findall(r'id="wrong"[^>]*>([^<]+)<', answer.text)
        told.add(said)
        assert f'value="{name}"' in answer.text
        assert "wrong password" not in answer.text
    [text] = told
    assert text.startswith("Name and password do not fit")
    assert "wait a moment, at most five minutes" in text
    waits = await post(browser, "/sign-in", name="kim", password=PASSWORD)
    assert waits.status_code == 401
    korean = await browser.post("/sign-in", data={"name": "kim"}, headers={"Accept-Language": "ko"})
    assert "이름과 비밀번호가 맞지 않거나" in korean.text


async def test_signing_out_takes_the_pages_own_token(lab: House) -> None:
    browser = await signed_in(lab, "kim")
    kept = httpx.Cookies(browser.cookies)
    answer = await post(browser, "/sign-out", csrf="guessed")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    csrf = csrf_in((await browser.get("/")).text)
    answer = await post(browser, "/sign-out", csrf=csrf)
    assert answer.status_code == 303
    browser.cookies = kept
    assert "data-person" not in (await browser.get("/")).text
    assert ("kim", "web", "sign-out", "kim") in await ledger_of(lab.people)


async def test_signing_out_works_while_locked(lab: House) -> None:
    browser = await signed_in(lab, "kim")
    csrf = csrf_in((await browser.get("/")).text)
    lab.clock.wind(lab.people.sessions.rules.lock_after)
    assert (await post(browser, "/sign-out", csrf=csrf)).status_code == 303
    assert "data-person" not in (await browser.get("/")).text


async def test_the_language_of_the_account_is_that_of_the_pages(lab: House) -> None:
    kim = await lab.browser("kim")
    await kim.post("/session/language", json={"language": "ko"})
    browser = await signed_in(lab, "kim")
    assert '<html lang="ko">' in (await browser.get("/")).text
    assert '<html lang="en">' in (await browser.get("/?language=en")).text
    assert '<html lang="en">' in (await browser.get("/")).text


async def test_without_a_sign_in_a_page_is_read_and_its_controls_lead_to_it(lab: House) -> None:
    page = (await (await pages(lab)).get("/devices/psu1")).text
    assert page.count("Sign in to do this") >= 2
    assert 'href="/sign-in?next=/devices/psu1" data-sign-in' in page
    assert '<button type="submit">Set</button>' not in page


async def test_a_control_says_which_role_it_needs_and_which_one_has(lab: House) -> None:
    kim = (await (await signed_in(lab, "kim")).get("/devices/psu1")).text
    voltage, _, limit = kim.partition("settings/current_limit")
    assert '<button type="submit" disabled=waits>Set</button>' in voltage
    assert '<button type="submit" disabled>Set</button>' in limit.partition("</form>")[0]
    assert "Your role is technician" in limit.partition("</form>")[0]
    observer = (await (await signed_in(lab, "ob")).get("/devices/psu1")).text
    assert '<button type="submit" disabled>Set</button>' in observer
    assert "disabled=waits>Set" not in observer


@pytest.mark.parametrize("path", ["/alarms", "/printers"])
async def test_a_page_says_once_which_role_its_buttons_need(lab: House, path: str) -> None:
    nobody = (await (await pages(lab)).get(path)).text
    assert nobody.count("From role: technician") == 1
    assert f'href="/sign-in?next={path}" data-sign-in>Sign in to do this' in nobody
    kim = (await (await signed_in(lab, "kim")).get(path)).text
    assert "From role: technician" in kim
    assert "data-sign-in>Sign in to do this" not in kim
    assert "Your role is" not in kim
    observer = (await (await signed_in(lab, "ob")).get(path)).text
    assert observer.count("Your role is observer") == 1


async def test_who_stops_by_the_plain_form_does_it_by_name(lab: House) -> None:
    browser = await signed_in(lab, "kim")
    page = (await browser.get("/")).text
    form = page.partition('action="/stop"')[2].partition("</form>")[0]
    assert f'value="{csrf_in(page)}"' in form
    lab.clock.wind(lab.people.sessions.rules.lock_after)
    answer = await post(browser, "/stop", csrf=csrf_in(page))
    assert answer.status_code == 200
    assert "Every device is confirmed safe." in answer.text


async def test_a_page_that_is_opened_is_use_and_what_it_asks_for_by_itself_is_none(
    tmp_path: Path,
) -> None:
    async with house(tmp_path, "kim", rules=Rules(lock_after=900.0)) as lab:
        browser = await signed_in(lab, "kim")

        async def is_locked() -> bool:
            said = await browser.get("/api/v1/session")
            return bool(said.json()["locked"])

        lab.clock.wind(800.0)
        await browser.get("/", headers={"Sec-Fetch-Dest": "document"})
        lab.clock.wind(800.0)
        assert not await is_locked()
        for path in ("/parts/cards", "/parts/alarms", "/devices/psu1"):  # as htmx asks
            headers = {"Sec-Fetch-Dest": "empty", "HX-Request": "true"}
            assert (await browser.get(path, headers=headers)).status_code == 200
        lab.clock.wind(200.0)
        assert await is_locked()
        page = await browser.get("/devices/psu1", headers={"Sec-Fetch-Dest": "document"})
        assert page.status_code == 200  # all is shown as before
        assert await is_locked()


async def test_the_first_administrator_is_made_on_the_page_with_the_code(tmp_path: Path) -> None:
    async with house(tmp_path) as lab:
        browser = await pages(lab)
        page = (await browser.get("/sign-in")).text
        code = lab.people.first.code()
        assert "labkeeper user first-code" in page
        assert code not in page
        who = {"name": "park", "display": "박도윤", "password": PASSWORD, "next": "/people"}
        first = "/sign-in/first"
        answer = await post(browser, first, code="AAAA", again=PASSWORD, **who)
        assert answer.status_code == 401
        assert "The code does not count" in answer.text
        assert 'value="박도윤"' in answer.text
        answer = await post(browser, first, code=code, again="another password", **who)
        assert "not the same" in answer.text
        short = {**who, "password": "short", "again": "short"}
        answer = await post(browser, first, code=code, **short)
        assert "A password has 10 to 256 characters" in answer.text
        answer = await post(browser, first, code=code, again=PASSWORD, **who)
        assert (answer.status_code, answer.headers["location"]) == (303, "/people")
        page = (await browser.get("/people")).text
        assert "박도윤" in page
        assert "Add a user" in page
        again = await post(browser, first, code=code, again=PASSWORD, **{**who, "name": "lee"})
        assert again.status_code == 401
        assert [it.name for it in lab.people.accounts.listing] == ["park"]


async def test_the_page_of_people_shows_others_to_administrators_alone(lab: House) -> None:
    nobody = await (await pages(lab)).get("/people")
    assert "Users, tokens and your own password are here" in nobody.text
    assert "park" not in nobody.text
    kim = await signed_in(lab, "kim")
    assert "Your password" in (await kim.get("/people")).text
    assert "park" not in (await kim.get("/people")).text
    for part in ("users", "tokens"):
        problem(await kim.get(f"/parts/people/{part}"), 403, "not-allowed")
        problem(await (await pages(lab)).get(f"/parts/people/{part}"), 401, "no-token")
    park = await signed_in(lab, "park")
    page = (await park.get("/people")).text
    assert re.findall(r'data-user="(\w+)"', page) == ["kim", "ob", "park"]
    assert (await park.get("/parts/people/tokens")).status_code == 200


async def test_a_name_that_looks_like_markup_is_text(lab: House) -> None:
    evil = "<b>x</b>"
    await lab.unix.post(
        "/users",
        json={"name": "han", "display": evil, "role": "observer", "password": PASSWORD},
    )
    page = (await (await signed_in(lab, "park")).get("/people")).text
    assert evil not in page
    hostile = quote('/"><script>')
    page = (await (await pages(lab)).get(f"/sign-in?next={hostile}")).text
    assert "<script>" not in page.partition("<main")[2]


async def test_a_form_of_a_page_that_has_ended_leads_to_signing_in(lab: House) -> None:
    answer = await post(await pages(lab), "/sign-out", csrf="of before")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    program = await lab.browser()
    answer = await program.put("/devices/psu1/settings/voltage", json={"value": 1})
    problem(answer, 401, "no-token")
