"""The session with a real broker: births and wills, what is retained, and coming back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Protocol

import pytest

from agent.fleet.states import DeviceState
from agent.mqtt.session import BrokerSession
from agent.settings import Mqtt
from tests.agent.bench import Bench, named, station_in_memory
from tests.lab.broker import Broker, running_broker
from tests.lab.relay import relay
from tests.lab.witness import witness

pytestmark = pytest.mark.lab

STATUS = "lab/v1/bench-1/status"
STATE = "lab/v1/bench-1/device/psu1/state"
DESCRIPTION = "lab/v1/bench-1/device/psu1/description"
EVENT = "lab/v1/bench-1/event"


@pytest.fixture
async def broker(folder: Path) -> AsyncIterator[Broker]:
    async with running_broker(folder) as running:
        yield running


class HasPlace(Protocol):
    """Anything that an agent can be told to connect to."""

    host: str
    port: int


@dataclass
class Place:
    host: str
    port: int


@asynccontextmanager
async def session(bench: Bench, broker: HasPlace, **more: Any) -> AsyncIterator[BrokerSession]:
    """A session that runs until the context ends, and then says farewell."""
    settings = Mqtt(host=broker.host, port=broker.port, **more)
    running = BrokerSession(bench.station, settings, Random(1))
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(running.run(), name="mqtt")
        yield running
        task.cancel()


def kinds(bench: Bench) -> list[str]:
    return [event.kind for event in bench.events.kept if event.kind.startswith("mqtt.")]


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_birth_descriptions_and_states_are_retained(broker: Broker, protocol: str) -> None:
    async with station_in_memory() as bench, session(bench, broker, protocol=protocol):
        async with witness(broker) as seen:
            await seen.until(STATUS, lambda status: status["state"] == "online")
        async with witness(broker) as newcomer:
            for topic in (STATE, DESCRIPTION, STATUS):
                await newcomer.until(topic)
            assert {STATUS, STATE, DESCRIPTION} <= {m.topic for m in newcomer.heard if m.retained}
            state = newcomer.latest[STATE].form
            assert state["state"] == "ready"
            assert state["values"]["temperature"]["value"] == 25.0
            assert newcomer.latest[DESCRIPTION].form["driver"] == "toy.supply"


async def test_the_birth_comes_after_the_states_it_vouches_for(broker: Broker) -> None:
    async with witness(broker) as seen, station_in_memory(named("a"), named("b")) as bench:
        async with session(bench, broker):
            await seen.until(STATUS)
            topics = [heard.topic for heard in seen.heard if "/event" not in heard.topic]
            assert {f"lab/v1/bench-1/device/{d}/state" for d in "ab"} < set(
                topics[: topics.index(STATUS)]
            )


async def test_an_end_in_order_leaves_a_farewell(broker: Broker) -> None:
    async with station_in_memory() as bench:
        async with session(bench, broker), witness(broker) as seen:
            born = (await seen.until(STATUS)).form
        async with witness(broker) as seen:
            farewell = await seen.until(STATUS)
            assert farewell.retained
            assert farewell.form["state"] == "offline"
            assert farewell.form["reason"] == "ended"
            assert farewell.form["session"] == born["session"]


async def test_each_session_has_a_higher_number_than_the_one_before(broker: Broker) -> None:
    async with station_in_memory() as bench, witness(broker) as seen:
        for _ in range(3):
            async with session(bench, broker):
                await seen.until(STATUS, lambda status: status["state"] == "online")
            await seen.until(STATUS, lambda status: status["state"] == "offline")
        births = [m.form["session"] for m in seen.heard if m.topic == STATUS]
        assert births[::2] == births[1::2] == sorted(set(births))


async def test_a_session_outnumbers_one_of_the_future(broker: Broker) -> None:
    future = b'{"schema":"labkeeper/status/1","state":"offline","session":99999999999999}'
    async with witness(broker) as seen, station_in_memory() as bench:
        await seen.publish(STATUS, future, retain=True)
        async with session(bench, broker):
            await seen.until(STATUS, lambda status: status["session"] > 99999999999999)


async def test_a_late_will_of_an_older_session_does_not_outlive_the_birth(broker: Broker) -> None:
    async with witness(broker) as seen, station_in_memory() as bench:
        async with session(bench, broker):
            born = (await seen.until(STATUS)).form
            old = b'{"schema":"labkeeper/status/1","state":"offline","session":5}'
            await seen.publish(STATUS, old, retain=True)
            await seen.until(STATUS, lambda status: status["session"] == 5)
            again = await seen.until(STATUS, lambda status: status["state"] == "online")
            assert again.form == born


async def test_another_agent_of_the_same_name_is_told_once(broker: Broker) -> None:
    async with witness(broker) as seen, station_in_memory() as bench:
        async with session(bench, broker) as running:
            own = (await seen.until(STATUS)).form["session"]
            for more in (1, 2):
                rival = b'{"state":"online","session":%d}' % (own + more)
                await seen.publish(STATUS, rival, retain=True)
            assert "name of its own" in await bench.until_event("mqtt.rival")
            await seen.until(EVENT, lambda event: event["kind"] == "mqtt.rival")
            assert kinds(bench).count("mqtt.rival") == 1
            assert running.connects == 1


async def test_an_agent_whose_link_breaks_is_called_lost_by_its_will(broker: Broker) -> None:
    async with relay(broker.port) as wire, station_in_memory() as bench, witness(broker) as seen:
        async with session(bench, wire):
            born = (await seen.until(STATUS)).form
            wire.cut()
            lost = await seen.until_any(
                lambda m: m.topic == STATUS and m.form["state"] == "offline"
            )
            assert lost.form["reason"] == "lost"
            assert lost.form["session"] == born["session"]
            wire.mend()
            await seen.until(STATUS, lambda status: status["session"] > born["session"])
            assert seen.latest[STATUS].form["state"] == "online"


async def test_after_the_broker_was_killed_everything_is_there_again(broker: Broker) -> None:
    async with station_in_memory() as bench, session(bench, broker) as running:
        async with witness(broker) as seen:
            first = (await seen.until(STATUS)).form["session"]
        await broker.kill()
        await bench.until_event("mqtt.lost")
        bench.simulators["psu1"].values["temp"] = 41.0
        await bench.until("psu1", lambda s: s.samples["temperature"].value == 41.0)
        await broker.start()
        async with witness(broker) as seen:
            await seen.until(STATUS, lambda status: status["session"] > first)
            temperature = seen.latest[STATE].form["values"]["temperature"]
            assert temperature["value"] == 41.0
            assert DESCRIPTION in seen.latest
            await seen.until_any(lambda m: m.topic == EVENT and m.form["kind"] == "mqtt.lost")
        assert kinds(bench) == ["mqtt.connected", "mqtt.lost", "mqtt.connected"]
        assert running.connects == 2


async def test_without_a_broker_at_the_start_it_is_said_once_and_the_fleet_goes_on(
    folder: Path,
) -> None:
    broker = Broker(folder)
    async with station_in_memory() as bench, session(bench, broker) as running:
        assert "no broker answers at 127.0.0.1" in await bench.until_event("mqtt.lost")
        tried = bench.board.latest["psu1"].revision
        await bench.until("psu1", lambda s: s.revision > tried + 10)
        assert kinds(bench) == ["mqtt.lost"]
        assert not running.connected
        await broker.start()
        await bench.until_event("mqtt.connected", seconds=5)
        await broker.stop()


async def test_a_session_can_be_ended_while_it_has_no_broker(folder: Path) -> None:
    async with station_in_memory() as bench, session(bench, Broker(folder)):
        await bench.until_event("mqtt.lost")


async def test_a_frozen_broker_does_not_hold_up_the_end(broker: Broker) -> None:
    async with station_in_memory() as bench:
        async with session(bench, broker), witness(broker) as seen:
            await seen.until(STATUS)
        async with session(bench, broker), asyncio.timeout(2):
            await bench.until_event("mqtt.connected")
            broker.freeze()
        broker.thaw()


async def test_a_broker_that_closes_unanswered_is_asked_again_soon(broker: Broker) -> None:
    async with relay(broker.port) as wire, station_in_memory() as bench:
        wire.cut()
        async with session(bench, wire), asyncio.timeout(3):
            assert "closed the connection" in await bench.until_event("mqtt.lost")
            wire.mend()
            await bench.until_event("mqtt.connected")


async def test_a_broker_that_wants_a_password_is_named_as_such(folder: Path) -> None:
    denied = folder / "acl"
    denied.write_text("")
    async with running_broker(folder) as broker, station_in_memory() as bench:
        secret = folder / "password"
        secret.write_text("")
        async with session(bench, broker, username="lab", password_file=secret):
            assert "the first line is empty" in await bench.until_event("mqtt.lost")
            secret.write_text("open sesame\n")
            await bench.until_event("mqtt.connected")


async def test_topics_that_the_broker_does_not_let_the_agent_hear_are_named() -> None:
    async with await asyncio.start_server(_deaf_broker, "127.0.0.1", 0) as server:
        place = Place("127.0.0.1", server.sockets[0].getsockname()[1])
        async with station_in_memory() as bench, session(bench, place, protocol="3.1.1"):
            said = await bench.until_event("mqtt.deaf")
            assert "does not let the agent hear lab/v1/bench-1/command/+" in said


async def _deaf_broker(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Accept whoever connects, and two of the three subscriptions (MQTT 3.1.1, 3.2 and 3.9)."""
    while kind := await reader.read(1):
        body = await reader.readexactly(await _length(reader))
        if kind == b"\x10":
            writer.write(b"\x20\x02\x00\x00")
        elif kind == b"\x82":
            writer.write(b"\x90\x05" + body[:2] + b"\x01\x01\x80")
    writer.close()


async def _length(reader: asyncio.StreamReader) -> int:
    """The remaining length of a packet: seven bits a byte, the lowest first (2.2.3)."""
    length = shift = 0
    while (byte := (await reader.readexactly(1))[0]) & 0x80:
        length |= (byte & 0x7F) << shift
        shift += 7
    return length | byte << shift


async def test_a_lost_link_is_published_at_once_whatever_the_interval(broker: Broker) -> None:
    async with station_in_memory() as bench, witness(broker) as seen:
        async with session(bench, broker, min_interval=60.0):
            await seen.until(STATE, lambda state: state["state"] == "ready")
            bench.simulators["psu1"].unplugged = True
            state = (await seen.until(STATE, lambda state: state["state"] == "offline")).form
            assert {sample["quality"] for sample in state["values"].values()} == {"stale"}


async def test_states_are_conflated_and_the_last_one_always_gets_out(broker: Broker) -> None:
    async with station_in_memory() as bench, witness(broker) as seen:
        async with session(bench, broker, min_interval=0.5):
            await seen.until(STATE, lambda state: state["state"] == "ready")
            before = bench.board.latest["psu1"].revision
            heard = len(seen.heard)
            bench.simulators["psu1"].values["temp"] = 77.0
            await seen.until(STATE, lambda s: s["values"]["temperature"]["value"] == 77.0)
            states = [m for m in seen.heard[heard:] if m.topic == STATE]
            assert len(states) <= 2
            assert bench.board.latest["psu1"].revision - before > len(states)


async def test_a_device_that_config_lost_is_cleared(broker: Broker) -> None:
    async with station_in_memory(named("a"), named("b")) as bench, witness(broker) as seen:
        async with session(bench, broker):
            await seen.until("lab/v1/bench-1/device/b/state")
            await bench.fleet.retire("b")
            for leaf in ("state", "description"):
                await seen.until(f"lab/v1/bench-1/device/b/{leaf}", lambda form: form is None)


async def test_a_device_that_config_lost_while_nobody_ran_is_cleared(broker: Broker) -> None:
    async with witness(broker) as seen:
        async with station_in_memory(named("old")) as bench, session(bench, broker):
            await seen.until("lab/v1/bench-1/device/old/state")
        async with station_in_memory() as bench, session(bench, broker):
            for leaf in ("state", "description"):
                await seen.until(f"lab/v1/bench-1/device/old/{leaf}", lambda form: form is None)


async def test_a_changed_plan_is_described_anew(broker: Broker) -> None:
    async with station_in_memory() as bench, witness(broker) as seen:
        async with session(bench, broker):
            await seen.until(DESCRIPTION, lambda form: not form["simulated"])
            await bench.fleet.retire("psu1")
            bench.fleet.start(named("psu1", simulated=True))
            await seen.until(DESCRIPTION, lambda form: form and form["simulated"])
            await bench.until_state("psu1", DeviceState.READY)
            await seen.until(STATE, lambda form: form and form["state"] == "ready")


async def test_events_are_published_from_the_agents_start_on(broker: Broker) -> None:
    async with station_in_memory() as bench:
        bench.events.add("agent.started", "already over when the session begins")
        async with witness(broker) as seen, session(bench, broker):
            await seen.until_any(lambda m: m.topic == EVENT and m.form["kind"] == "agent.started")
            await seen.until_any(lambda m: m.topic == EVENT and m.form["kind"] == "mqtt.connected")
            numbers = [m.form["number"] for m in seen.heard if m.topic == EVENT]
            assert numbers == list(range(1, len(numbers) + 1))
