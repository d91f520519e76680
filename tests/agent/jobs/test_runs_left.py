"""Run folders that an agent which was ended has left: the next one closes them, and says what it knows."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, Final

import pytest

from agent.jobs.job import Job, Verdict
from agent.jobs.states import JobState
from agent.store.run_shelf import RunShelf
from agent.store.run_writer import RunWriter
from tests.agent.jobs_bench import LEE, toys
from tests.agent.runs_bench import closed_folder, manifest, runs_in_memory, table, whole

pytestmark = pytest.mark.usefixtures(toys.__name__)
__all__ = ["toys"]

FACTS: dict[str, Any] = {"job": "20260101-000000-1", "recipe": {"name": "열 시험"}}
ENDS: Final[list[tuple[int, JobState, str, Verdict]]] = [
    (1, JobState.DONE, "", "pass"),
    (2, JobState.INTERRUPTED, "the agent was cut off", "fail"),
]


async def test_what_a_killed_agent_left_is_closed_by_the_next_as_interrupted(
    tmp_path: Path,
) -> None:
    async with runs_in_memory(tmp_path) as bench:
        shelf = bench.shelf.folder
    left = RunWriter(shelf / "20260101-000000-1_열_시험", FACTS, 0.0)  # once nobody looks for any
    log = {"en": "half", "ko": "반", "level": "info"}
    await asyncio.to_thread(left.begin, {"recipe.yaml": b"name: x\n"})
    await asyncio.to_thread(left.entry, 1.0, "log", log)
    async with runs_in_memory(tmp_path) as bench:
        await bench.jobs.until(lambda: bench.ledger.told)
        folder = shelf / "20260101-000000-1_열_시험"
        found = manifest(folder)
        assert (found["state"], found["ended"]) == ("interrupted", None)
        assert [row["text (국문)"] for row in table(folder / "journal.csv")] == ["반"]
        assert (await whole(folder)).sha256 == bench.ledger.told[0].sha256
        assert not list(folder.glob(".*"))


async def test_a_folder_that_is_closed_later_says_what_is_on_record_of_its_job(
    tmp_path: Path,
) -> None:
    done, cut_off = (
        Job(
            id=f"20260101-000000-{number}", recipe="trial", version="1", sha256="", arguments={},
            devices={}, claimed=frozenset(), by=LEE, submitted=0.0, began=1.0, ended=61.0,
            state=state, why=why, verdict=verdict,
        )
        for number, state, why, verdict in ENDS
    )  # fmt: skip
    shelf = RunShelf(tmp_path / "state" / "runs")
    for job in (done, cut_off):
        left = RunWriter(shelf.folder / f"{job.id}_trial", {**FACTS, "job": job.id}, 0.0)
        await asyncio.to_thread(left.begin, {"recipe.yaml": b"name: x\n"})
    async with runs_in_memory(tmp_path, before=(done, cut_off)) as bench:
        await bench.jobs.until(lambda: len(bench.ledger.told) == 2)
        told = [it.text for it in bench.jobs.station.events.kept if it.kind == "run.interrupted"]
    assert Path(done.folder) == shelf.folder / "20260101-000000-1_trial"
    found = [manifest(Path(job.folder)) for job in (done, cut_off)]
    assert [(it["state"], it["why"], it["verdict"]) for it in found] == [
        ("done", "", "pass"),
        ("interrupted", "the agent was cut off", "fail"),
    ]
    assert {it["ended"] for it in found} == {"1970-01-01T00:01:01.000+00:00"}
    assert ["was interrupted" in it for it in told] == [False, True]


async def test_a_job_that_was_cut_off_is_told_where_its_folder_is_even_when_that_is_closed(
    tmp_path: Path,
) -> None:
    job = Job(
        id="20260101-000000-1", recipe="trial", version="1", sha256="", arguments={}, devices={},
        claimed=frozenset(), by=LEE, submitted=0.0, state=JobState.INTERRUPTED,
    )  # fmt: skip
    closed = await asyncio.to_thread(closed_folder, tmp_path / "state" / "runs", job.id)
    async with runs_in_memory(tmp_path, before=[job]) as bench:
        await bench.jobs.until(lambda: job.folder)
    assert Path(job.folder) == closed.folder
