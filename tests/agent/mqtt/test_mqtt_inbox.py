"""Requests to a station in memory: carried out once, or refused with a reason and an event."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from agent.clock import SystemClock
from agent.fleet.states import DeviceState
from agent.mqtt.inbox import AT_ONCE, Inbox, Letter
from agent.mqtt.topics import Topics
from agent.public import utc_text
from drivers import Role
from tests.agent.bench import Bench, station_in_memory


class Desk:
    """Writes letters to the inbox of a station, and opens the answers."""

    def __init__(self, bench: Bench, role: Role) -> None:
        self.bench = bench
        self.inbox = Inbox(bench.station, Topics("bench-1"), role)

    async def ask(
        self,
        verb: str,
        device: str = "psu1",
        *,
        id: str = "r1",  # noqa: A002 - the key's name
        within: float = 30.0,
        **body: Any,
    ) -> dict[str, Any]:
        """Send a request and return its answer."""
        not_after = utc_text(SystemClock().utc() + within)
        whole = {"id": id, "device": device, "not_after": not_after} | body
        return await self.send(Letter(verb=verb, payload=json.dumps(whole).encode()))

    async def send(self, letter: Letter) -> dict[str, Any]:
        """Hand a letter in and return its answer, {} where there is none."""
        reply = await self.inbox.answer(letter)
        return json.loads(reply.payload) if reply else {}

    def refusals(self) -> list[str]:
        """What the refusals' events say."""
        return [event.text for event in self.bench.events.kept if event.kind == "mqtt.refused"]

    def sent(self, word: str) -> int:
        """How often the device was told something."""
        return sum(text.startswith(word) for text in self.bench.simulators["psu1"].asked)


@asynccontextmanager
async def desk(role: Role = Role.TECHNICIAN) -> AsyncIterator[Desk]:
    async with station_in_memory() as bench:
        await bench.until_state("psu1", DeviceState.READY)
        yield Desk(bench, role)


async def test_a_read_brings_one_value_or_all_with_time_and_quality() -> None:
    async with desk() as at:
        one = await at.ask("read", name="temperature")
        assert one["status"] == "done"
        assert one["values"]["temperature"]["value"] == 25.0
        assert one["values"]["temperature"]["quality"] == "good"
        everything = await at.ask("read", id="r2")
        assert {"temperature", "voltage", "mode"} < set(everything["values"])


async def test_a_setting_and_a_command_are_carried_out_and_told() -> None:
    async with desk() as at:
        done = await at.ask("set", name="voltage", value=5, by="kim")
        assert (done["status"], done["value"], done["command"]) == ("done", 5.0, "set")
        await at.ask("set", id="r2", name="output", value=True)
        ramped = await at.ask("do", id="r3", name="ramp", arguments={"to": 7, "seconds": 0})
        assert (ramped["status"], ramped["value"]) == ("done", 7.0)
        event = next(e for e in at.bench.events.kept if e.kind == "set.done")
        assert (event.data["actor"], event.data["origin"]) == ("kim", "mqtt")


async def test_the_gates_refusals_are_the_answer() -> None:
    async with desk() as at:
        cases: list[tuple[dict[str, Any], str]] = [
            ({"name": "voltage", "value": 17}, "above 16 V, the limit set by the model"),
            ({"name": "voltage", "value": "5"}, "is not a number in V"),
            ({"name": "current_limit", "value": 1}, "needs the role engineer"),
            ({"name": "charm", "value": 1}, "not a setting"),
        ]
        for number, (body, words) in enumerate(cases):
            refused = await at.ask("set", id=str(number), **body)
            assert refused["status"] == "refused"
            assert words in refused["message"]
        assert at.inbox.refused == 4
        assert at.sent("volt ") == at.sent("curr ") == 0


async def test_a_read_of_nothing_that_exists_is_refused() -> None:
    async with desk() as at:
        assert "no device is called psu9" in (await at.ask("read", "psu9"))["message"]
        refused = await at.ask("read", id="r2", name="charm")
        assert "charm is no reading; readings: measured_voltage" in refused["message"]
        assert len(at.refusals()) == at.inbox.refused == 2


async def test_a_read_of_an_offline_device_fails_and_says_why() -> None:
    async with desk() as at:
        at.bench.simulators["psu1"].unplugged = True
        await at.bench.until_state("psu1", DeviceState.OFFLINE)
        failed = await at.ask("read")
        assert (failed["status"], failed["values"]) == ("failed", {})
        assert "psu1 is offline" in failed["message"]


async def test_the_same_id_brings_the_same_answer_and_nothing_is_done_twice() -> None:
    async with desk() as at:
        first = await at.ask("set", name="voltage", value=5)
        again = await at.ask("set", name="voltage", value=5, within=60)
        late = await at.ask("set", name="voltage", value=5, within=-60)
        assert first == again == late
        assert at.sent("volt ") == 1


async def test_the_same_id_while_the_first_is_under_way_waits_for_its_answer() -> None:
    async with desk() as at, asyncio.TaskGroup() as tasks:
        asked = [
            tasks.create_task(at.ask("do", name="ramp", arguments={"to": 3, "seconds": 0.1}))
            for _ in range(3)
        ]
        answers = [await task for task in asked]
        assert answers[0] == answers[1] == answers[2]
        assert answers[0]["status"] == "done"
        assert at.sent("volt ") == 1


async def test_the_same_id_for_another_request_is_a_conflict() -> None:
    async with desk() as at:
        await at.ask("set", name="voltage", value=5)
        refused = await at.ask("set", name="voltage", value=6)
        assert refused["status"] == "refused"
        assert "the id r1 was used before for another request" in refused["message"]
        assert at.bench.simulators["psu1"].values["volt"] == 5.0


async def test_an_expired_request_is_refused_and_may_come_again() -> None:
    async with desk() as at:
        refused = await at.ask("set", name="voltage", value=5, within=-1)
        assert "after its not_after" in refused["message"]
        assert at.sent("volt ") == 0
        assert (await at.ask("set", name="voltage", value=5))["status"] == "done"


async def test_a_request_that_would_outlive_the_memory_of_it_is_refused() -> None:
    async with desk() as at:
        answer = await at.ask("set", name="voltage", value=5.0, within=3600.0)
        assert answer["status"] == "refused"
        assert "allowed: 600 s" in answer["message"]
        assert not at.sent("volt 5")


async def test_a_retained_request_is_refused_and_its_removal_ignored() -> None:
    async with desk() as at:
        body = b'{"id":"r1","device":"psu1","not_after":"2099-01-01T00:00:00Z","name":"output"}'
        refused = await at.send(Letter(verb="read", payload=body, retained=True))
        assert "it is retained" in refused["message"]
        assert await at.send(Letter(verb="read", payload=b"", retained=True)) == {}
        assert len(at.refusals()) == 1


async def test_a_malformed_request_makes_an_event_and_an_answer_where_one_can_go() -> None:
    async with desk() as at:
        assert await at.send(Letter(verb="set", payload=b"volts up!")) == {}
        told = await at.send(Letter(verb="set", payload=b'{"id":"r7","by":"kim"}'))
        assert (told["id"], told["status"]) == ("r7", "refused")
        letter = Letter(verb="set", payload=b"?", response_topic="kim/in", correlation=b"\1\2")
        reply = await at.inbox.answer(letter)
        assert reply is not None
        assert (reply.topic, reply.correlation) == ("kim/in", b"\1\2")
        assert [text.split(":")[0] for text in at.refusals()] == [
            "mqtt (mqtt) set",
            "kim (mqtt) set",
            "mqtt (mqtt) set",
        ]


async def test_the_agent_does_not_pass_requests_on_in_its_own_name() -> None:
    async with desk() as at:
        body = b'{"id":"r1","device":"psu1","not_after":"2099-01-01T00:00:00Z"}'
        letter = Letter(verb="read", payload=body, response_topic="lab/v1/ws2/command/stop")
        reply = await at.inbox.answer(letter)
        assert reply is not None
        assert reply.topic == "lab/v1/bench-1/reply/r1"
        assert "is not one that answers may go to" in json.loads(reply.payload)["message"]


async def test_too_many_requests_at_once_are_refused_as_busy_but_a_stop_never_is() -> None:
    async with desk() as at, asyncio.TaskGroup() as tasks:
        ramp: dict[str, Any] = {"name": "ramp", "arguments": {"to": 3, "seconds": 30}}
        asked = [tasks.create_task(at.ask("do", id="long", **ramp)) for _ in range(AT_ONCE)]
        await at.bench.until_state("psu1", DeviceState.BUSY)
        busy = await at.ask("read", id="r2")
        assert "busy: 32 requests are under way" in busy["message"]
        stopped = await at.ask("stop", id="r3")
        assert (stopped["status"], stopped["message"]) == ("done", "psu1 was made safe")
        assert {(await task)["status"] for task in asked} == {"unknown"}  # it had begun


async def test_a_stop_is_carried_out_every_time_whatever_its_id_and_time_and_the_role() -> None:
    async with desk(Role.OBSERVER) as at:
        for _ in range(2):
            assert (await at.ask("stop", within=-3600))["status"] == "done"
        assert at.sent("outp ") == 2


async def test_an_observers_session_may_read_and_not_set() -> None:
    async with desk(Role.OBSERVER) as at:
        assert (await at.ask("read"))["status"] == "done"
        refused = await at.ask("set", id="r2", name="voltage", value=1)
        assert "needs the role technician" in refused["message"]


async def test_an_ending_agent_carries_out_stops_alone() -> None:
    async with desk() as at:
        at.inbox.closed = True
        refused = await at.ask("set", name="voltage", value=1)
        assert "the agent is ending" in refused["message"]
        assert (await at.ask("stop", id="r2"))["status"] == "done"


async def test_a_defect_in_the_agent_is_an_unknown_outcome_and_ends_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with desk() as at:
        monkeypatch.setattr(at.bench.station.gate, "set", None)
        unknown = await at.ask("set", name="voltage", value=1)
        assert unknown["status"] == "unknown"
        assert "TypeError" in unknown["message"]
        assert (await at.ask("read", id="r2"))["status"] == "done"
