"""Refusals and events in the ledger: which, in what order, and how a flood is counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.fleet.events import Severity
from agent.fleet.samples import Cause
from agent.roles import Actor
from agent.safety import unawaited
from agent.safety.event_record import recorder
from drivers import Role
from tests.agent.record_bench import KIM, VISITOR, Recorded, recorded

JOB = Actor(name="kim", origin="job", role=Role.TECHNICIAN, job="j7")


def heard(it: Recorded) -> None:
    """Let the ledger of the bench hear its events."""
    it.bench.events.also(recorder(it.record.notes.add))


async def test_who_was_refused_what_and_why_is_on_record(tmp_path: Path) -> None:
    async with recorded(tmp_path) as it:
        await it.gate.set(VISITOR, "psu1", "voltage", 5)
        entry = await it.until_entry("set.refused")
        assert entry["actor"] == {"name": "visitor", "role": "observer", "origin": "api"}
        assert (entry["kind"], entry["object"], entry["after"]) == ("event", "psu1.voltage", 5)
        assert entry["reason"].startswith("setting psu1.voltage needs the role technician")
        await it.gate.do(KIM, "psu9", "ramp", {"to": 5})
        entry = await it.until_entry("do.refused")
        assert (entry["object"], entry["after"]) == ("psu9.ramp", {"to": 5})


async def test_a_blocked_command_is_on_record_as_refused(tmp_path: Path) -> None:
    async with recorded(tmp_path) as it:
        await it.unknown("do", "psu1.ramp")
        await it.gate.set(KIM, "psu1", "voltage", 5)
        assert "nobody knows how" in (await it.until_entry("set.refused"))["reason"]


async def test_a_refusal_waits_for_no_disk(tmp_path: Path) -> None:
    async with recorded(tmp_path) as it:
        with it.hung_disk():
            assert (await it.gate.set(VISITOR, "psu1", "voltage", 5)).cause
            assert await it.entries("set.refused") == []
        await it.until_entry("set.refused")


async def test_what_a_job_does_carries_its_number(tmp_path: Path) -> None:
    async with recorded(tmp_path) as it:
        await it.gate.set(JOB, "psu1", "voltage", 5)  # which does not belong to the job
        assert (await it.until_entry("set.refused"))["job"] == "j7"
        await it.gate.stop(JOB, "psu1")
        assert (await it.until_entry("stop"))["job"] == "j7"


async def test_a_value_that_json_can_not_hold_is_refused_and_on_record_in_words(
    tmp_path: Path,
) -> None:
    async with recorded(tmp_path) as it:
        await it.gate.set(KIM, "psu1", "voltage", float("inf"))
        assert (await it.until_entry("set.refused"))["after"] == "inf"


async def test_a_flood_of_one_kind_is_thinned_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unawaited, "BURST", 3)
    async with recorded(tmp_path) as it:
        for _ in range(10):
            await it.gate.set(VISITOR, "psu1", "voltage", 5)
        await it.gate.set(VISITOR, "psu1", "output", True)
        it.record.notes.end()
        entries = await it.until_entries("set.refused", 5)
        reasons = [it["reason"] for it in entries if it["object"] == "psu1.voltage"]
        assert len(reasons) == 4
        assert reasons[-1] == "7 more like this within 60 s were left out"
        assert len(entries) == 5


async def test_ever_new_names_are_one_flood(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unawaited, "BURST", 3)
    monkeypatch.setattr(unawaited, "MOST_WINDOWS", 5)
    async with recorded(tmp_path) as it:
        for number in range(50):
            await it.gate.set(VISITOR, f"psu{number}", "voltage", 5)
        it.record.notes.end()
        entries = await it.until_entries("set.refused", 5 + 3 + 1)
        assert len(entries) == 5 + 3 + 1
        assert entries[-1]["reason"] == "42 more like this within 60 s were left out"


async def test_what_a_full_disk_did_not_take_is_counted_when_it_does(tmp_path: Path) -> None:
    async with recorded(tmp_path) as it:
        heard(it)
        with it.full_disk():
            for number in range(5):
                it.bench.events.add("bus.slow", f"number {number}", severity=Severity.WARNING)
            # It waits for the same disk, and so until all of these were refused.
            refused = await it.gate.set(KIM, "psu1", "voltage", 5)
            assert refused.cause is Cause.NOT_RECORDED
        it.bench.events.add("config.reloaded", "there is room again")
        gap = await it.until_entry("record.gap")
        assert gap["reason"].startswith("5 entries before this one were not recorded")


async def test_trouble_and_what_changes_the_station_is_a_record_and_the_day_is_not(
    tmp_path: Path,
) -> None:
    async with recorded(tmp_path) as it:
        heard(it)
        add = it.bench.events.add
        add("device.connected", "psu1 answers", device="psu1")
        add("device.offline", "psu1: gone", device="psu1", severity=Severity.WARNING)
        add("config.reloaded", "the config was read again; nothing changed")
        add("files.added", "a.gcode", actor="kim", origin="cli", file="a.gcode")
        add("set.failed", "has rows of its own", severity=Severity.ERROR)
        add("job.failed", "has rows of its own", severity=Severity.ERROR)
        add("job.unsafe", "psu1", device="psu1", severity=Severity.ERROR, job="j7")
        await it.until_entry("job.unsafe")
        rows = [row.entry for row in await it.ledger.rows() if row.entry["kind"] == "event"]
        assert [(row["action"], row["object"]) for row in rows] == [
            ("device.offline", "psu1"),
            ("config.reloaded", "station"),
            ("files.added", "a.gcode"),
            ("job.unsafe", "psu1"),
        ]
        assert rows[2]["actor"]["name"] == "kim"
        assert rows[3]["job"] == "j7"
