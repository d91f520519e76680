"""A part of the start that its disk keeps back holds nobody up, and is not given up."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from agent import starting
from agent.jobs.keeping.book import Recalled
from agent.jobs.keeping.ledger_book import LedgerBook
from agent.jobs.states import JobState
from agent.starting import JOBS, after_jobs, waited_for
from agent.store.store_errors import NotRecorded
from tests.agent.jobs_bench import KIM, toys
from tests.agent.restart_bench import life

pytestmark = pytest.mark.usefixtures(toys.__name__)
__all__ = ["toys"]


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """When set, the disk tells of the jobs of before. A start waits a tenth of a second for it."""
    event, usual = asyncio.Event(), LedgerBook.recall

    async def recall(book: LedgerBook) -> Recalled:
        await event.wait()
        return await usual(book)

    monkeypatch.setattr(LedgerBook, "recall", recall)
    monkeypatch.setattr(starting, "DISK_WITHIN_S", 0.1)
    return event


async def test_a_start_goes_on_without_the_jobs_of_before_and_they_follow_when_the_disk_answers(
    tmp_path: Path, answers: asyncio.Event
) -> None:
    answers.set()
    async with life(tmp_path) as bench:
        bench.write("- set: {supply.voltage: 1}")
        await bench.jobs.hold_all(KIM)
        waits = await bench.start()
    answers.clear()
    async with life(tmp_path, begun=False) as bench, asyncio.TaskGroup() as tasks:
        part = tasks.create_task(bench.jobs.begin(), name="the jobs of before")
        await waited_for([part], bench.station.events)
        text = await bench.station.until_event("start.disk_hangs")
        assert text.startswith("the start goes on without the jobs of before: the disk has not")
        bench.jobs.open()
        for asked in (bench.start(), bench.jobs.release_all(KIM)):
            with pytest.raises(NotRecorded, match="has not told of the jobs of before yet"):
                await asked
        answers.set()
        await bench.station.until_event("jobs.taken_over")
        await bench.jobs.release_all(KIM)
        assert (await bench.over(bench.jobs.get(waits.id))).state is JobState.DONE


async def test_a_disk_that_answers_in_time_is_not_spoken_of(
    tmp_path: Path, answers: asyncio.Event
) -> None:
    answers.set()
    async with life(tmp_path, begun=False) as bench, asyncio.TaskGroup() as tasks:
        part = tasks.create_task(bench.jobs.begin(), name="the jobs of before")
        await asyncio.wait([part])
        await waited_for([part], bench.station.events)
        bench.jobs.open()
        assert [it.kind for it in bench.station.events.kept if "start" in it.kind] == []
        assert [it.kind for it in bench.station.events.kept if "taken" in it.kind] == []


async def test_what_has_to_know_the_jobs_of_before_waits_for_them_and_for_no_other_part(
    tmp_path: Path, answers: asyncio.Event
) -> None:
    answers.set()
    async with life(tmp_path, cut_off=True) as bench:
        bench.write("- wait: 60")
        job = await bench.start()
        await bench.until_state(job, JobState.RUNNING)
    answers.clear()
    known: list[str] = []
    async with life(tmp_path, begun=False) as bench, asyncio.TaskGroup() as tasks:

        async def closed() -> None:
            known.extend(it.id for it in bench.jobs.listing)

        never = tasks.create_task(asyncio.sleep(60), name="the safe-state file")
        parts = [tasks.create_task(bench.jobs.begin(), name=JOBS), never]
        assert await waited_for(parts, bench.station.events) is parts
        after = tasks.create_task(after_jobs(parts, closed))
        await asyncio.sleep(0)
        assert not known
        answers.set()
        await after
        assert known == [job.id]
        never.cancel()
