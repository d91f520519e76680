"""Which of the jobs that have ended are still listed: those that ended last, not those begun last."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.jobs import restart
from agent.jobs.states import JobState
from tests.agent.jobs_bench import KIM, toys
from tests.agent.restart_bench import life

pytestmark = pytest.mark.usefixtures(toys.__name__)
__all__ = ["toys"]


async def test_a_long_job_is_listed_after_its_end_though_many_later_ones_have_ended(
    tmp_path: Path,
) -> None:
    async with life(tmp_path, kept=2) as bench:
        bench.jobs._turns._most = 2
        bench.write("- set: {supply.voltage: 1}\n- confirm: Ready?\n  as: ready", name="long")
        bench.write("- log: x")
        long = await bench.start(name="long")
        question = await bench.until_asked()
        short = [await bench.over(await bench.start()) for _ in range(4)]
        await bench.jobs.answer(question.id, True, KIM)
        assert (await bench.over(long)).state is JobState.DONE
        assert {it.id for it in bench.jobs.listing} == {long.id, short[-1].id}
    async with life(tmp_path, kept=2) as bench:
        assert {it.id for it in bench.jobs.listing} == {long.id, short[-1].id}
        assert bench.jobs.get(long.id).state is JobState.DONE


async def test_a_job_that_has_just_ended_is_listed_though_the_clock_was_set_back(
    tmp_path: Path,
) -> None:
    async with life(tmp_path, kept=1) as bench:
        bench.jobs._turns._most = 1
        bench.write("- log: x")
        future = await bench.over(await bench.start())
        future.ended = 4e9  # as a clock had it that was a century ahead
        job = await bench.over(await bench.start())
        assert bench.jobs.get(job.id) is job


async def test_a_job_that_was_cut_off_is_judged_by_all_its_rows_however_many_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with life(tmp_path, cut_off=True) as bench:
        bench.write("""
            - set: {supply.output: true}
            - repeat: {times: 20}
              steps:
                - measure: {good: {value: supply.voltage, high: 9}}
            - measure: {bad: {value: supply.voltage, low: 5}}
            - wait: 9
        """)
        job = await bench.start()
        await bench.until_at(job, "steps.3")
    monkeypatch.setattr(restart, "ROWS_AT_ONCE", 7)
    async with life(tmp_path) as bench:
        found = bench.jobs.get(job.id)
        assert (found.state, found.verdict) == (JobState.INTERRUPTED, "fail")
        assert [it.name for it in found.measures] == ["good"] * 20 + ["bad"]
        assert (found.progress.begun, found.progress.ended) == (24, 23)
