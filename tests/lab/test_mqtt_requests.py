"""Requests and answers over a real broker, with MQTT 5 and with 3.1.1."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from agent.fleet.states import DeviceState
from agent.mqtt.session import BrokerSession
from drivers import Role
from tests.agent.bench import Bench, station_in_memory
from tests.lab.broker import Broker, running_broker
from tests.lab.broker_session import COMMAND, REPLY, STATUS, Place, session
from tests.lab.relay import relay
from tests.lab.witness import Witness, encoded, soon, witness

pytestmark = pytest.mark.lab


@pytest.fixture
async def broker(folder: Path) -> AsyncIterator[Broker]:
    async with running_broker(folder) as running:
        yield running


@asynccontextmanager
async def lab_with(
    broker: Broker, **more: Any
) -> AsyncIterator[tuple[Bench, BrokerSession, Witness]]:
    """A station in memory that is connected to the broker, and a program that talks to it."""
    place = Place(broker.host, more.pop("port", broker.port))
    protocol = more.get("protocol", "5")
    async with station_in_memory() as bench, witness(broker, protocol) as seen:
        await bench.until_state("psu1", DeviceState.READY)
        async with session(bench, place, **more) as running:
            await seen.until(STATUS, lambda status: status["state"] == "online")
            yield bench, running, seen


async def test_with_mqtt_5_the_answer_goes_to_the_response_topic_with_its_correlation(
    broker: Broker,
) -> None:
    async with lab_with(broker) as (bench, _, seen):
        answer = await seen.ask(
            f"{COMMAND}set",
            response_topic="clients/kim",
            correlation=b"\x00\xff7",
            id="r1",
            device="psu1",
            name="voltage",
            value=5,
        )
        assert answer.correlation == b"\x00\xff7"
        assert (answer.form["status"], answer.form["value"]) == ("done", 5.0)
        assert bench.simulators["psu1"].values["volt"] == 5.0
        assert f"{REPLY}r1" not in seen.latest


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_without_a_response_topic_the_answer_goes_to_the_topic_of_the_id(
    broker: Broker, protocol: str
) -> None:
    async with lab_with(broker, protocol=protocol) as (_, _, seen):
        await seen.publish(f"{COMMAND}read", encoded({"id": "r1", "device": "psu1"}))
        answer = (await seen.until(f"{REPLY}r1")).form
        assert answer["values"]["temperature"]["value"] == 25.0


async def test_a_request_published_with_retain_is_refused_at_once(broker: Broker) -> None:
    async with lab_with(broker) as (bench, running, seen):
        body = encoded({"id": "r1", "device": "psu1", "name": "voltage", "value": 9})
        await seen.publish(f"{COMMAND}set", body, retain=True)
        assert "retained" in (await seen.until(f"{REPLY}r1")).form["message"]
        assert running.refused == 1
        assert bench.simulators["psu1"].values["volt"] == 0.0


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_a_request_that_the_broker_kept_is_refused_when_the_agent_comes(
    broker: Broker, protocol: str
) -> None:
    async with witness(broker) as before:
        body = encoded({"id": "r1", "device": "psu1", "name": "voltage", "value": 9})
        await before.publish(f"{COMMAND}set", body, retain=True)
    async with lab_with(broker, protocol=protocol) as (bench, _, seen):
        assert "retained" in (await seen.until(f"{REPLY}r1")).form["message"]
        assert "retained" in await bench.until_event("mqtt.refused")
        assert bench.simulators["psu1"].values["volt"] == 0.0


async def test_requests_sent_while_the_agent_was_away_are_not_carried_out_later(
    broker: Broker,
) -> None:
    async with witness(broker) as seen:
        async with lab_with(broker):
            pass
        body = encoded({"id": "lost", "device": "psu1", "name": "voltage", "value": 9})
        await seen.publish(f"{COMMAND}set", body)
        async with lab_with(broker) as (bench, _, again):
            await again.publish(f"{COMMAND}read", encoded({"id": "r2", "device": "psu1"}))
            await again.until(f"{REPLY}r2")
            assert f"{REPLY}lost" not in again.latest
            assert bench.simulators["psu1"].values["volt"] == 0.0


async def test_an_expired_and_a_malformed_request_are_refused_with_an_event(
    broker: Broker,
) -> None:
    async with lab_with(broker) as (bench, running, seen):
        late = {"id": "r1", "device": "psu1", "name": "voltage", "value": 9}
        await seen.publish(f"{COMMAND}set", encoded(late | {"not_after": soon(-5)}))
        assert "not_after" in (await seen.until(f"{REPLY}r1")).form["message"]
        await seen.publish(f"{COMMAND}set", b"{")
        event = await seen.until_any(
            lambda m: m.topic.endswith("/event") and "no JSON object" in m.form["text"]
        )
        assert (event.form["kind"], event.form["severity"]) == ("mqtt.refused", "warning")
        assert running.refused == 2
        assert bench.simulators["psu1"].values["volt"] == 0.0


async def test_a_repeated_request_is_answered_again_and_done_once(broker: Broker) -> None:
    async with lab_with(broker) as (bench, _, seen):
        body = encoded({"id": "r1", "device": "psu1", "name": "voltage", "value": 5})
        for _ in range(3):
            await seen.publish(f"{COMMAND}set", body)
        await seen.publish(f"{COMMAND}read", encoded({"id": "r2", "device": "psu1"}))
        await seen.until(f"{REPLY}r2")
        answers = [m.payload for m in seen.heard if m.topic == f"{REPLY}r1"]
        assert len(answers) == 3
        assert len(set(answers)) == 1
        assert sum(text.startswith("volt ") for text in bench.simulators["psu1"].asked) == 1


async def test_a_long_command_holds_nobody_up_and_can_be_stopped(broker: Broker) -> None:
    async with lab_with(broker) as (bench, _, seen):
        long = {"id": "long", "device": "psu1", "name": "ramp"}
        arguments = {"to": 5, "seconds": 60}
        await seen.publish(f"{COMMAND}do", encoded(long | {"arguments": arguments}))
        await bench.until_state("psu1", DeviceState.BUSY)
        await seen.publish(f"{COMMAND}read", encoded({"id": "r2", "device": "psu1"}))
        assert (await seen.until(f"{REPLY}r2")).form["status"] == "done"
        await seen.publish(f"{COMMAND}stop", b'{"id":"r3","device":"psu1"}')
        assert (await seen.until(f"{REPLY}r3")).form["message"] == "psu1 was made safe"
        assert "was stopped" in (await seen.until(f"{REPLY}long")).form["message"]


async def test_an_answer_that_found_no_broker_goes_out_with_the_next(broker: Broker) -> None:
    async with relay(broker.port) as wire, lab_with(broker, port=wire.port) as (bench, _, seen):
        ramp = {"id": "r1", "device": "psu1", "name": "ramp"}
        await seen.publish(f"{COMMAND}do", encoded(ramp | {"arguments": {"to": 5, "seconds": 0.3}}))
        await bench.until_state("psu1", DeviceState.BUSY)
        wire.cut()
        await bench.until_event("mqtt.lost")
        await bench.until_event("do.done")
        assert f"{REPLY}r1" not in seen.latest
        wire.mend()
        assert (await seen.until(f"{REPLY}r1")).form["status"] == "done"


async def test_an_answer_does_not_wait_for_nagles_algorithm(broker: Broker) -> None:
    async with lab_with(broker) as (_, _, seen):
        times = []
        for number in range(21):
            began = time.perf_counter()
            request = {"id": f"r{number}", "device": "psu1", "name": "voltage"}
            await seen.publish(f"{COMMAND}read", encoded(request))
            await seen.until(f"{REPLY}r{number}")
            times.append(time.perf_counter() - began)
        assert sorted(times)[10] < 0.03  # with it, 0.04 and more


async def test_a_role_in_the_config_bounds_what_requests_may_do(broker: Broker) -> None:
    async with lab_with(broker, role=Role.OBSERVER) as (_, _, seen):
        body = encoded({"id": "r1", "device": "psu1", "name": "voltage", "value": 5})
        await seen.publish(f"{COMMAND}set", body)
        assert "needs the role technician" in (await seen.until(f"{REPLY}r1")).form["message"]


async def test_where_config_says_so_no_request_is_heard(broker: Broker) -> None:
    async with lab_with(broker, commands=False) as (bench, running, seen):
        await seen.publish(f"{COMMAND}stop", b'{"id":"r1","device":"psu1"}')
        await seen.publish(STATUS, b"{}", retain=True)  # what comes after it is heard
        await seen.until(STATUS, lambda status: status.get("state") == "online")
        assert running.refused == 0
        assert not [e for e in bench.events.kept if e.kind.startswith(("stop.", "mqtt.refused"))]


async def test_a_flood_of_nonsense_neither_ends_the_session_nor_hides_a_stop(
    broker: Broker,
) -> None:
    async with lab_with(broker) as (_, running, seen):
        nonsense = [b"", b"[]", b"\xff", b"{" * 5000, json.dumps({"id": 1}).encode()]
        async with asyncio.TaskGroup() as tasks:
            for payload in nonsense * 40:
                tasks.create_task(seen.publish(f"{COMMAND}do", payload))
        await seen.publish(f"{COMMAND}stop", b'{"id":"r1","device":"psu1"}')
        assert (await seen.until(f"{REPLY}r1")).form["status"] == "done"
        assert running.refused == 200
        assert running.connects == 1
