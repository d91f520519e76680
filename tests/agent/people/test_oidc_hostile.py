"""What a browser, a thief or a sick provider sends instead of a sign-in: nobody comes in by it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from agent.people.attempts import COUNTS_S, MOST_OF_ADDRESS
from agent.people.provider import MOST_BYTES, Provider
from agent.settings import Oidc
from tests.agent.oidc_bench import BACK, BEGIN, ROLES, Browser, Lab, oidc_lab
from tests.agent.people_bench import PASSWORD, house
from tests.agent.web_bench import SETTINGS, until
from tests.oidc_provider import CLIENT, SECRET, Faults

pytestmark = pytest.mark.lab

WRONG_TOKENS: tuple[tuple[dict[str, Any], str], ...] = (
    ({"claims": {"nonce": "of-another-sign-in"}}, "its nonce is not the right one"),
    ({"claims": {"nonce": None}}, "it lacks nonce"),
    ({"claims": {"aud": "another-client"}}, "its aud is not the right one"),
    ({"claims": {"aud": [CLIENT, "x"], "azp": "x"}}, "its azp is not the right one"),
    ({"claims": {"aud": None}}, "it lacks aud"),
    ({"claims": {"iss": "https://evil.example"}}, "its iss is not the right one"),
    ({"claims": {"exp": 1_000_000_000}}, "it is too old"),
    ({"claims": {"exp": None}}, "it lacks exp"),
    ({"claims": {"sub": ""}}, "sub"),
    ({"claims": {"sub": 7}}, "its sub is not the right one"),
    ({"unsigned": True}, "not signed in a way that is taken"),
    ({"by_secret": True}, "not signed in a way that is taken"),
    ({"header": {"kid": "unknown"}}, "by no key of the provider"),
)
WRONG_FACTS: tuple[tuple[dict[str, Any], str], ...] = (
    ({"issuer": "http://127.0.0.1:1"}, "it calls itself"),
    ({"token_endpoint": "http://login.lab.example/token"}, "token_endpoint is no https://"),
    ({"authorization_endpoint": "javascript:alert(1)"}, "authorization_endpoint is no https"),
    ({"jwks_uri": None}, "jwks_uri is no https://"),
    ({"more": "x" * MOST_BYTES}, "it says too much"),
)
NOT_BEGUN = "This sign-in was not begun in this browser"


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    async with oidc_lab(tmp_path, "kim") as found:
        yield found


async def refused(browser: Browser, said: str, status: int) -> None:
    """Sign in at the provider; the station says why not, and nobody is signed in."""
    answer = await browser.sign_in("hana")
    assert said in answer.text, answer.text
    assert answer.status_code == status
    assert not (await browser.session())["signed_in"]


@pytest.mark.parametrize("spoil", ["state", "state of another", "no state", "cookie", "no cookie"])
async def test_a_sign_in_ends_in_the_browser_that_began_it_with_its_own_state(
    lab: Lab, spoil: str
) -> None:
    browser, other = await lab.browser(), await lab.browser()
    there = await browser.log_in(await browser.leave(), "hana")
    form = dict(it.split("=", 1) for it in there.partition("?")[2].split("&"))
    match spoil:
        case "state":
            form["state"] = "x" * 43
        case "state of another":
            form["state"] = (await other.leave()).partition("state=")[2].partition("&")[0]
        case "no state":
            del form["state"]
        case "cookie":
            await other.leave()
            browser, other = other, browser  # a code that was sent to somebody else's browser
        case _:
            browser.station.cookies.clear()
    answer = await browser.station.post(BACK, data=form)
    assert answer.status_code == 403
    assert NOT_BEGUN in answer.text
    assert "/token" not in lab.provider.asked
    assert not (await browser.session())["signed_in"]


async def test_a_sign_in_ends_once_and_in_time(lab: Lab) -> None:
    browser = await lab.browser()
    there = await browser.log_in(await browser.leave(), "hana")
    kept = dict(browser.station.cookies)
    assert (await browser.come_back(there)).status_code == 303
    browser.station.cookies.update(kept)  # of a thief who has seen all of it
    assert NOT_BEGUN in (await browser.come_back(there)).text
    late = await browser.log_in(await browser.leave(), "hana")
    lab.wind(COUNTS_S)
    assert NOT_BEGUN in (await browser.come_back(late)).text


async def test_a_code_that_was_used_already_lets_nobody_in(lab: Lab) -> None:
    browser, other = await lab.browser(), await lab.browser()
    first = await browser.log_in(await browser.leave(), "hana")
    assert (await browser.come_back(first)).status_code == 303
    mine = await other.log_in(await other.leave(), "hana")
    code = first.partition("code=")[2].partition("&")[0]
    state = mine.partition("state=")[2].partition("&")[0]
    answer = await other.station.post(BACK, data={"code": code, "state": state})
    assert "This sign-in does not count any more" in answer.text
    assert not (await other.session())["signed_in"]


async def test_a_code_of_another_sign_in_fails_by_its_verifier(lab: Lab) -> None:
    browser, thief = await lab.browser(), await lab.browser()
    theirs = await browser.log_in(await browser.leave(), "hana")
    mine = await thief.leave()
    form = {
        "code": theirs.partition("code=")[2].partition("&")[0],
        "state": mine.partition("state=")[2].partition("&")[0],
    }
    answer = await thief.station.post(BACK, data=form)
    assert "This sign-in does not count any more" in answer.text
    assert lab.provider.codes == {}
    assert not (await thief.session())["signed_in"]


async def test_a_token_that_is_not_the_right_one_lets_nobody_in(lab: Lab) -> None:
    for count, (faults, said) in enumerate(WRONG_TOKENS, 1):
        lab.provider.faults = Faults(**faults)
        await refused(await lab.browser(), said, 503)
        whose, why = (await lab.failures(count))[-1]
        assert (whose, said in why) == ("nobody", True)
    assert lab.house.people.accounts.get("hana") is None


async def test_a_key_that_was_changed_is_fetched_anew_and_a_forged_one_is_not_believed(
    lab: Lab,
) -> None:
    browser = await lab.browser()
    assert (await browser.sign_in("hana")).status_code == 303
    assert (await browser.sign_in("hana")).status_code == 303
    assert lab.provider.asked.count("/keys") == 1  # they are kept
    lab.provider.rotate()
    assert (await browser.sign_in("hana")).status_code == 303
    assert lab.provider.asked.count("/keys") == 2
    lab.provider.forge()  # as somebody would who answers in the provider's place
    answer = await browser.sign_in("hana")
    assert "by no key of the provider" in answer.text


async def test_a_provider_that_is_down_keeps_nobody_else_out(tmp_path: Path) -> None:
    nowhere = Oidc(issuer="http://127.0.0.1:9", client_id=CLIENT, roles=ROLES)
    settings = SETTINGS.model_copy(update={"oidc": nowhere})
    async with house(tmp_path, "kim", settings=settings) as found:
        browser = await found.browser()
        base = f"http://127.0.0.1:{found.port}"
        headers = {"Origin": base, "Accept-Language": "en"}
        answer = await browser.post(f"{base}{BEGIN}", data={"next": "/"}, headers=headers)
        assert answer.status_code == 503
        assert "nothing answers there; accounts of this station go on signing in" in answer.text
        await found.browser("kim", PASSWORD)


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/token", "/keys"])
async def test_a_provider_that_hangs_is_given_up_and_holds_nothing_up(lab: Lab, path: str) -> None:
    elsewhere = lab.house.people.elsewhere
    assert elsewhere
    elsewhere._provider = Provider(elsewhere._oidc, lab.house.clock, answer_within=0.8)
    browser = await lab.browser()
    there = "" if path.startswith("/.") else await browser.log_in(await browser.leave(), "hana")
    lab.provider.faults.hang = frozenset({path})
    if there:
        waiting = asyncio.ensure_future(browser.come_back(there))  # noqa: TID251 - a test's own
    else:
        waiting = asyncio.ensure_future(browser.station.post(BEGIN, data={"next": "/"}))  # noqa: TID251
    await until(lambda: path in lab.provider.asked, 10.0)
    await lab.house.browser("kim", PASSWORD)  # while it hangs
    answer = await waiting
    assert answer.status_code == 503
    assert "no answer in time" in answer.text
    assert not (await browser.session())["signed_in"]


async def test_what_a_provider_says_of_itself_is_not_just_believed(lab: Lab) -> None:
    browser = await lab.browser()
    for facts, said in WRONG_FACTS:
        lab.provider.faults.facts = facts
        answer = await browser.station.post(BEGIN, data={"next": "/"})
        assert answer.status_code == 503
        assert said in answer.text
    lab.provider.faults.facts = {}
    assert (await browser.sign_in("hana")).status_code == 303  # once it says what is right


async def test_who_cancels_there_is_told_so_here(lab: Lab) -> None:
    browser = await lab.browser()
    state = (await browser.leave()).partition("state=")[2].partition("&")[0]
    back = f"{BACK}?error=access_denied&error_description=%3Cscript%3E&state={state}"
    answer = await browser.come_back(f"http://127.0.0.1:{lab.house.port}{back}")
    assert answer.status_code == 403
    assert "You were not signed in there: it was cancelled" in answer.text
    assert "<script>" not in answer.text.partition("<main")[2]


@pytest.mark.parametrize("back", ["//evil.example", "https://evil.example/", "/\\evil.example"])
async def test_a_sign_in_leads_back_to_this_station_alone(lab: Lab, back: str) -> None:
    answer = await (await lab.browser()).sign_in("hana", back)
    assert answer.headers["location"] == "/"


async def test_the_provider_sends_back_to_the_very_name_that_was_asked_for(lab: Lab) -> None:
    browser, port = await lab.browser(), lab.house.port
    for host, status in (("localhost", 200), ("bench.lab", 200), ("evil.example", 421)):
        headers = {"Host": f"{host}:{port}", "Origin": f"http://{host}:{port}"}
        answer = await browser.station.post(BEGIN, data={"next": "/"}, headers=headers)
        assert answer.status_code == status
        if status == 200:
            assert f"redirect_uri=http%3A%2F%2F{host}%3A{port}%2Fsign-in%2F" in answer.text
    address = await browser.leave()
    spoiled = address.replace(f"%3A{port}", "%3A1")
    assert (await browser.elsewhere.get(spoiled)).status_code == 400


async def test_nobody_keeps_others_out_by_beginning_often(lab: Lab) -> None:
    browser, pest = await lab.browser(), await lab.browser()
    elsewhere = lab.house.people.elsewhere
    assert elsewhere
    address = await browser.leave()
    for _ in range(3 * MOST_OF_ADDRESS):
        elsewhere._attempts.begin("", "", "192.0.2.9", again=None, asks=True)
    there = await browser.log_in(address, "hana")
    assert (await browser.come_back(there)).status_code == 303
    assert len(elsewhere._attempts._attempts) <= MOST_OF_ADDRESS
    assert not (await pest.session())["signed_in"]


async def test_the_secret_of_the_station_stands_in_nothing_that_is_said(
    lab: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    browser = await lab.browser()
    answer = await browser.sign_in("hana")
    found = await browser.station.get("/sign-in")
    about = await browser.station.get("/api/v1/openapi.json")
    rows = [str(row.entry) for row in await lab.house.people.accounts.ledger.rows()]
    everything = [caplog.text, answer.text, found.text, about.text, str(answer.headers), *rows]
    assert not [it for it in everything if SECRET in it]
    lab.provider.faults = Faults()
    elsewhere = lab.house.people.elsewhere
    assert elsewhere
    secret = elsewhere._oidc.client_secret_file
    assert secret
    await asyncio.to_thread(secret.write_text, "another-secret-by-mistake\n")
    await refused(await lab.browser(), "it does not know this station by its secret", 503)
    await asyncio.to_thread(secret.unlink)
    await refused(await lab.browser(), "The secret of this station is not there", 503)
