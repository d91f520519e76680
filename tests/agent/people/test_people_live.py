"""What is changed of people counts at once: for sessions, tokens and streams that are open already."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from agent.people.people_errors import SignInFailed
from drivers import Role
from tests.agent.people_bench import PASSWORD, ROOT, HandClock, House, house, people_in
from tests.agent.web.test_web_network import Outside, outside
from tests.agent.web_bench import problem, sse, until

pytestmark = pytest.mark.lab
__all__ = ["outside"]  # a fixture

NEW = "battery staple correct"
SET = "/devices/psu1/settings/current_limit"


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path, "kim", "lee", "park") as found:
        yield found


async def test_another_role_counts_for_who_is_signed_in_already(lab: House) -> None:
    lee = await lab.browser("lee")
    assert (await lee.put(SET, json={"value": 1.0})).status_code == 200
    await lab.unix.post("/users/lee/role", json={"role": "technician"})
    assert (await lee.get("/session")).json()["role"] == "technician"
    problem(await lee.put(SET, json={"value": 2.0}), 403, "not-allowed")
    await lab.unix.post("/users/lee/role", json={"role": "engineer"})
    assert (await lee.put(SET, json={"value": 2.0})).status_code == 200


async def test_a_token_never_may_more_than_its_maker_at_this_moment(lab: House) -> None:
    park = await lab.browser("park")
    made = await park.post("/tokens", json={"name": "robot", "scope": "engineer", "days": 3})
    robot = await lab.browser()
    robot.headers["Authorization"] = f"Bearer {made.json()['token']}"
    assert (await robot.put(SET, json={"value": 1.0})).status_code == 200
    await lab.unix.post("/users/lee/role", json={"role": "administrator"})  # one has to remain
    await lab.unix.post("/users/park/role", json={"role": "technician"})
    problem(await robot.put(SET, json={"value": 2.0}), 403, "not-allowed")
    await lab.unix.post("/users/park/disable", json={})
    problem(await robot.put(SET, json={"value": 2.0}), 401, "no-token")
    await lab.unix.post("/users/park/enable", json={})
    await lab.unix.post("/users/park/role", json={"role": "engineer"})
    assert (await robot.put(SET, json={"value": 2.0})).status_code == 200


@pytest.mark.parametrize(
    ("path", "body"), [("disable", {}), ("password", {"password": NEW})], ids=["off", "password"]
)
async def test_who_is_switched_off_or_gets_another_password_is_out_for_good(
    lab: House, path: str, body: dict[str, str]
) -> None:
    kim = await lab.browser("kim")
    await lab.unix.post(f"/users/kim/{path}", json=body)
    assert not (await kim.get("/session")).json()["signed_in"]
    await lab.unix.post("/users/kim/enable", json={})
    assert not (await kim.get("/session")).json()["signed_in"]
    problem(await kim.put("/devices/psu1/settings/voltage", json={"value": 1}), 401, "no-token")


@pytest.mark.parametrize("change", ["password", "off and on"])
async def test_a_password_that_is_changed_while_its_session_begins_opens_nothing(
    tmp_path: Path, change: str
) -> None:
    async with people_in(tmp_path, HandClock(), "kim", "park") as people:
        begin = people.sessions.begin

        async def begun_late(account: object) -> object:
            if change == "password":
                await people.give_password(ROOT, "kim", NEW)
            else:
                await people.switch(ROOT, "kim", on=False)
            return await begin(account)  # type: ignore[arg-type]

        people.sessions.begin = begun_late  # type: ignore[method-assign, assignment]
        with pytest.raises(SignInFailed):
            await people.sign_in("kim", PASSWORD, "127.0.0.1")
        assert people.sessions._sessions == {}


async def test_a_password_that_is_changed_while_it_is_looked_at_opens_nothing(
    tmp_path: Path,
) -> None:
    async with people_in(tmp_path, HandClock(), "kim", "park") as people:
        fits = people.accounts._passwords.fits

        async def fits_late(password: str, kept: str | None) -> bool:
            await people.give_password(ROOT, "kim", NEW)
            return await fits(password, kept)

        people.accounts._passwords.fits = fits_late  # type: ignore[method-assign]
        with pytest.raises(SignInFailed):
            await people.sign_in("kim", PASSWORD, "127.0.0.1")


@pytest.mark.parametrize("change", ["revoked", "maker off"])
async def test_a_stream_ends_with_the_token_that_opened_it(outside: Outside, change: str) -> None:
    people = outside.lab.people
    park = people.accounts.named("park")
    await people.accounts.add(ROOT, "cho", Role.ADMINISTRATOR, PASSWORD)
    token, _ = await people.tokens.add(park.actor, "wall", "read", 3)
    client = await outside.client()
    client.headers["Authorization"] = f"Bearer {token}"
    heard: list[str] = []

    async def listen() -> None:
        async with client.stream("GET", "/devices/stream") as stream:
            async for kind, _, _ in sse(stream):
                heard.append(kind)

    async with asyncio.TaskGroup() as tasks:
        listening = tasks.create_task(listen(), name="listen")
        await until(lambda: bool(heard))
        if change == "revoked":
            await people.tokens.revoke(ROOT, "wall")
        else:
            await people.switch(ROOT, "park", on=False)
        outside.lab.bench.fleet.workers["psu1"].reconnect()  # something is told then
        async with asyncio.timeout(10.0):
            await listening


async def test_the_page_of_people_hears_what_others_change(lab: House) -> None:
    park = await lab.browser("park")
    park.base_url = httpx.URL(f"http://127.0.0.1:{lab.port}")
    page = await park.get("/people", headers={"Accept-Language": "en"})
    assert 'data-live="/live/people?' in page.text
    heard: list[list[str]] = []
    async with asyncio.TaskGroup() as tasks, park.stream("GET", "/live/people") as stream:

        async def listen() -> None:
            async for kind, data, _ in sse(stream):
                if kind == "changes":
                    heard.append(sorted(data["parts"]))

        listening = tasks.create_task(listen(), name="listen")
        await until(lambda: bool(heard))
        await lab.unix.post("/users/kim/role", json={"role": "engineer"})
        await until(lambda: heard[1:] == [["users"]])
        await lab.unix.post("/tokens", json={"name": "t", "scope": "read"})
        await until(lambda: heard[2:] == [["tokens"]])
        listening.cancel()
    kim = await lab.browser("kim")
    problem(await kim.get(f"http://127.0.0.1:{lab.port}/live/people"), 403, "not-allowed")
