"""Jobs, questions and the ledger on the metrics page, without the name of a job."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from agent.clock import SystemClock
from agent.jobs.running.pace import Pace
from agent.jobs.states import JobState
from agent.metrics import page_of
from agent.metrics.disk import disk_families
from agent.metrics.ledger import ledger_commits, ledger_rows
from agent.spread import Spread
from agent.store.disk_watch import Room
from tests.agent.jobs_bench import LEE, JobsBench, jobs_in_memory, toys
from tests.agent.ledger_bench import KIM, happening, opened
from tests.agent.metrics_bench import scraped
from tests.agent.restart_bench import life

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


async def test_openmetrics_names_the_last_job_of_each_end_and_duration_and_the_other_form_none(
    tmp_path: Path,
) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        bench.write("- log: {en: Short., ko: 짧습니다.}")
        jobs = [await bench.over(await bench.start()) for _ in range(2)]
        whole = page_of(bench.station.station, None).page
        lines = whole.text("openmetrics").decode().splitlines()
        named = [line for line in lines if f'# {{job="{jobs[1].id}"}} ' in line]
        assert [line.partition(" ")[0] for line in named] == [
            'labkeeper_jobs_ended_total{state="done"}',
            'labkeeper_job_duration_seconds_bucket{le="1"}',
        ]
        assert not [line for line in lines if jobs[0].id in line]
        assert jobs[1].id not in whole.text().decode()
        assert 'labkeeper_jobs_judged_total{verdict="none"} 2.0' in lines


async def test_the_step_of_a_job_is_told_with_what_it_may_take_as_long_as_it_runs(
    tmp_path: Path,
) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        bench.write("- parallel: {a: [{wait: 30}], b: [{confirm: Sure?}]}")
        job = await bench.start()
        question = await bench.until_asked()
        assert "labkeeper_job_step_seconds{" not in page(bench)  # a person is waited for
        await bench.jobs.answer(question.id, value=True, actor=LEE)
        await bench.until(lambda: len(job.progress.now) == 2)
        assert 'labkeeper_job_step_expected_seconds{device=""} 30.0' in page(bench)
        step = job.step()
        assert step is not None
        assert 0 <= step.elapsed < 30
        await bench.jobs.pause(job.id, LEE)
        await bench.until_state(job, JobState.PAUSED)
        assert "labkeeper_job_step_seconds{" not in page(bench)
        await bench.jobs.resume(job.id, LEE)
        assert "labkeeper_job_step_seconds{" in page(bench)
        await bench.jobs.stop(job.id, LEE)


async def test_a_command_may_take_what_its_driver_says_and_its_device_has_a_job(
    tmp_path: Path,
) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        bench.write("- do: supply.ramp\n  with: {to: 1, seconds: 3}")
        assert 'labkeeper_device_jobs{device="psu1"} 0.0' in page(bench)
        job = await bench.start()
        await bench.until(job.step)
        shown = page(bench)
        assert 'labkeeper_job_step_expected_seconds{device="psu1"} 5.0' in shown
        assert 'labkeeper_device_jobs{device="psu1"} 1.0' in shown
        await bench.jobs.stop(job.id, LEE)


async def test_a_queue_that_is_held_and_its_oldest_job_are_told(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        bench.write("- wait: 60")
        shown = page(bench)
        assert "labkeeper_queue_held 0.0" in shown
        assert "\nlabkeeper_queue_oldest_timestamp_seconds " not in shown
        await bench.jobs.hold_all(LEE)
        oldest = await bench.jobs.submit("trial", {}, {}, LEE)
        await bench.jobs.submit("trial", {}, {}, LEE)
        shown = page(bench)
        assert "labkeeper_queue_held 1.0" in shown
        found = scraped(page_of(bench.station.station, None).page)
        assert found["labkeeper_queue_oldest_timestamp_seconds", ()] == oldest.submitted


async def test_what_an_agent_holds_that_was_cut_off_before_it_is_told_until_a_person_decides(
    tmp_path: Path,
) -> None:
    async with life(tmp_path, cut_off=True) as before:
        before.write("- wait: 60")
        await before.jobs.hold_all(LEE)
        mine = await before.jobs.submit("trial", {}, {}, LEE, held=True)
        waits = [await before.jobs.submit("trial", {}, {}, LEE) for _ in range(3)]
        assert "labkeeper_jobs_held_by_agent 0.0" in page(before)
    async with life(tmp_path, cut_off=True) as crashed_again:
        assert "labkeeper_jobs_held_by_agent 3.0" in page(crashed_again)
    async with life(tmp_path) as bench:
        assert bench.jobs.get(mine.id).state is JobState.HELD
        assert "labkeeper_jobs_held_by_agent 3.0" in page(bench)
        await bench.jobs.hold(waits[0].id, LEE)
        await bench.jobs.stop(waits[1].id, LEE)
        assert "labkeeper_jobs_held_by_agent 1.0" in page(bench)
        await bench.jobs.release(waits[2].id, LEE)
        assert "labkeeper_jobs_held_by_agent 0.0" in page(bench)
        assert f'labkeeper_jobs{{state="{JobState.HELD}"}} 2.0' in page(bench)


async def test_a_job_that_is_held_as_its_recipe_has_changed_is_told(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        bench.write("- wait: 60")
        await bench.jobs.hold_all(LEE)
        job = await bench.jobs.submit("trial", {}, {}, LEE)
        bench.write("- wait: 61")
        await bench.jobs.release_all(LEE)
        await bench.until_state(job, JobState.HELD)
        assert "labkeeper_jobs_held_by_agent 1.0" in page(bench)


async def test_a_pace_stands_still_in_a_pause() -> None:
    clock = HandClock(100.0)
    pace = Pace(clock, lambda: None)
    assert pace.time == 100
    clock.now = 110
    pace.pause()
    clock.now = 130
    assert pace.time == 110
    pace.pause()
    pace.resume()
    clock.now = 135
    assert pace.time == 115
    pace.resume()
    assert pace.time == 115


class HandClock(SystemClock):
    """A clock that stands where the test sets it."""

    def __init__(self, now: float) -> None:
        self.now = now

    def monotonic(self) -> float:
        return self.now


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


def test_the_free_room_of_the_disk_is_shown_while_it_is_known_and_always_since_when_it_is_silent() -> (
    None
):
    disk: Any = SimpleNamespace(
        room=Room(0.25, 5e8, "a quarter"), probe=SimpleNamespace(silent=12.0)
    )
    names = {it.name: it.samples[0].value for it in disk_families(disk)}
    assert names == {
        "labkeeper_disk_silent_seconds": 12.0,
        "labkeeper_disk_free_bytes": 5e8,
        "labkeeper_disk_free_ratio": 0.25,
    }
    disk.room = None  # it hangs
    assert [it.name for it in disk_families(disk)] == ["labkeeper_disk_silent_seconds"]
    assert list(disk_families(None)) == []
