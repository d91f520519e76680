"""People over HTTP: sign in, act with the token of the page, pause, sign out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.agent.people_bench import PASSWORD, ROOT, House, house
from tests.agent.web_bench import problem

pytestmark = pytest.mark.lab

SET = "/devices/psu1/settings/voltage"
ENGINEERS = "/devices/psu1/settings/current_limit"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path, "ob", "kim", "lee", "cho", "park") as found:
        yield found


def sent(lab: House) -> list[str]:
    return [it for it in lab.bench.simulators["psu1"].asked if it.startswith("volt ")]


async def who(client: httpx.AsyncClient) -> dict[str, Any]:
    found: dict[str, Any] = (await client.get("/session")).json()
    return found


async def test_a_person_signs_in_acts_under_their_name_and_signs_out(lab: House) -> None:
    kim = await lab.browser("kim")
    assert {**await who(kim), "csrf": ""} == {
        "signed_in": True,
        "first": False,
        "name": "kim",
        "display": "kim",
        "role": "technician",
        "locked": False,
        "language": "",
        "csrf": "",
    }
    assert (await kim.put(SET, json={"value": 1.5})).status_code == 200
    assert "kim (web) set psu1.voltage" in await lab.bench.until_event("set.done")
    assert (await kim.request("DELETE", "/session", json={})).status_code == 200
    assert not (await who(kim))["signed_in"]
    problem(await kim.put(SET, json={"value": 2.5}), 401, "no-token")
    assert sent(lab) == ["volt 1.5"]


async def test_the_cookie_is_out_of_the_reach_of_scripts_and_other_sites(lab: House) -> None:
    nobody = await lab.browser()
    answer = await nobody.post("/session", json={"name": "kim", "password": PASSWORD})
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"labkeeper-{lab.port}=")
    flags = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert flags == {"httponly", "samesite=strict", "path=/"}
    assert answer.json()["csrf"] not in cookie


async def test_each_sign_in_has_a_new_secret(lab: House) -> None:
    kim = await lab.browser("kim")
    [old] = kim.cookies.jar
    await kim.post("/session", json={"name": "kim", "password": PASSWORD})
    [new] = kim.cookies.jar
    assert old.value != new.value


async def test_every_failure_has_one_text_and_says_nothing_of_who_there_is(lab: House) -> None:
    await lab.people.switch(ROOT, "lee", on=False)
    nobody, texts = await lab.browser(), set()
    for name, password in (
        ("kim", "wrong"),
        ("no-one", PASSWORD),
        ("lee", PASSWORD),
        ("kim", ""),
        ("x" * 80, "x"),
        ("'; DROP TABLE accounts; --", "x"),
        *[("kim", PASSWORD + " ")] * 4,
        ("kim", PASSWORD),  # too many attempts
    ):
        answer = await nobody.post("/session", json={"name": name, "password": password})
        problem(answer, 401, "sign-in-failed")
        assert "set-cookie" not in answer.headers
        texts.add(answer.text)
    assert len(texts) == 1


@pytest.mark.parametrize("given", [None, "", "0" * 64, "other"])
async def test_a_change_with_the_cookie_alone_is_refused(lab: House, given: str | None) -> None:
    kim, other = await lab.browser("kim"), await lab.browser("kim")
    del kim.headers["X-CSRF-Token"]
    if given is not None:
        kim.headers["X-CSRF-Token"] = other.headers["X-CSRF-Token"] if given == "other" else given
    for answer in (
        await kim.put(SET, json={"value": 1.5}),
        await kim.request("DELETE", "/session", json={}),
        await kim.post("/session/unlock", json={"password": PASSWORD}),
        await kim.post("/session/language", json={"language": "ko"}),
        await kim.put(
            "/files/a.gcode", content=b"G28\n", headers={"Content-Type": "application/octet-stream"}
        ),
    ):
        problem(answer, 403, "no-csrf")
    assert sent(lab) == []
    assert (await who(kim))["signed_in"]


async def test_stop_needs_nothing_of_a_person_and_knows_their_name_where_it_is_proved(
    lab: House,
) -> None:
    kim = await lab.browser("kim")
    assert (await kim.post("/devices/psu1/stop", json={})).status_code == 200
    assert "kim (web)" in await lab.bench.until_event("stop.done")
    del kim.headers["X-CSRF-Token"]
    assert (await kim.post("/stop", json={})).status_code == 200
    last = [event for event in lab.bench.events.kept if event.kind == "stop.done"][-1]
    assert last.data["actor"] == "no token"


async def test_looking_goes_on_in_a_locked_session_and_acting_takes_the_password(
    lab: House,
) -> None:
    kim = await lab.browser("kim")
    lab.clock.wind(lab.people.sessions.rules.lock_after)
    assert (await who(kim))["locked"]
    assert (await kim.get("/devices")).status_code == 200
    problem(await kim.put(SET, json={"value": 1.5}), 403, "locked")
    assert (await kim.post("/devices/psu1/stop", json={})).status_code == 200
    problem(await kim.post("/session/unlock", json={"password": "wrong"}), 401, "sign-in-failed")
    problem(await kim.put(SET, json={"value": 1.5}), 403, "locked")
    answer = await kim.post("/session/unlock", json={"password": PASSWORD})
    assert not answer.json()["locked"]
    assert (await kim.put(SET, json={"value": 1.5})).status_code == 200


async def test_a_page_that_only_looks_does_not_keep_a_session_open(lab: House) -> None:
    kim = await lab.browser("kim")
    half = lab.people.sessions.rules.lock_after / 2
    lab.clock.wind(half)
    await kim.get("/devices", headers={"Sec-Fetch-Dest": "document"})  # a person opens a page
    lab.clock.wind(half)
    assert not (await who(kim))["locked"]
    await kim.get("/devices")  # a page asks by itself
    lab.clock.wind(half)
    assert (await who(kim))["locked"]


async def test_a_session_that_is_over_is_nobody(lab: House) -> None:
    kim = await lab.browser("kim")
    lab.clock.wind(lab.people.sessions.rules.longest)
    assert not (await who(kim))["signed_in"]
    assert (await kim.get("/devices")).status_code == 200
    problem(await kim.put(SET, json={"value": 1.5}), 401, "no-token")


async def test_a_wrong_token_is_not_made_good_by_a_cookie(lab: House) -> None:
    kim = await lab.browser("kim")
    for given in ("Bearer wrong", "Basic a2ltOng=", ""):
        answer = await kim.put(SET, json={"value": 1.5}, headers={"Authorization": given})
        problem(answer, 401, "no-token")


async def test_a_role_says_what_a_person_may_change(lab: House) -> None:
    observer, engineer = await lab.browser("ob"), await lab.browser("lee")
    problem(await observer.put(SET, json={"value": 1.5}), 403, "not-allowed")
    assert (await engineer.put(SET, json={"value": 1.5})).status_code == 200


async def test_a_person_changes_their_own_password_and_language(lab: House) -> None:
    kim, other = await lab.browser("kim"), await lab.browser("kim")
    new = "battery staple correct"
    body = {"password": "wrong", "new": new}
    problem(await kim.post("/session/password", json=body), 401, "sign-in-failed")
    assert (await kim.post("/session/language", json={"language": "ko"})).status_code == 200
    problem(await kim.post("/session/language", json={"language": "xx"}), 422, "bad-value")
    answer = await kim.post("/session/password", json={"password": PASSWORD, "new": new})
    assert answer.status_code == 200
    assert (await who(kim))["language"] == "ko"
    assert not (await who(other))["signed_in"]
    await lab.browser("kim", new)
