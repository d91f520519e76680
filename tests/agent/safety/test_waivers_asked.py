"""Waivers on the command line and over HTTP: who may, what is said, and what is refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agent.cli import main
from agent.roles import Actor
from agent.safety.unwritable import Unwritable
from agent.safety.waivers import Waivers
from drivers import Role
from tests.agent.bench import PLAN, named
from tests.agent.cli_bench import Command, Ended
from tests.agent.web_bench import SETTINGS, Web, problem, served

DAY_S = 86_400.0
WHY = "부하가 저항이다"
PROGRAM = Actor(name="line-4", origin="mqtt", role=Role.ENGINEER)


@pytest.fixture
async def web(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> AsyncIterator[Web]:
    """Two toys, of which nothing covers the outputs; who is at the workstation is an engineer."""
    role = getattr(request, "param", Role.ENGINEER)
    settings = SETTINGS.model_copy(update={"socket_role": role})
    async with served(PLAN, named("oven1"), folder=tmp_path, settings=settings) as found:
        monkeypatch.setenv("LABKEEPER_SOCKET", str(found.path))
        yield found


@pytest.fixture
def ask(web: Web, capsys: pytest.CaptureFixture[str]) -> Command:
    async def command(*words: str) -> Ended:
        code = await asyncio.to_thread(main, words)
        return Ended(code, *capsys.readouterr())

    return command


@pytest.fixture
def waivers(web: Web) -> Waivers:
    return web.bench.station.waivers


@pytest.fixture
def tomorrow(web: Web) -> str:
    return datetime.fromtimestamp(web.bench.station.clock.utc() + DAY_S, UTC).date().isoformat()


def body(until: str, reason: str = WHY) -> dict[str, Any]:
    return {"reason": reason, "until": until}


async def test_an_engineer_waives_a_device_on_the_command_line_and_everybody_sees_it(
    ask: Command, waivers: Waivers, tomorrow: str
) -> None:
    assert (await ask("waivers")).out == "nothing is waived\n"
    assert "psu1.output" in waivers.refusal(PROGRAM, "cycle", ["psu1"])
    made = await ask("waive", "psu1", "--reason", WHY, "--until", tomorrow)
    by = waivers.in_force[0].by
    said = f"psu1: unattended starts are allowed until {tomorrow}, by {by}\n"
    assert (made.code, made.out) == (0, said)
    listed = await ask("waivers")
    assert (listed.code, listed.out) == (0, f"psu1: until {tomorrow}, by {by}: {WHY}\n")
    assert waivers.refusal(PROGRAM, "cycle", ["psu1"]) == ""
    assert "oven1.output" in waivers.refusal(PROGRAM, "cycle", ["psu1", "oven1"])


async def test_programs_get_waivers_as_json(ask: Command, tomorrow: str) -> None:
    made = (await ask("waive", "psu1", "--reason", WHY, "--until", tomorrow, "--json")).json()
    assert (made["device"], made["reason"], made["until"]) == ("psu1", WHY, tomorrow)
    assert (await ask("waivers", "--json")).json() == [made]


async def test_a_later_waiver_of_a_device_takes_the_place_of_the_earlier_one(
    ask: Command, tomorrow: str
) -> None:
    for reason in ("the first", "the second"):
        assert (await ask("waive", "psu1", "--reason", reason, "--until", tomorrow)).code == 0
    [found] = (await ask("waivers", "--json")).json()
    assert found["reason"] == "the second"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("psu9", "--reason", WHY, "--until", "2999-01-01"), "psu9"),
        (("psu1", "--reason", WHY, "--until", "soon"), "'soon' is no day such as 2026-12-31"),
        (("psu1", "--reason", WHY, "--until", "2020-01-01"), "give a day from today"),
        (("psu1", "--reason", WHY, "--until", "2999-01-01"), "within a year"),
        (("psu1", "--reason", "", "--until", "2999-01-01"), "reason"),
        (("psu1", "--until", "2999-01-01"), "--reason"),
        (("psu1", "--reason", WHY), "--until"),
    ],
)
async def test_what_makes_no_sense_is_refused_with_a_sentence_and_nothing_is_waived(
    ask: Command, waivers: Waivers, words: tuple[str, ...], said: str
) -> None:
    ended = await ask("waive", *words)
    assert ended.code == 2
    assert said in ended.err
    assert "Traceback" not in ended.err
    assert waivers.in_force == ()


@pytest.mark.parametrize("web", [Role.TECHNICIAN], indirect=True)
async def test_a_technician_may_look_and_may_not_waive(
    ask: Command, waivers: Waivers, tomorrow: str
) -> None:
    ended = await ask("waive", "psu1", "--reason", WHY, "--until", tomorrow)
    assert ended.code == 2
    assert "engineer" in ended.err
    assert (await ask("waivers")).code == 0
    assert waivers.in_force == ()


async def test_where_the_disk_takes_nothing_the_command_says_so_and_nothing_is_waived(
    ask: Command, web: Web, waivers: Waivers, tomorrow: str
) -> None:
    waivers._record = Unwritable("the disk is full")
    ended = await ask("waive", "psu1", "--reason", WHY, "--until", tomorrow)
    assert ended.code == 3
    assert "the disk is full" in ended.err
    assert "nothing is waived" in ended.err
    answer = await web.token.post("/devices/psu1/waiver", json=body(tomorrow))
    assert "nothing is waived" in problem(answer, 500, "not-recorded")["detail"]
    assert waivers.in_force == ()


async def test_a_waiver_is_made_with_the_token_and_seen_without(web: Web, tomorrow: str) -> None:
    refused = await web.tcp.post("/devices/psu1/waiver", json=body(tomorrow))
    problem(refused, 401, "no-token")
    assert (await web.tcp.get("/waivers")).json() == []
    made = await web.token.post("/devices/psu1/waiver", json=body(tomorrow))
    assert made.status_code == 200
    assert made.json().items() >= {"device": "psu1", "by": "token", "until": tomorrow}.items()
    assert (await web.tcp.get("/waivers")).json() == [made.json()]
    [told] = [it.text for it in web.bench.events.kept if it.kind == "waiver.recorded"]
    assert told.startswith(f"token (api) waives the cover of psu1 until {tomorrow}")


@pytest.mark.parametrize(
    ("device", "asked", "status", "kind"),
    [
        ("psu9", body("2999-01-01"), 404, "no-such"),
        ("psu1", body("2020-01-01"), 422, "bad-value"),
        ("psu1", body("tomorrow"), 422, "bad-value"),
        ("psu1", body("2999-01-01", reason=""), 422, "bad-value"),
        ("psu1", body("2999-01-01", reason="x" * 501), 422, "bad-value"),
        ("psu1", {"until": "2999-01-01"}, 422, "bad-value"),
        ("psu1", {**body("2999-01-01"), "by": "somebody else"}, 422, "bad-value"),
    ],
)
async def test_a_request_that_makes_no_sense_is_a_problem_and_nothing_is_waived(
    web: Web, waivers: Waivers, device: str, asked: dict[str, Any], status: int, kind: str
) -> None:
    answer = await web.token.post(f"/devices/{device}/waiver", json=asked)
    problem(answer, status, kind)
    assert waivers.in_force == ()
