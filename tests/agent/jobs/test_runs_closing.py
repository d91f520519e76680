"""What goes wrong as the folder of a run is closed costs that run a part, and nobody else anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.store import run_columns
from tests.agent.jobs_bench import toys
from tests.agent.runs_bench import manifest, runs_in_memory, whole

pytestmark = pytest.mark.usefixtures(toys.__name__)
__all__ = ["toys"]

RECORDS = "- record: [supply.temperature]\n  every: 50 ms\n  steps:\n    - wait: 0.2"


async def test_a_library_that_fails_costs_a_run_its_other_forms_and_says_so_in_the_manifest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> list[str]:
        raise ImportError("libarrow.so: cannot open shared object file")

    monkeypatch.setattr(run_columns, "is_possible", lambda: True)
    monkeypatch.setattr(run_columns, "write", broken)
    async with runs_in_memory(tmp_path, "parquet") as bench:
        bench.jobs.write(RECORDS)
        folder = await bench.folder(await bench.jobs.start())
        await whole(folder)
        assert "libarrow.so" in " ".join(manifest(folder)["notes"])


async def test_a_defect_in_closing_a_folder_is_said_and_ends_neither_agent_nor_later_jobs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a defect of ours")

    async with runs_in_memory(tmp_path) as bench:
        bench.jobs.write("- set: {supply.voltage: 1}")
        with monkeypatch.context() as defect:
            defect.setattr("agent.jobs.runs.run_records.known_at_last", broken)
            job = await bench.jobs.over(await bench.jobs.start())
        text = await bench.jobs.station.until_event("run.failed")
        assert f"{job.folder} could not be closed: a defect of the agent" in text
        assert "the next start of the agent closes it" in text
        await whole(await bench.folder(await bench.jobs.start()))
