"""An agent of the next version opens the folder of today's; today's refuses it, until the copy is put back."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from agent.store import schema
from agent.store.database import reading
from agent.store.rows import rows
from tests.lab.processes import Room, agent, station
from tests.lab.safe_bench import asked, typed

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]

TODAY = len(schema.STEPS)


def content(folder: Path) -> dict[str, bytes]:
    """The database and its copies; a log ahead of it only where there is something in it."""
    found = {str(it.relative_to(folder)): it.read_bytes() for it in folder.rglob("station*")}
    return {name: its for name, its in found.items() if its and not name.endswith("-shm")}


def settings(state: Path) -> list[object]:
    """What psu1.voltage was set to, by the ledger of this folder."""
    with reading(state / "station.db") as connection:
        entries = [row.entry for row in rows(connection)]
    return [it["after"] for it in entries if it.get("stage") == "intent" and it["after"]]


def put_back(copy: Path, state: Path) -> None:
    """As the page on the ledger says, while no agent runs."""
    for path in state.glob("station.db*"):
        path.unlink()
    shutil.copy(copy, state / "station.db")


async def test_the_next_agent_migrates_todays_refuses_and_the_copy_puts_it_back(
    lab: Room, folder: Path
) -> None:
    config, state = station(folder, lab.five()), folder / "state"
    async with agent(folder, config) as today:
        await today.until_ready("psu1", seconds=60)
        assert (await asked(today, "set", "psu1.voltage", "3")).code == 0
    async with agent(folder, config, program="tests.lab.next_agent") as later:
        await later.until_ready("psu1", seconds=60)
        assert (await asked(later, "set", "psu1.voltage", "4")).code == 0
    [copy] = (state / "backup").iterdir()
    assert copy.name.startswith(f"station-v{TODAY}-")
    newer = content(state)
    async with agent(folder, config) as today:
        assert await today.ended(30) == 2
        assert f"version {TODAY + 1} of its tables, this one knows {TODAY}" in today.log
        assert "install that one again" in today.log
        assert "Traceback" not in today.log
    assert content(state) == newer
    put_back(copy, state)
    async with agent(folder, config) as today:
        await today.until_ready("psu1", seconds=60)
        assert (await asked(today, "settle", "--all", "--reason", "다 꺼져 있음")).code == 0
        assert (await asked(today, "set", "psu1.voltage", "5")).code == 0
    verdict = (await typed("ledger", "verify", "--state", str(state))).text
    assert verdict.count("row ") == 1, verdict
    assert "here the agent found at a start: rows" in verdict  # those of the next agent
    assert await asyncio.to_thread(settings, state) == [3, 5]
