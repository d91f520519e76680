"""What became of a firing in the night is seen in the morning, also after a restart."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from agent.cli.schedule_tables import schedules_table
from agent.store import database as store
from agent.store.database import Database
from agent.store.schema import STEPS
from tests.agent.api_bench import client_of
from tests.agent.jobs_bench import toys
from tests.agent.ledger_bench import SetClock
from tests.agent.schedule_bench import HOUR, NINE, ScheduleBench, schedule, schedules_in_memory

pytestmark = pytest.mark.usefixtures(toys.__name__)
__all__ = ["toys"]


async def listed(bench: ScheduleBench) -> dict[str, Any]:
    """The one schedule as the API has it."""
    station = replace(bench.jobs.station.station, schedules=bench.schedules)
    async with client_of(station) as client:
        [found] = (await client.get("/schedules")).json()["schedules"]
        return dict(found)


def shown(found: dict[str, Any]) -> str:
    """The same as `schedule list` shows it."""
    text = io.StringIO()
    Console(file=text, width=300).print(schedules_table([found], "en"))
    return text.getvalue()


async def test_a_firing_that_was_refused_is_listed_with_its_reason_over_a_restart(
    tmp_path: Path,
) -> None:
    async with schedules_in_memory(tmp_path, schedule(recipe="trail")) as bench:
        found = await listed(bench)
        assert found["trouble"] is None
        assert "refused" not in shown(found)
        await bench.passes(HOUR)
        await bench.until_told("schedule.refused")
        await bench.passes(1)
        refused = (await listed(bench))["trouble"]
        assert (refused["what"], refused["local"]) == ("refused", "2026-06-01T19:00:00+09:00")
        assert "trail" in refused["text"]
    async with schedules_in_memory(tmp_path, schedule(), now=NINE + HOUR + 30) as bench:
        found = await listed(bench)
        assert found["trouble"] == refused
        assert "refused 2026-06-01T19:00:00+09:00: " in shown(found)
        bench.jobs.write("- log: hello")
        await bench.passes(HOUR)
        await bench.until_told("schedule.fired")
        await bench.passes(1)
        found = await listed(bench)
        assert found["trouble"] == refused  # the API has it still
        assert "refused" not in shown(found)  # a later one has started a job


async def test_a_firing_that_was_skipped_or_missed_is_trouble_too(tmp_path: Path) -> None:
    async with schedules_in_memory(tmp_path, schedule()) as bench:
        bench.jobs.write("- wait: 20")
        await bench.passes(HOUR)
        await bench.until_told("schedule.fired")
        await bench.passes(HOUR)
        await bench.until_told("schedule.skipped")
        await bench.passes(1)
        skipped = (await listed(bench))["trouble"]
        assert (skipped["what"], "is still" in skipped["text"]) == ("skipped", True)
        await bench.passes(2 * HOUR + 600)
        await bench.until_told("schedule.missed")
        await bench.passes(1)
        found = await listed(bench)
        assert found["trouble"]["what"] == "missed"
        assert "2 firings were missed" in found["trouble"]["text"]
        assert "missed" in shown(found)


async def test_a_database_of_before_has_no_trouble_and_learns_to_keep_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = STEPS
    before = next(number for number, step in enumerate(steps) if "trouble" in step[0])
    monkeypatch.setattr("agent.store.database.STEPS", steps[:before])
    async with Database(tmp_path / store.NAME, SetClock()) as database:
        query = "INSERT INTO schedules VALUES ('hourly', '', 1, NULL, '', '[]')"
        await database.write(lambda it: it.execute(query), "a schedule of before")
    monkeypatch.setattr("agent.store.database.STEPS", steps)
    async with schedules_in_memory(tmp_path, schedule(recipe="trail")) as bench:
        assert (await listed(bench))["trouble"] is None
        await bench.passes(HOUR)
        await bench.until_told("schedule.refused")
        await bench.passes(1)
        assert (await listed(bench))["trouble"]["what"] == "refused"
