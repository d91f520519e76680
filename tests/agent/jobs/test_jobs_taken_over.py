"""What is left by the agent before is taken over whole, or nothing begins and nothing is forgotten."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from agent.errors import NoSuchThing
from agent.jobs import inheritance
from agent.jobs.job import Job
from agent.jobs.keeping.book import Recalled
from agent.jobs.keeping.ledger_book import LedgerBook
from agent.jobs.states import JobState
from agent.store.database import NAME
from agent.store.store_errors import NotRead, NotRecorded
from tests.agent.jobs_bench import KIM, LEE, toys
from tests.agent.restart_bench import life

pytestmark = pytest.mark.usefixtures(toys.__name__)
__all__ = ["toys"]


async def crashed(folder: Path) -> tuple[Job, Job]:
    """Leave a job that ran and one that waited for it."""
    async with life(folder, cut_off=True) as bench:
        bench.write("- set: {supply.output: true}\n- wait: 9")
        ran, waits = await bench.start(), await bench.start()
        await bench.until_at(ran, "steps.1")
    return ran, waits


async def test_an_agent_that_ends_before_it_has_taken_over_does_not_hide_the_crash_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran, waits = await crashed(tmp_path)
    async with life(tmp_path, begun=False):
        pass  # told to end while it did what comes before jobs
    reading = asyncio.Event()

    async def hangs(_: LedgerBook) -> None:
        reading.set()
        await asyncio.Event().wait()

    with monkeypatch.context() as patched:
        patched.setattr(LedgerBook, "recall", hangs)
        async with life(tmp_path, begun=False) as bench, asyncio.TaskGroup() as tasks:
            start = tasks.create_task(bench.jobs.begin())
            await reading.wait()
            start.cancel()  # told to end in the middle of it
    async with life(tmp_path) as bench:
        assert bench.jobs.get(ran.id).state is JobState.INTERRUPTED
        assert bench.jobs.get(waits.id).state is JobState.HELD
        assert bench.sent() == []


class Disk:
    """Refuses to read the jobs of before, until it is mended."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_mended = False
        usual = LedgerBook.recall

        async def recall(book: LedgerBook) -> Recalled:
            if not self.is_mended:
                raise NotRead("can't be read: the jobs of before")
            return await usual(book)

        monkeypatch.setattr(LedgerBook, "recall", recall)
        monkeypatch.setattr(inheritance, "AGAIN_S", 0.01)


async def test_until_the_jobs_of_before_are_known_nothing_begins_and_nothing_is_submitted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with life(tmp_path) as bench:
        bench.write("- set: {supply.voltage: 1}")
        await bench.over(await bench.start())
        await bench.jobs.hold_all(KIM, "the lab is being cleaned")
        waits = await bench.start()
    disk = Disk(monkeypatch)
    async with life(tmp_path) as bench:
        why = await bench.station.until_event("jobs.unkept")
        assert "can't be read: the jobs of before; it is tried again every" in why
        for asked in (bench.start(), bench.jobs.hold_all(KIM), bench.jobs.release_all(KIM)):
            with pytest.raises(NotRecorded, match="none begins until they are"):
                await asked
        disk.is_mended = True
        assert "jobs may begin" in await bench.station.until_event("jobs.taken_over")
        assert [it.id for it in bench.jobs.queue] == [waits.id]
        assert bench.jobs.held is not None
        assert (await bench.start()).id.rpartition("-")[2] == "3"
        assert bench.sent() == []
        await bench.jobs.release_all(LEE)
        assert (await bench.over(bench.jobs.get(waits.id))).state is JobState.DONE


async def test_a_crash_that_could_not_be_looked_into_is_found_out_by_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran, waits = await crashed(tmp_path)
    with monkeypatch.context() as patched:
        Disk(patched)
        async with life(tmp_path) as bench:
            await bench.station.until_event("jobs.unkept")
    async with life(tmp_path) as bench:
        assert bench.jobs.get(ran.id).state is JobState.INTERRUPTED
        assert bench.jobs.get(waits.id).state is JobState.HELD


async def test_a_job_of_before_that_can_not_be_understood_keeps_jobs_back_and_ends_no_agent(
    tmp_path: Path,
) -> None:
    await crashed(tmp_path)
    with closing(sqlite3.connect(tmp_path / NAME)) as connection, connection:
        connection.execute("UPDATE jobs SET form = json_remove(form, '$.claimed')")
    async with life(tmp_path, begun=False) as bench:
        await bench.jobs.begin()
        text = await bench.station.until_event("jobs.unkept")
        assert "a defect of the agent, KeyError('claimed'): report it" in text
        bench.jobs.open()
        with pytest.raises(NotRecorded, match="none begins until they are"):
            await bench.start()
        assert bench.sent() == []


async def test_of_a_job_of_before_that_is_not_taken_over_it_is_said_and_not_that_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, waits = await crashed(tmp_path)
    disk = Disk(monkeypatch)
    async with life(tmp_path) as bench:
        await bench.station.until_event("jobs.unkept")
        for asked in (bench.jobs.stop(waits.id, KIM), bench.jobs.release(waits.id, KIM)):
            with pytest.raises(
                NotRead, match=f"nobody knows of job {waits.id} yet: .* can't be read"
            ):
                await asked
        with pytest.raises(NotRead, match="Devices can be stopped"):
            bench.jobs.get(waits.id)
        disk.is_mended = True
        await bench.station.until_event("jobs.taken_over")
        assert bench.jobs.get(waits.id).state is JobState.HELD
        with pytest.raises(NoSuchThing, match="there is no job x"):
            bench.jobs.get("x")
