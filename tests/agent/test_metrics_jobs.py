"""Jobs, questions and the ledger on the metrics page, without the name of a job."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from agent.jobs.states import JobState
from agent.metrics import page_of
from agent.metrics.disk import disk_families
from agent.metrics.ledger import ledger_commits, ledger_rows
from agent.spread import Spread
from agent.store.disk_watch import Room
from tests.agent.jobs_bench import LEE, JobsBench, jobs_in_memory, toys
from tests.agent.ledger_bench import KIM, happening, opened

pytestmark = pytest.mark.usefixtures(toys.__name__)
__all__ = ["toys"]


def page(bench: JobsBench) -> str:
    return page_of(bench.station.station, None).page.text().decode()


async def test_jobs_are_counted_by_state_and_so_are_open_questions(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        bench.write("- confirm: Is the door shut?")
        job = await bench.start()
        await bench.until_asked()
        await bench.jobs.submit("trial", {}, {}, job.by, held=True)
        shown = page(bench)
        assert f'labkeeper_jobs{{state="{JobState.RUNNING}"}} 1.0' in shown
        assert f'labkeeper_jobs{{state="{JobState.HELD}"}} 1.0' in shown
        assert f'labkeeper_jobs{{state="{JobState.QUEUED}"}} 0.0' in shown
        assert "labkeeper_questions_open 1.0" in shown
        assert job.id not in shown


async def test_the_rows_of_the_ledger_are_counted(tmp_path: Path) -> None:
    async with opened(tmp_path) as ledger:
        head = await ledger.record(KIM, happening())
        [family] = ledger_rows(ledger)
        assert [it.value for it in family.samples] == [head.seq]
    assert list(ledger_rows(None)) == []


async def test_jobs_are_counted_by_how_they_ended_and_how_long_they_took(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        bench.write("- wait: 0.05")
        done = await bench.start()
        await bench.over(done)
        waits = await bench.jobs.submit("trial", {}, {}, done.by, held=True)
        await bench.jobs.stop(waits.id, done.by)
        shown = page(bench)
        assert 'labkeeper_jobs_ended_total{state="done"} 1.0' in shown
        assert 'labkeeper_jobs_ended_total{state="stopped"} 1.0' in shown
        assert 'labkeeper_jobs_ended_total{state="failed"} 0.0' in shown
        assert "labkeeper_job_duration_seconds_count 1.0" in shown  # the other never began
        assert 'labkeeper_job_duration_seconds_bucket{le="5"} 1.0' in shown
        assert bench.jobs.tally.durations.seconds >= 0.05
        assert done.id not in shown


async def test_a_job_that_is_stopped_as_it_begins_is_counted_once(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        bench.write("- wait: 60")
        job = await bench.jobs.submit("trial", {}, {}, LEE, held=True)
        await asyncio.gather(bench.jobs.release(job.id, LEE), bench.jobs.stop(job.id, LEE))
        await bench.over(job)
        assert bench.jobs.tally.ended.total() == 1


async def test_every_commit_is_counted_with_its_time_and_what_shares_one_counts_once(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as ledger:
        before, row = sum(ledger.commits.counts), ledger.head.seq
        await asyncio.gather(*(ledger.record(KIM, happening(it)) for it in range(50)))
        commits = sum(ledger.commits.counts) - before
        assert ledger.head.seq == row + 50
        assert 1 <= commits < 50
        [family] = ledger_commits(ledger)
        [count] = [it.value for it in family.samples if it.name.endswith("_count")]
        assert count == commits + before
    assert list(ledger_commits(None)) == []


def test_a_spread_counts_each_duration_in_the_first_bucket_that_holds_it() -> None:
    spread = Spread((1.0, 10.0))
    for seconds in (0.5, 1.0, 2.0, 11.0):
        spread.took(seconds)
    assert spread.counts == [2, 1, 1]
    assert spread.seconds == 14.5


def test_the_free_room_of_the_disk_is_shown_while_it_is_known() -> None:
    names = {it.name: it.samples[0].value for it in disk_families(Room(0.25, 5e8, "a quarter"))}
    assert names == {"labkeeper_disk_free_bytes": 5e8, "labkeeper_disk_free_ratio": 0.25}
    assert list(disk_families(None)) == []
