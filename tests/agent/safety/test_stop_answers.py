"""A stop is answered within a second, names what is not confirmed by then, and goes on to its end."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from dataclasses import dataclass, field

import pytest

from agent.fleet.samples import Cause, Outcome, Status
from agent.mqtt.inbox import Inbox, Letter
from agent.mqtt.topics import Topics
from agent.safety.stops import ANSWERED_WITHIN_S
from agent.web import peer
from drivers import Role
from tests.agent.bench import Bench
from tests.agent.cli_bench import Command, Ended, ask, web
from tests.agent.record_bench import KIM
from tests.agent.web_bench import Web, problem

__all__ = ["ask", "web"]  # fixtures
pytestmark = pytest.mark.lab

SAFE = Outcome(status=Status.DONE, message="oven1 was made safe")
UNSAFE = Outcome(status=Status.UNKNOWN, message="oven1: not confirmed safe within 3 s")


@dataclass
class Slow:
    """A stop that ends when it is let go."""

    ends_with: Outcome = SAFE
    let_go: asyncio.Event = field(default_factory=asyncio.Event)

    async def stop(self) -> Outcome:
        await self.let_go.wait()
        return self.ends_with


@pytest.fixture
def slow(web: Web, monkeypatch: pytest.MonkeyPatch) -> Slow:
    """Of the two devices, the one whose stop takes long."""
    found = Slow()
    monkeypatch.setattr(web.bench.station.workers["oven1"], "stop", found.stop)
    return found


@pytest.fixture
def looked_at(web: Web, slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    """The slow stop is let go when somebody asks how it stands, and so after the first answer."""
    gate, waiting = web.bench.station.gate, web.bench.station.gate.end_of_stops

    async def looked(device: str, within: float | None = None) -> None:
        slow.let_go.set()
        await waiting(device, within)

    monkeypatch.setattr(gate, "end_of_stops", looked)


async def ended(bench: Bench) -> None:
    await bench.station.gate.end_of_stops("oven1")


async def test_the_answer_does_not_wait_for_the_one_that_takes_long(web: Web, slow: Slow) -> None:
    body = problem(await web.unix.post("/stop"), 504, "still-trying")
    assert body["detail"].startswith("not confirmed safe: oven1; go and look")
    assert "is still being tried" in body["detail"]
    assert body["trying"] == ["oven1"]
    assert body["devices"]["psu1"]["status"] == "done"
    assert body["devices"]["oven1"]["status"] == "unknown"
    assert not [it for it in web.bench.events.kept if it.kind == "stop.unknown"], (
        "it has no end yet"
    )
    slow.let_go.set()
    await ended(web.bench)
    told = [it.device for it in web.bench.events.kept if it.kind == "stop.done"]
    assert told == ["psu1", "oven1"]


async def test_a_directory_of_users_that_hangs_keeps_no_answer_back_beyond_its_second(
    web: Web, slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = threading.Event()
    monkeypatch.setattr(peer, "_name", lambda _: str(answers.wait(20)))
    monkeypatch.setattr(peer, "LOOK_UP_S", 20.0)
    assert peer.STOP_LOOK_UP_S + ANSWERED_WITHIN_S < 1
    async with asyncio.timeout(10):
        body = problem(await web.unix.post("/stop"), 504, "still-trying")
    assert body["devices"]["psu1"]["status"] == "done"
    (told,) = [it for it in web.bench.events.kept if it.kind == "stop.done"]
    assert told.data["actor"] == f"uid {os.getuid()}"
    answers.set()
    slow.let_go.set()
    await ended(web.bench)


async def test_the_end_of_a_stop_can_be_asked_for(web: Web, slow: Slow) -> None:
    before = (await web.tcp.get("/devices/oven1/stop")).json()
    assert before == {"trying": False, "asked": None, "ended": None, "outcome": None}
    alone = problem(await web.unix.post("/devices/oven1/stop"), 504, "still-trying")
    assert alone["trying"] == ["oven1"]
    meanwhile = (await web.tcp.get("/devices/oven1/stop", params={"wait": 0.01})).json()
    assert (meanwhile["trying"], meanwhile["outcome"]) == (True, None)
    slow.let_go.set()
    after = (await web.tcp.get("/devices/oven1/stop", params={"wait": 10})).json()
    assert (after["trying"], after["outcome"]["status"]) == (False, "done")
    assert after["asked"] <= after["ended"]
    problem(await web.tcp.get("/devices/oven1/stop", params={"wait": 11}), 422, "bad-value")


async def test_a_second_stop_is_tried_beside_the_first_until_both_have_ended(
    web: Web, slow: Slow
) -> None:
    gate = web.bench.station.gate
    first = await gate.stop_soon(KIM, "oven1")
    assert first.cause is Cause.STILL_TRYING
    async with asyncio.TaskGroup() as tasks:
        second = tasks.create_task(gate.stop(KIM, "oven1"))
        while len(gate.stops_under_way) < 2:
            await asyncio.sleep(0)
        assert gate.last_stop("oven1").is_trying
        slow.let_go.set()
    assert second.result() == SAFE
    await ended(web.bench)
    assert not gate.last_stop("oven1").is_trying
    assert gate.last_stop("oven1").outcome == SAFE


async def test_a_name_that_the_station_does_not_have_leaves_nothing_behind(web: Web) -> None:
    gate = web.bench.station.gate
    assert (await gate.stop_soon(KIM, "nothing")).cause is Cause.NO_SUCH
    assert gate.last_stop("nothing").asked is None


async def test_over_mqtt_the_answer_names_it_as_being_tried(web: Web, slow: Slow) -> None:
    inbox = Inbox(web.bench.station, Topics("bench-1"), Role.OBSERVER)
    answer = await inbox.answer(Letter(verb="stop", payload=b'{"id": "r1"}'))
    assert answer is not None
    reply = json.loads(answer.payload)
    assert reply["status"] == "unknown"
    assert reply["value"] == {"oven1": "trying", "psu1": "done"}
    assert reply["message"].startswith("not confirmed safe: oven1; go and look")
    slow.let_go.set()
    await ended(web.bench)


async def test_over_mqtt_the_answer_for_one_device_names_it_as_being_tried_as_well(
    web: Web, slow: Slow
) -> None:
    inbox = Inbox(web.bench.station, Topics("bench-1"), Role.OBSERVER)
    answer = await inbox.answer(Letter(verb="stop", payload=b'{"id": "r1", "device": "oven1"}'))
    assert answer is not None
    reply = json.loads(answer.payload)
    assert (reply["status"], reply["value"]) == ("unknown", {"oven1": "trying"})
    slow.let_go.set()
    await ended(web.bench)


@pytest.mark.usefixtures("looked_at")
async def test_the_command_tells_first_what_is_confirmed_and_then_the_rest(
    ask: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert await ask("stop") == Ended(
        0,
        "psu1: stopped and safe\noven1: stopped and safe\n",
        "labkeeper: not confirmed safe yet: oven1; still being tried\n",
    )


@pytest.mark.usefixtures("looked_at")
async def test_the_command_ends_with_3_where_the_rest_is_not_confirmed(
    ask: Command, slow: Slow
) -> None:
    slow.ends_with = UNSAFE
    told = await ask("stop", "--json")
    assert told.code == 3
    statuses = {name: it["status"] for name, it in told.json()["devices"].items()}
    assert statuses == {"oven1": "unknown", "psu1": "done"}


async def test_an_agent_that_ends_meanwhile_has_confirmed_nothing(
    ask: Command, web: Web, slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(_: str) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(web.bench.station.gate, "last_stop", gone)
    told = await ask("stop")
    assert told.code == 3
    confirmed, unknown = told.out.splitlines()
    assert confirmed == "psu1: stopped and safe"
    assert unknown.startswith("oven1: NOT CONFIRMED SAFE, go and look")
    slow.let_go.set()
    await ended(web.bench)
