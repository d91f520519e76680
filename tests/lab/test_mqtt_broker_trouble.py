"""Brokers that are absent, killed, frozen, deaf or choosy, and links that break."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.agent.bench import station_in_memory
from tests.lab.broker import Broker, running_broker
from tests.lab.broker_session import DESCRIPTION, EVENT, STATE, STATUS, Place, kinds, session
from tests.lab.relay import relay
from tests.lab.witness import witness

pytestmark = pytest.mark.lab


@pytest.fixture
async def broker(folder: Path) -> AsyncIterator[Broker]:
    async with running_broker(folder) as running:
        yield running


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
        assert running.told.is_set()
        assert not running.connected
        await broker.start()
        await bench.until_event("mqtt.connected", seconds=5)
        await broker.stop()


async def test_a_broker_counts_as_told_once_it_has_all_that_there_was_to_say(
    broker: Broker,
) -> None:
    async with station_in_memory() as bench, session(bench, broker) as running:
        assert not running.told.is_set()
        async with asyncio.timeout(10):
            await running.told.wait()
        assert running.connected
        async with witness(broker) as seen:
            assert (await seen.until(STATUS)).form["state"] == "online"
            assert (await seen.until(STATE)).form["values"]


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
    """Accept whoever connects, and all subscriptions but those to requests (MQTT 3.1.1, 3.2, 3.9)."""
    while kind := await reader.read(1):
        body = await reader.readexactly(await _length(reader))
        if kind == b"\x10":
            writer.write(b"\x20\x02\x00\x00")
        elif kind == b"\x82":
            codes = bytes(0x80 if it.endswith(b"/command/+") else 1 for it in _filters(body[2:]))
            writer.write(bytes([0x90, 2 + len(codes)]) + body[:2] + codes)
    writer.close()


def _filters(payload: bytes) -> list[bytes]:
    """The topic filters of a SUBSCRIBE: each with its length before it, and its QoS behind (3.8.3)."""
    found = []
    while payload:
        end = 2 + int.from_bytes(payload[:2], "big")
        found.append(payload[2:end])
        payload = payload[end + 1 :]
    return found


async def _length(reader: asyncio.StreamReader) -> int:
    """The remaining length of a packet: seven bits a byte, the lowest first (2.2.3)."""
    length = shift = 0
    while (byte := (await reader.readexactly(1))[0]) & 0x80:
        length |= (byte & 0x7F) << shift
        shift += 7
    return length | byte << shift
