"""`Idempotency-Key` on commands: sent again, a request gets its answer and has no second effect."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.fleet.samples import Outcome, Status
from agent.safety.answers import KEPT_S, MOST
from agent.web.keys import Keys
from agent.web.problems import Problem
from tests.agent.bench import PLAN, named
from tests.agent.mqtt.test_mqtt_parts import Hand
from tests.agent.web_bench import Web, problem, served

pytestmark = pytest.mark.lab

RAMP = "/devices/psu1/commands/ramp"
KEY = {"Idempotency-Key": "5f0c2a3e"}


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[Web]:
    async with served(PLAN, named("psu2"), folder=tmp_path) as found:
        yield found


def ramps(web: Web, device: str = "psu1") -> list[str]:
    return [sent for sent in web.bench.simulators[device].asked if sent.startswith("volt ")]


async def test_a_command_that_is_sent_again_gets_its_answer_and_is_done_once(web: Web) -> None:
    body = {"arguments": {"to": 3}}
    first = await web.token.post(RAMP, json=body, headers=KEY)
    assert first.status_code == 200, first.text
    sent = ramps(web)
    assert sent
    again = await web.token.post(RAMP, json=body, headers=KEY)
    assert (again.status_code, again.content) == (200, first.content)
    assert ramps(web) == sent
    anew = await web.token.post(RAMP, json=body, headers={"Idempotency-Key": "other"})
    assert anew.status_code == 200
    assert len(ramps(web)) > len(sent)


async def test_two_at_once_under_one_key_are_one_command_with_one_answer(web: Web) -> None:
    body = {"arguments": {"to": 4}}
    both = await asyncio.gather(*(web.token.post(RAMP, json=body, headers=KEY) for _ in range(2)))
    assert [it.status_code for it in both] == [200, 200]
    assert both[0].content == both[1].content
    done = [event for event in web.bench.events.kept if event.kind == "do.done"]
    assert len(done) == 1


async def test_another_request_under_the_key_is_a_conflict_whoever_sends_it(web: Web) -> None:
    body = {"arguments": {"to": 3}}
    await web.token.post(RAMP, json=body, headers=KEY)
    sent = ramps(web)
    other = await web.token.post(RAMP, json={"arguments": {"to": 5}}, headers=KEY)
    assert "5f0c2a3e belongs to another" in problem(other, 409, "key-conflict")["detail"]
    elsewhere = await web.token.post("/devices/psu2/commands/ramp", json=body, headers=KEY)
    problem(elsewhere, 409, "key-conflict")
    another_person = await web.unix.post(RAMP, json=body, headers=KEY)
    problem(another_person, 409, "key-conflict")
    assert ramps(web) == sent
    assert not ramps(web, "psu2")


async def test_a_refusal_is_given_again_and_a_key_of_odd_signs_is_none(web: Web) -> None:
    body = {"arguments": {"to": 99}}
    first = await web.token.post(RAMP, json=body, headers=KEY)
    again = await web.token.post(RAMP, json=body, headers=KEY)
    assert problem(first, 422, "bad-value") == problem(again, 422, "bad-value")
    odd = await web.token.post(RAMP, json=body, headers={"Idempotency-Key": "a b"})
    problem(odd, 422, "bad-value")


async def test_a_key_is_known_for_a_quarter_of_an_hour_and_a_defect_is_an_unknown_outcome() -> None:
    clock, done = Hand(), 0

    async def act() -> Outcome:
        nonlocal done
        done += 1
        return Outcome(status=Status.DONE, value=done)

    async def break_down() -> Outcome:
        raise ValueError("a defect")

    keys = Keys(clock)
    assert (await keys.once("a", "x", act)).value == 1
    clock.now += KEPT_S
    assert (await keys.once("a", "x", act)).value == 1
    clock.now += 1.0
    assert (await keys.once("a", "x", act)).value == 2
    with pytest.raises(ValueError, match="a defect"):
        await keys.once("b", "x", break_down)
    assert (await keys.once("b", "x", act)).status is Status.UNKNOWN
    for number in range(MOST):
        await keys.once(f"many {number}", "x", act) if number < MOST - 2 else None
    with pytest.raises(Problem, match="too many keys"):
        await keys.once("one more", "x", act)
    assert (await keys.once("", "x", act)).status is Status.DONE
