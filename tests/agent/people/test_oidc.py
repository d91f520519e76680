"""Signing in at a provider of OpenID Connect: who comes in, as whom, and with which role."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import trustme

from agent.people.people_errors import KeptElsewhere
from agent.web.api import api_of, doors_of
from agent.web.listeners import bind_tcp
from agent.web.tls import tls_of
from drivers import Role
from tests.agent.oidc_bench import Browser, Lab, oidc_lab
from tests.agent.people_bench import PASSWORD, ROOT, ledger_of
from tests.agent.web.test_web_network import NAME, files_in
from tests.agent.web_bench import SETTINGS, TOKEN, problem, serving

pytestmark = pytest.mark.lab

SET = "/api/v1/devices/psu1/settings/voltage"


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    async with oidc_lab(tmp_path, "lee") as found:
        yield found


async def test_who_signs_in_at_the_provider_comes_back_signed_in(lab: Lab) -> None:
    browser = await lab.browser()
    answer = await browser.sign_in("hana")
    assert (answer.status_code, answer.headers["location"]) == (303, "/devices/psu1")
    found = await browser.session()
    assert (found["name"], found["display"], found["role"]) == ("hana", "김하나", "technician")
    csrf = {"X-CSRF-Token": found["csrf"]}
    assert (await browser.station.put(SET, json={"value": 1.5}, headers=csrf)).status_code == 200
    assert (await ledger_of(lab.house.people))[-2:] == [
        ("labkeeper", "agent", "user.add", "hana"),
        ("hana", "web", "sign-in", "hana"),
    ]


async def test_the_session_is_one_of_our_own(lab: Lab) -> None:
    browser = await lab.browser()
    answer = await browser.sign_in("hana")
    [cookie] = [it for it in answer.headers.get_list("set-cookie") if "-provider" not in it]
    assert cookie.startswith(f"labkeeper-{lab.house.port}=")
    flags = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert flags == {"httponly", "samesite=strict", "path=/"}
    assert f"labkeeper-provider-{lab.house.port}" not in browser.station.cookies
    lab.wind(lab.house.people.sessions.rules.lock_after)
    assert (await browser.session())["locked"]


async def test_the_cookie_of_a_sign_in_lives_shortly_and_out_of_the_reach_of_scripts(
    lab: Lab,
) -> None:
    browser = await lab.browser()
    answer = await browser.station.post("/sign-in/provider", data={"next": "/"})
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"labkeeper-provider-{lab.house.port}=")
    flags = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert flags == {"httponly", "max-age=600", "samesite=lax", "path=/"}


async def test_nobody_is_signed_in_by_what_another_site_sends_a_browser_with(lab: Lab) -> None:
    browser = await lab.browser()
    there = await browser.log_in(await browser.leave(), "hana")
    asked = len(lab.provider.asked)
    page = await browser.station.get(there, headers={"Sec-Fetch-Site": "cross-site"})
    assert page.status_code == 200
    assert "set-cookie" not in page.headers
    assert len(lab.provider.asked) == asked  # the code has not been used
    assert not (await browser.session())["signed_in"]
    for dest in ("iframe", "image", "empty"):
        headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": dest}
        problem(await browser.station.get(there, headers=headers), 403, "wrong-origin")


async def test_a_person_is_known_by_the_subject_whatever_they_are_called(lab: Lab) -> None:
    browser = await lab.browser()
    await browser.sign_in("hana")
    lab.provider.people["hana"] |= {"name": "김하나 (야간)", "preferred_username": "hana.kim"}
    await browser.sign_in("hana")
    found = await browser.session()
    assert (found["name"], found["display"]) == ("hana", "김하나 (야간)")
    assert [it.name for it in lab.house.people.accounts.listing] == ["hana", "lee"]


async def test_the_name_of_an_account_that_is_there_is_never_taken(lab: Lab) -> None:
    lab.provider.people["hana"]["preferred_username"] = "Lee@lab.example"
    browser = await lab.browser()
    await browser.sign_in("hana")
    assert (await browser.session())["name"] == "lee-2"
    lee = lab.house.people.accounts.named("lee")
    assert (lee.provider, lee.role) == ("", Role.ENGINEER)
    await lab.house.browser("lee", PASSWORD)  # signs in as before


async def test_the_role_is_that_of_the_groups_at_each_sign_in_and_counts_at_once(lab: Lab) -> None:
    first, second = await lab.browser(), await lab.browser()
    await first.sign_in("park")
    assert (await first.session())["role"] == "administrator"
    lab.provider.people["park"]["groups"] = "lab-technicians"  # one alone, as some providers say it
    await second.sign_in("park")
    assert (await first.session())["role"] == "technician"
    assert ("labkeeper", "agent", "user.role", "park") in await ledger_of(lab.house.people)


async def test_who_has_no_role_there_does_not_come_in(lab: Lab) -> None:
    browser = await lab.browser()
    answer = await browser.sign_in("guest")
    assert answer.status_code == 403
    assert "None of your groups there has a role on this station" in answer.text
    assert not (await browser.session())["signed_in"]
    assert lab.house.people.accounts.get("guest") is None
    [(whose, why)] = await lab.failures(1)
    assert (whose, "none of your groups" in why) == ("nobody", True)


async def test_who_has_lost_the_role_there_is_out_here_with_sessions_and_tokens(lab: Lab) -> None:
    inside, again = await lab.browser(), await lab.browser()
    await inside.sign_in("park")
    park = lab.house.people.accounts.named("park").actor
    token, _ = await lab.house.people.tokens.add(park, "report", "engineer", 30)
    lab.provider.people["park"]["groups"] = []
    assert (await again.sign_in("park")).status_code == 403
    assert not (await inside.session())["signed_in"]
    bearer = lab.house.people.tokens.find(token)
    assert bearer
    assert bearer.actor.role is Role.OBSERVER
    assert [whose for whose, _ in await lab.failures(1)] == ["park"]


async def test_who_is_switched_off_here_stays_out(lab: Lab) -> None:
    browser = await lab.browser()
    await browser.sign_in("hana")
    await lab.house.people.switch(ROOT, "hana", on=False)
    answer = await browser.sign_in("hana")
    assert answer.status_code == 403
    assert "Hana is switched off on this station" in answer.text
    assert not (await browser.session())["signed_in"]


async def test_role_and_password_of_somebody_from_there_are_not_changed_here(lab: Lab) -> None:
    browser, people = await lab.browser(), lab.house.people
    await browser.sign_in("hana")
    with pytest.raises(KeptElsewhere, match="are changed there"):
        await people.accounts.set_role(ROOT, "hana", Role.QA)
    with pytest.raises(KeptElsewhere, match="are changed there"):
        await people.give_password(ROOT, "hana", "battery staple correct")
    csrf = {"X-CSRF-Token": (await browser.session())["csrf"]}
    for path, body in (
        ("unlock", {"password": PASSWORD}),
        ("password", {"password": "", "new": "battery staple correct"}),
    ):
        answer = await browser.station.post(f"/api/v1/session/{path}", json=body, headers=csrf)
        problem(answer, 422, "bad-value")
    for password in ("", "password"):
        body = {"name": "hana", "password": password}
        problem(await browser.station.post("/api/v1/session", json=body), 401, "sign-in-failed")


async def test_one_who_is_locked_says_again_who_they_are_at_the_provider(lab: Lab) -> None:
    browser = await lab.browser()
    await browser.sign_in("park")
    before = await browser.session()
    lab.wind(lab.house.people.sessions.rules.lock_after)
    address = await browser.leave(again="yes", csrf=before["csrf"])
    assert "prompt=login" in address
    assert "max_age=0" in address
    answer = await browser.come_back(await browser.log_in(address, "park"))
    assert (answer.status_code, answer.headers["location"]) == (303, "/devices/psu1")
    assert await browser.session() == before  # the same session, open
    assert (await ledger_of(lab.house.people))[-1] == ("park", "web", "unlock", "park")


@pytest.mark.parametrize(
    ("who", "spoil", "said"),
    [
        ("hana", {}, "That was somebody else"),
        ("park", {"auth_time": 1_000_000_000}, "did not say that it has just asked"),
        ("park", {"auth_time": None}, "did not say that it has just asked"),
    ],
)
async def test_a_session_is_not_unlocked_by_anything_less(
    lab: Lab, who: str, spoil: dict[str, int | None], said: str
) -> None:
    browser = await lab.browser()
    await browser.sign_in("park")
    csrf = (await browser.session())["csrf"]
    lab.wind(lab.house.people.sessions.rules.lock_after)
    lab.provider.faults.claims = dict(spoil)
    answer = await browser.sign_in(who, again="yes", csrf=csrf)
    assert answer.status_code == 403
    assert said in answer.text, answer.text
    assert (await browser.session())["locked"]


async def test_users_are_managed_after_a_password_that_was_just_given_alone(lab: Lab) -> None:
    quick, asked = await lab.browser(), await lab.browser()
    lab.provider.faults.claims = {"auth_time": None}  # it says nothing of when
    await quick.sign_in("park")
    lab.provider.faults.claims = {}
    await asked.sign_in("park")
    new = {"name": "ob", "role": "observer", "password": PASSWORD}
    for browser, status in ((quick, 403), (asked, 200)):
        csrf = {"X-CSRF-Token": (await browser.session())["csrf"]}
        answer = await browser.station.post("/api/v1/users", json=new, headers=csrf)
        assert answer.status_code == status, answer.text


async def test_after_a_restart_people_from_there_are_who_they_were(tmp_path: Path) -> None:
    async with oidc_lab(tmp_path) as lab:
        await (await lab.browser()).sign_in("hana")
        issuer, provider = lab.provider.issuer, lab.provider
    async with oidc_lab(tmp_path) as later:
        [hana] = later.house.people.accounts.listing
        assert (hana.name, hana.provider, hana.display) == ("hana", issuer, "김하나")
        assert provider.issuer == issuer


async def test_from_another_machine_the_way_leads_over_tls_and_back_to_its_name(
    lab: Lab, tmp_path: Path
) -> None:
    authority, trust = trustme.CA(), ssl.create_default_context()
    authority.configure_trust(trust)
    files = await asyncio.to_thread(files_in, tmp_path, authority)
    tls = await asyncio.to_thread(tls_of, *files)
    station = replace(lab.house.bench.station, people=lab.house.people, clock=lab.house.clock)
    doors = doors_of(api_of(station, SETTINGS), station, SETTINGS, TOKEN, network=(NAME,))
    sock = bind_tcp("127.0.0.1:0", "api.network.listen")
    port = sock.getsockname()[1]
    base, host = f"https://127.0.0.1:{port}", f"{NAME}:{port}"
    headers = {"Host": host, "Origin": f"https://{host}", "Accept": "text/html"}
    lab.provider.redirects.append(f"https://{host}/sign-in/provider/back")
    async with (
        serving(doors, sock, tls) as served,
        httpx.AsyncClient(base_url=base, headers=headers, verify=trust) as client,
        httpx.AsyncClient() as elsewhere,
    ):
        assert not served.done()
        client.event_hooks["request"] = [_named]
        browser = Browser(client, elsewhere)
        address = await browser.leave()
        assert "prompt" not in address  # nobody else sits at that screen
        there = await browser.log_in(address, "park")
        assert there.startswith(f"https://{host}/sign-in/provider/back?")
        answer = await browser.come_back(there.replace(f"https://{host}", base))
        assert (answer.status_code, answer.headers["location"]) == (303, "/devices/psu1")
        [cookie] = [it for it in answer.headers.get_list("set-cookie") if "-provider" not in it]
        assert cookie.startswith(f"__Host-labkeeper-{port}=")
        new = {"name": "ob", "role": "observer", "password": PASSWORD}
        csrf = {"X-CSRF-Token": (await browser.session())["csrf"]}
        locked = await client.post("/api/v1/users", json=new, headers=csrf)
        problem(locked, 403, "locked")  # nobody was told to ask for the password


async def _named(request: httpx.Request) -> None:
    request.extensions["sni_hostname"] = NAME
