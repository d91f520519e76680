"""Jobs, questions and the ledger on the metrics page, without the name of a job."""

from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from agent.jobs.states import JobState
from agent.metrics import collector_of
from agent.metrics.ledger import ledger_rows
from tests.agent.jobs_bench import JobsBench, jobs_in_memory, toys
from tests.agent.ledger_bench import KIM, happening, opened

pytestmark = pytest.mark.usefixtures(toys.__name__)
__all__ = ["toys"]


def page(bench: JobsBench) -> str:
    registry = CollectorRegistry()
    registry.register(collector_of(bench.station.station, None))
    return generate_latest(registry).decode()


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
