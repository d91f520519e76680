"""The start of the record on a disk that hangs: it is waited for as long as is bearable."""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random
from typing import Any

import pytest

from agent import recording
from agent.clock import SystemClock
from agent.fleet.board import Board
from agent.fleet.events import EventLog
from agent.recording import Recording
from agent.safety.alarms import Alarms
from agent.settings import Station, load
from agent.store.database import NAME, Database
from agent.store.entries import Provenance
from tests.agent.record_bench import Hanging


@pytest.fixture
def settings(tmp_path: Path) -> Station:
    """A station without devices."""
    path = tmp_path / "station.yaml"
    path.write_text("name: bench-1\nstate: state\ndevices: {}\n")
    return load(path)


async def test_a_ledger_that_does_not_begin_in_time_is_opened_when_the_disk_wakes(
    tmp_path: Path, settings: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "OPEN_WITHIN_S", 0.2)
    monkeypatch.setattr(recording, "OPEN_AGAIN_S", 0.05)
    clock, events = SystemClock(), EventLog(SystemClock())
    about = Provenance(boot_id="b", software_version="0", config_hash="c")
    given: dict[str, Any] = {"clock": clock, "rng": Random(), "board": Board(), "events": events}
    async with Database(tmp_path / NAME, clock) as database, asyncio.TaskGroup() as tasks:
        alarms = Alarms(clock, events)
        begun = Recording(database, settings, about, **given, alarms=alarms)
        real, hanging = database._writing, Hanging(database._writing)
        database._writing = hanging  # type: ignore[assignment]
        async with asyncio.timeout(3):
            await begun.open()
        assert "had not begun the ledger within 0.2 s" in alarms.all["record.failed"].reason
        database._writing = real
        hanging.wakes.set()
        running = tasks.create_task(begun.run())
        async with asyncio.timeout(5):
            while begun.record.ledger is None:
                await asyncio.sleep(0.01)
        running.cancel()
        begun.end()
