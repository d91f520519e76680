"""Changes of the config in the ledger, key by key, and the clock that is set."""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random

from agent.begin_record import begin_record
from agent.clock import SystemClock
from agent.fleet.board import Board
from agent.fleet.events import EventLog
from agent.recording import Recording
from agent.safety.alarms import Alarms
from agent.settings import Station, load
from agent.settings.flat import flat
from agent.store.database import NAME, Database
from agent.store.rows import Row, Wanted

CONFIG = """\
name: bench-1
state: state
devices:
  psu1: {driver: siglent.spd1000x, address: "tcp://127.0.0.1:1", limits: {voltage: {high: 5.5}}}
"""


def config(folder: Path, text: str = CONFIG) -> Station:
    (folder / "station.yaml").write_text(text, "utf-8")
    (folder / "state").mkdir(exist_ok=True)
    return load(folder / "station.yaml")


def changes(settings: Station, *later: Station) -> list[Row]:
    """What one run of the agent records of its config, which is then read again."""
    return asyncio.run(_changes(settings, later))


async def _changes(settings: Station, later: tuple[Station, ...]) -> list[Row]:
    clock = SystemClock()
    async with Database(settings.state / NAME, clock) as database:
        recording = await _begun(settings, database, clock)
        for it in later:
            await recording.adopt(it)
        return list(await recording.rows(Wanted(kind="config")))


async def _begun(settings: Station, database: Database, clock: SystemClock) -> Recording:
    events = EventLog(clock)
    recording = await begin_record(
        *(database, settings),
        clock=clock,
        rng=Random(),
        board=Board(),
        events=events,
        alarms=Alarms(clock, events),
    )
    assert isinstance(recording, Recording)
    return recording


def test_the_first_config_is_recorded_as_a_whole(tmp_path: Path) -> None:
    (row,) = changes(config(tmp_path))
    assert (row.entry["action"], row.entry["object"]) == ("begin", "config")
    assert row.entry["after"]["devices.psu1.limits.voltage.high"] == 5.5


def test_what_differs_at_the_next_start_is_recorded_from_what_to_what(
    tmp_path: Path,
) -> None:
    changes(config(tmp_path))
    text = CONFIG.replace("5.5", "4.5") + "mqtt: {host: broker.example}\n"
    rows = (changes(config(tmp_path, text)))[1:]
    found = {row.entry["object"]: row.entry for row in rows}
    limit = found.pop("devices.psu1.limits.voltage.high")
    assert (limit["action"], limit["before"], limit["after"]) == ("change", 5.5, 4.5)
    assert all(key.startswith("mqtt.") and it["action"] == "add" for key, it in found.items())
    assert found["mqtt.host"]["after"] == "broker.example"


def test_the_same_config_is_no_change_also_on_other_lines(tmp_path: Path) -> None:
    moved = CONFIG.replace("devices:", "# a comment\ndevices:")
    changes(config(tmp_path))
    assert len(changes(config(tmp_path, moved))) == 1


def test_a_config_that_is_read_again_is_recorded_with_its_hash(tmp_path: Path) -> None:
    first = config(tmp_path)
    later = config(tmp_path, CONFIG.replace("5.5", "4.5"))
    begin, change = changes(first, later)
    assert (change.entry["before"], change.entry["after"]) == (5.5, 4.5)
    changes(config(tmp_path, CONFIG.replace("5.5", "3.5")))
    hashes = {row.entry["config_hash"] for row in changes(config(tmp_path))}
    assert len(hashes) > 1
    assert begin.entry["actor"]["origin"] == "agent"


def test_of_a_config_that_was_refused_no_row_carries_the_hash(tmp_path: Path) -> None:
    asyncio.run(_refused(tmp_path))


async def _refused(folder: Path) -> None:
    settings = await asyncio.to_thread(config, folder)
    clock = SystemClock()
    async with Database(settings.state / NAME, clock) as database:
        recording = await _begun(settings, database, clock)
        ledger = recording.record.ledger
        assert ledger is not None
        in_force = ledger.provenance.config_hash
        await asyncio.to_thread((folder / "station.yaml").write_text, "devices: 1", "utf-8")
        await recording.adopt(settings)  # what a refused reload leaves in force
        assert ledger.provenance.config_hash == in_force
        await recording.adopt(await asyncio.to_thread(config, folder, CONFIG.replace("5.5", "4")))
        assert ledger.provenance.config_hash != in_force


def test_of_a_secret_the_name_of_its_file_alone_is_said(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("hunter2\n", "utf-8")
    text = f"{CONFIG}mqtt: {{host: broker.example, username: kim, password_file: password}}\n"
    found = flat(config(tmp_path, text))
    assert str(found["mqtt.password_file"]).endswith("password")
    assert "hunter2" not in str(found)
