"""A part of the start that its disk keeps back holds nobody up, and is not given up."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import cast

import pytest

from agent import starting
from agent.jobs.job import Job
from agent.jobs.keeping.book import Recalled
from agent.jobs.keeping.ledger_book import LedgerBook
from agent.jobs.runs.run_records import RunRecords
from agent.jobs.states import JobState
from agent.starting import after_jobs, first_turns, waited_for
from agent.store.store_errors import NotRecorded
from tests.agent.bench import station_in_memory
from tests.agent.jobs.test_jobs_taken_over import Disk
from tests.agent.jobs_bench import KIM, toys
from tests.agent.restart_bench import life

IMPORTED = """
import sys
import agent.running, agent.mqtt.session
print(*(it for it in sys.argv[1:] if it in sys.modules))
"""
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


class Runs:
    """Stands for what closes the folders that are left open: it notes by which jobs."""

    def __init__(self) -> None:
        self.known: list[tuple[str, JobState]] | None = None

    async def run(self, jobs: Iterable[Job]) -> None:
        self.known = [(it.id, it.state) for it in jobs]


async def cut_off(folder: Path) -> Job:
    """Leave a job that ran."""
    async with life(folder, cut_off=True) as bench:
        bench.write("- wait: 60")
        job = await bench.start()
        await bench.until_state(job, JobState.RUNNING)
    return job


async def test_what_has_to_know_the_jobs_of_before_waits_for_a_disk_that_hangs(
    tmp_path: Path, answers: asyncio.Event
) -> None:
    answers.set()
    job = await cut_off(tmp_path)
    answers.clear()
    async with life(tmp_path, begun=False) as bench, asyncio.TaskGroup() as tasks:
        part, runs = tasks.create_task(bench.jobs.begin(), name="the jobs of before"), Runs()
        await waited_for([part], bench.station.events)
        after = tasks.create_task(after_jobs(bench.jobs, cast("RunRecords", runs)))
        await asyncio.sleep(0.05)
        assert runs.known is None
        answers.set()
        await after
        assert runs.known == [(job.id, JobState.INTERRUPTED)]


async def test_it_waits_as_well_where_the_first_attempt_to_take_them_over_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await cut_off(tmp_path)
    disk = Disk(monkeypatch)
    async with life(tmp_path, begun=False) as bench, asyncio.TaskGroup() as tasks:
        runs = Runs()
        await bench.jobs.begin()
        after = tasks.create_task(after_jobs(bench.jobs, cast("RunRecords", runs)))
        await asyncio.sleep(0.05)
        assert runs.known is None
        disk.is_mended = True
        await after
        assert runs.known == [(job.id, JobState.INTERRUPTED)]


async def test_the_web_waits_until_the_broker_has_the_first_values_and_no_longer_than_it_may() -> (
    None
):
    async with station_in_memory() as bench, asyncio.TaskGroup() as tasks:
        told = asyncio.Event()
        await first_turns(bench.fleet, 0.01, told)  # a broker that never answers
        waiting = tasks.create_task(first_turns(bench.fleet, 20.0, told), name="start")
        done, _ = await asyncio.wait([waiting], timeout=0.05)
        assert not done
        told.set()
        async with asyncio.timeout(10):
            await waiting


def test_a_start_imports_nothing_that_the_first_values_do_not_need() -> None:
    """What is not needed is imported when it is: with the pages, a job, a file, a line of its kind."""
    late = (
        *("agent.jobs.recipes.step", "agent.jobs.checks.check", "agent.jobs.running.run"),
        *("agent.people.people", "agent.web.api", "agent.metrics", "drivers.survey"),
        *("drivers.transport.http", "drivers.transport.modbus", "drivers.transport.serial"),
        *("drivers.transport.visa", "fastapi", "jinja2", "httpx", "prometheus_client"),
    )
    found = subprocess.run(
        [sys.executable, "-c", IMPORTED, *late], capture_output=True, check=True, text=True
    )
    assert found.stdout.split() == []
