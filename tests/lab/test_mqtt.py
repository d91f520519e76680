"""The session with a real broker: births and farewells, what is retained, and in which order."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.fleet.states import DeviceState
from tests.agent.bench import named, station_in_memory
from tests.lab.broker import Broker, running_broker
from tests.lab.broker_session import DESCRIPTION, EVENT, STATE, STATUS, kinds, session
from tests.lab.witness import witness

pytestmark = pytest.mark.lab


@pytest.fixture
async def broker(folder: Path) -> AsyncIterator[Broker]:
    async with running_broker(folder) as running:
        yield running


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
