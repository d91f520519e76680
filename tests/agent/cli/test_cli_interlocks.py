"""`labkeeper interlocks` and the API say how each interlock stands, and what to type after a trip."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from agent.safety.alarm_watch import AlarmWatch
from tests.agent.alarms_bench import settings_of
from tests.agent.cli_bench import Command, ask, web
from tests.agent.settings_bench import use_toys
from tests.agent.web_bench import Web

__all__ = ["ask", "web"]  # fixtures

CONFIG = """\
name: bench-3
devices:
  oven1: {driver: toy.oven, address: "modbus+tcp://192.0.2.2", poll: {temperature: 2}}
  psu1: {driver: toy.supply, address: "tcp://192.0.2.1:1"}
interlocks:
  cool: {requires: {oven1.temperature: {below: 60}}, trip: [psu1], max_age: 60}
"""
TYPED = "labkeeper alarm ack interlock.cool"


@pytest.fixture
async def watch(web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AlarmWatch:
    """What the station of the bench tells of trips, with the interlock of CONFIG in force."""
    use_toys(monkeypatch)
    monkeypatch.setenv("COLUMNS", "250")
    settings, station = await asyncio.to_thread(settings_of, tmp_path, CONFIG), web.bench.station
    assert station.alarms is not None
    watch = AlarmWatch(station.alarms, station.board, settings)
    station.interlocks.latched = watch.latched
    station.interlocks.adopt(settings.interlocks)
    return watch


async def test_an_interlock_that_holds_is_latched_after_a_trip_until_that_is_acknowledged(
    watch: AlarmWatch, ask: Command
) -> None:
    before = await ask("interlocks")
    assert "cool" in before.out
    assert "holds" in before.out
    assert "latched" not in before.out
    watch.tripped("cool", "oven1.temperature is 61 °C")
    watch.tripped("cool", "")
    [cool] = (await ask("interlocks", "--json")).json()
    assert (cool["holds"], cool["reason"]) == (True, "")
    assert TYPED in cool["latched"]
    tripped = await ask("interlocks")
    assert "latched" in tripped.out
    assert TYPED in tripped.out
    assert (await ask("alarm", "ack", "interlock.cool")).code == 0
    [cool] = (await ask("interlocks", "--json")).json()
    assert cool["latched"] == ""


async def test_one_that_does_not_hold_says_that_first_and_that_its_trip_counts(
    watch: AlarmWatch, ask: Command, web: Web
) -> None:
    watch.tripped("cool", "oven1.temperature is 61 °C")
    web.bench.simulators["oven1"].unplugged = True
    await web.bench.until("oven1", lambda at: not at.state.online)
    shown = (await ask("interlocks")).out
    assert "does not hold" in shown
    assert TYPED in shown
