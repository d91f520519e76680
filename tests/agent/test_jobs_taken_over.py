"""What is left by the agent before is taken over whole, or nothing begins and nothing is forgotten."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from agent.jobs.job import Job
from agent.jobs.ledger_book import LedgerBook
from agent.jobs.states import JobState
from tests.agent.jobs_bench import toys
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
