"""Users and tokens over HTTP: who may see and change them, and the first of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from agent.people.session import PROVED_S
from drivers import Role
from tests.agent.people_bench import PASSWORD, House, house, ledger_of
from tests.agent.web_bench import problem

pytestmark = pytest.mark.lab

SET = "/devices/psu1/settings/voltage"
ENGINEERS = "/devices/psu1/settings/current_limit"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path, "ob", "kim", "lee", "cho", "park") as found:
        yield found


async def who(client: httpx.AsyncClient) -> dict[str, Any]:
    found: dict[str, Any] = (await client.get("/session")).json()
    return found


@pytest.mark.parametrize("name", ["ob", "kim", "lee", "cho"])
async def test_nobody_but_an_administrator_sees_or_changes_people(lab: House, name: str) -> None:
    them = await lab.browser(name)
    for method, path, body in PEOPLE:
        answer = await them.request(method, path, json=body)
        problem(answer, 403, "not-allowed")
    assert [it.name for it in lab.people.accounts.listing] == ["cho", "kim", "lee", "ob", "park"]


NEW = {"name": "han", "role": "technician", "password": PASSWORD, "display": "한지우"}
PEOPLE: list[tuple[str, str, Any]] = [
    ("GET", "/users", None),
    ("GET", "/users/kim", None),
    ("POST", "/users", NEW),
    ("POST", "/users/kim/role", {"role": "administrator"}),
    ("POST", "/users/kim/password", {"password": "another password"}),
    ("POST", "/users/park/disable", {}),
    ("POST", "/users/kim/enable", {}),
    ("GET", "/tokens", None),
    ("POST", "/tokens", {"name": "report", "scope": "read"}),
    ("DELETE", "/tokens/report", {}),
    ("POST", "/first-administrator/code", {}),
]


async def test_the_token_of_the_file_and_nobody_manage_no_people(lab: House) -> None:
    nobody = await lab.browser()
    for method, path, body in PEOPLE:
        answer = await nobody.request(method, path, json=body)
        assert answer.status_code in {401, 403}
    nobody.headers["Authorization"] = "Bearer a-token-for-tests-of-enough-characters"
    for method, path, body in PEOPLE:
        problem(await nobody.request(method, path, json=body), 403, "not-allowed")


async def test_an_administrator_manages_people_and_gives_the_password_again_for_it(
    lab: House,
) -> None:
    park = await lab.browser("park")
    made = await park.post("/users", json=NEW)
    assert made.json()["display"] == "한지우"
    lab.clock.wind(PROVED_S)
    for method, path, body in PEOPLE:
        if method != "GET":
            problem(await park.request(method, path, json=body), 403, "locked")
    assert len((await park.get("/users")).json()["users"]) == 6
    await park.post("/session/unlock", json={"password": PASSWORD})
    assert (await park.post("/users/han/role", json={"role": "qa"})).json()["role"] == "qa"
    problem(await park.post("/users", json=NEW), 409, "exists")
    problem(await park.post("/users/who/role", json={"role": "qa"}), 404, "no-such")
    problem(await park.post("/users/park/disable", json={}), 422, "bad-value")
    assert ("park", "web", "user.role", "han") in await ledger_of(lab.people)


async def test_root_manages_people_on_the_socket_and_gets_no_more_of_the_devices(
    lab: House,
) -> None:
    assert (await lab.unix.post("/users", json=NEW)).status_code == 200
    assert (await lab.unix.post("/users/han/disable", json={})).json()["enabled"] is False
    assert ("root", "cli", "user.add", "han") in await ledger_of(lab.people)
    problem(await lab.unix.put(ENGINEERS, json={"value": 1.0}), 403, "not-allowed")
    answer = await lab.unix.post("/session", json={"name": "kim", "password": PASSWORD})
    problem(answer, 409, "refused")


async def test_a_token_is_shown_once_and_does_what_its_scope_says(lab: House) -> None:
    made = {
        scope: (await lab.unix.post("/tokens", json={"name": f"t-{scope}", "scope": scope})).json()
        for scope in ("read", "jobs", "technician", "engineer")
    }
    program = await lab.browser()
    may = {}
    for scope, it in made.items():
        program.headers["Authorization"] = f"Bearer {it['token']}"
        may[scope] = [
            (await program.put(path, json={"value": 1.0})).status_code for path in (SET, ENGINEERS)
        ]
        assert (await program.get("/devices")).status_code == 200
        assert (await program.post("/stop", json={})).status_code == 200
        hold = (await program.post("/queue/hold", json={"reason": "test"})).status_code
        assert hold == (403 if scope == "read" else 200)
    assert may == {
        "read": [403, 403],
        "jobs": [403, 403],
        "technician": [200, 403],
        "engineer": [200, 200],
    }
    listed = await lab.unix.get("/tokens")
    assert not any(it["token"] in listed.text for it in made.values())
    await lab.unix.request("DELETE", "/tokens/t-engineer", json={})
    problem(await program.put(SET, json={"value": 1.0}), 401, "no-token")
    assert [it["counts"] for it in listed.json()["tokens"]] == [True] * 4


async def test_a_token_that_is_over_is_as_good_as_none(lab: House) -> None:
    made = (
        await lab.unix.post("/tokens", json={"name": "t", "scope": "engineer", "days": 1})
    ).json()
    program = await lab.browser()
    program.headers["Authorization"] = f"Bearer {made['token']}"
    assert (await program.put(SET, json={"value": 1.0})).status_code == 200
    lab.clock.wind(86_400.0)
    problem(await program.put(SET, json={"value": 1.0}), 401, "no-token")


async def test_the_first_administrator_is_made_in_the_browser_with_the_code_of_the_log(
    tmp_path: Path,
) -> None:
    async with house(tmp_path) as lab:
        nobody = await lab.browser()
        assert (await who(nobody))["first"]
        code = (await lab.unix.post("/first-administrator/code", json={})).json()["code"]
        body = {"code": "wrong", "name": "park", "display": "박도윤", "password": PASSWORD}
        problem(await nobody.post("/first-administrator", json=body), 401, "sign-in-failed")
        made = await nobody.post("/first-administrator", json={**body, "code": code})
        assert made.json()["role"] == "administrator"
        body["code"] = code
        problem(await nobody.post("/first-administrator", json=body), 401, "sign-in-failed")
        assert not (await who(nobody))["first"]
        park = await lab.browser("park")
        assert (await park.get("/users/park")).json()["display"] == "박도윤"
        code = (await lab.unix.post("/first-administrator/code", json={})).json()["code"]
        assert code == ""
        assert lab.people.accounts.named("park").role is Role.ADMINISTRATOR
