"""The head beside the ledger is written anew where it is not the last one, and that is said."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest

from agent.clock import SystemClock
from agent.fleet.board import Board
from agent.fleet.events import EventLog
from agent.recording import Recording
from agent.safety.alarms import Alarms
from agent.settings import load
from agent.store.database import NAME, Database
from agent.store.head_file import NAME as HEAD_NAME
from agent.store.head_file import HeadFile
from agent.store.ledger import Ledger
from tests.agent.ledger_bench import KIM, PROVENANCE, happening, verdict_on


class Run:
    """One run of an agent's record: its ledger, and what it tells."""

    def __init__(self, ledger: Ledger, events: EventLog) -> None:
        self.ledger, self.events = ledger, events

    @property
    def said(self) -> list[str]:
        return [it.text for it in self.events.kept if it.kind == "ledger.head_renewed"]

    async def adds(self, rows: int) -> None:
        for number in range(rows):
            await self.ledger.record(KIM, happening(number))

    async def until_written(self, file: Path) -> None:
        """Wait until the head beside the ledger is its last row."""
        async with asyncio.timeout(10):
            while await asyncio.to_thread(HeadFile(file).read) != self.ledger.head:
                await asyncio.sleep(0.005)

    async def until_said(self) -> str:
        async with asyncio.timeout(10):
            while not self.said:
                await asyncio.sleep(0.005)
        return self.said[-1]


@asynccontextmanager
async def run(folder: Path) -> AsyncIterator[Run]:
    station = folder / "station.yaml"
    station.write_text("name: bench-1\nstate: state\ndevices: {}\n")
    clock, events = SystemClock(), EventLog(SystemClock())
    settings = await asyncio.to_thread(load, station)
    async with Database(folder / NAME, clock) as database:
        recording = Recording(
            *(database, settings, PROVENANCE),
            clock=clock,
            rng=Random(),
            board=Board(),
            events=events,
            alarms=Alarms(clock, events),
        )
        await recording.open()
        assert recording.record.ledger is not None
        yield Run(recording.record.ledger, events)
        recording.end()


@pytest.fixture
def head(tmp_path: Path) -> Path:
    return tmp_path / HEAD_NAME


async def told_by_verify(folder: Path) -> list[str]:
    """What a verification finds no fault with, and says all the same."""
    verdict = await asyncio.to_thread(verdict_on, folder)
    assert verdict.is_whole
    return [note for note in verdict.notes if "the head was written anew" in note]


async def test_a_head_that_is_the_last_one_says_nothing(tmp_path: Path, head: Path) -> None:
    async with run(tmp_path) as its:
        await its.adds(3)
        await its.until_written(head)
    async with run(tmp_path) as its:
        assert its.said == []
    assert await told_by_verify(tmp_path) == []


async def test_an_older_head_at_the_start_is_said_and_on_record(tmp_path: Path, head: Path) -> None:
    async with run(tmp_path) as its:
        await its.adds(1)
        await its.until_written(head)
        older = its.ledger.head.seq
        await asyncio.to_thread(shutil.copy, head, tmp_path / "kept")
        await its.adds(4)
        last = its.ledger.head.seq
    await asyncio.to_thread(shutil.copy, tmp_path / "kept", head)
    async with run(tmp_path) as its:
        [text] = its.said
        assert f"was of row {older}, {last - older} before the last" in text
    [note] = await told_by_verify(tmp_path)
    assert note.startswith(f"row {last + 1}: ")
    async with run(tmp_path) as its:  # once
        assert its.said == []
    assert len(await told_by_verify(tmp_path)) == 1


async def test_a_head_that_is_missing_at_the_start_is_said_as_an_event_too(
    tmp_path: Path, head: Path
) -> None:
    async with run(tmp_path) as its:
        await its.adds(1)
    head.unlink()
    async with run(tmp_path) as its:
        assert "is missing, or no head" in its.said[0]
    verdict = await asyncio.to_thread(verdict_on, tmp_path)
    assert "the head beside the ledger is missing" in verdict.findings[0].text


@pytest.mark.parametrize("older", [False, True])
async def test_a_head_that_somebody_removes_or_replaces_under_a_running_agent_is_said_and_on_record(
    tmp_path: Path, head: Path, *, older: bool
) -> None:
    async with run(tmp_path) as its:
        await its.adds(1)
        await its.until_written(head)
        await asyncio.to_thread(shutil.copy, head, tmp_path / "kept")
        await its.adds(1)
        await its.until_written(head)
        if older:
            await asyncio.to_thread(shutil.copy, tmp_path / "kept", head)
        else:
            head.unlink()
        await its.adds(1)
        text = await its.until_said()
        assert ("it was of row" if older else "it had been removed") in text
        await its.until_written(head)
        await its.adds(2)
        assert len(its.said) == 1
    assert len(await told_by_verify(tmp_path)) == 1
