"""A firing that falls due before the jobs of before are taken over waits for that, and is refused by nobody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from agent.jobs import inheritance
from agent.jobs.keeping.book import MemoryBook, Recalled
from agent.store.store_errors import NotRead
from tests.agent.jobs_bench import toys
from tests.agent.schedule_bench import (
    HOUR,
    MINUTE,
    ScheduleBench,
    schedule,
    schedules_in_memory,
)

pytestmark = pytest.mark.usefixtures(toys.__name__)
__all__ = ["toys"]


class Disk:
    """Refuses to tell of the jobs of before, until it is mended."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_mended = False
        usual = MemoryBook.recall

        async def recall(book: MemoryBook) -> Recalled:
            if not self.is_mended:
                raise NotRead("can't be read: the jobs of before")
            return await usual(book)

        monkeypatch.setattr(MemoryBook, "recall", recall)
        monkeypatch.setattr(inheritance, "AGAIN_S", 0.01)


@asynccontextmanager
async def not_taken_over(
    folder: Path, patch: pytest.MonkeyPatch, missed: str
) -> AsyncIterator[tuple[ScheduleBench, Disk]]:
    """A schedule whose time has come before the disk tells of the jobs of before."""
    disk = Disk(patch)
    async with schedules_in_memory(folder, schedule(missed=missed)) as bench:
        bench.jobs.write("- log: hello")
        await bench.jobs.jobs.begin()
        bench.jobs.jobs.open()
        assert "can't be read: the jobs of before" in bench.jobs.jobs.untaken
        await bench.passes(HOUR)
        for kind in ("refused", "missed", "fired"):
            assert not bench.told(f"schedule.{kind}")
        yield bench, disk


async def test_within_a_minute_it_fires_on_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with not_taken_over(tmp_path, monkeypatch, "skip") as (bench, disk):
        await bench.passes(30)
        disk.is_mended = True
        assert "late" not in await bench.until_told("schedule.fired")
        [job] = bench.jobs.jobs.listing
        await bench.jobs.over(job)
        assert not bench.told("schedule.refused")


@pytest.mark.parametrize(("missed", "kind"), [("skip", "missed"), ("once", "fired")])
async def test_later_it_was_missed_and_what_becomes_of_that_the_schedule_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missed: str, kind: str
) -> None:
    async with not_taken_over(tmp_path, monkeypatch, missed) as (bench, disk):
        await bench.passes(10 * MINUTE)
        disk.is_mended = True
        assert "1 firing was missed" in await bench.until_told(f"schedule.{kind}")
        assert not bench.told("schedule.refused")
        async with asyncio.timeout(5):
            for job in bench.jobs.jobs.listing:
                await bench.jobs.over(job)
