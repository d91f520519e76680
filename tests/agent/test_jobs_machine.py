"""Whatever people do to jobs in whatever order: no two hold one device, and every job ends once."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import NotNow
from agent.jobs.job import Job
from agent.jobs.states import WAITING
from tests.agent.jobs_bench import KIM, VISITOR, JobsBench, jobs_in_memory, toys

pytestmark = pytest.mark.usefixtures(toys.__name__)
__all__ = ["toys"]

TAIL = "finally:\n  - log: finally"
RECIPES = {
    "one": "- set: {supply.output: true}\n- wait: 0.02",
    "other": "- set: {other.output: true}\n- wait: 0.02",
    "both": "- parallel:\n    a:\n      - set: {supply.voltage: 1}\n      - wait: 0.03\n"
    "    b:\n      - set: {other.voltage: 1}\n- wait: 0.01",
    "fails": "- set: {supply.output: true}\n- fail: enough",
}
DEEDS = st.one_of(
    st.tuples(st.just("submit"), st.sampled_from(sorted(RECIPES))),
    st.tuples(st.sampled_from(["stop", "pause", "resume", "hold", "release"]), st.integers(0, 5)),
    st.tuples(st.just("stop device"), st.sampled_from(["psu1", "psu2"])),
    st.tuples(st.just("wait"), st.floats(0, 0.02)),
)


@settings(max_examples=25)
@given(deeds=st.lists(DEEDS, min_size=3, max_size=12))
def test_no_two_jobs_hold_one_device_and_every_job_ends_once(
    deeds: list[tuple[str, str | int | float]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(lived_through(Path(folder), deeds))


async def lived_through(folder: Path, deeds: list[tuple[str, str | int | float]]) -> None:
    async with jobs_in_memory(folder) as bench:
        for name, steps in RECIPES.items():
            bench.write(steps, name=name, tail=TAIL)
        for verb, what in deeds:
            await done(bench, verb, what)
            holding_is_right(bench)
        for job in bench.jobs.listing:
            with suppress(NotNow):
                await bench.jobs.release(job.id, KIM)
        while unfinished := [it for it in bench.jobs.listing if not it.state.is_final]:
            for job in unfinished:
                with suppress(NotNow):
                    await bench.jobs.resume(job.id, KIM)
            holding_is_right(bench)
            await asyncio.sleep(0.002)
        for job in bench.jobs.listing:
            ended_once(bench, job)
        assert not bench.station.reservations.holders


async def done(bench: JobsBench, verb: str, what: str | int | float) -> None:
    """Do one thing, as far as it is possible now."""
    match verb:
        case "submit":
            await bench.start(name=str(what))
        case "wait":
            await asyncio.sleep(float(what))
        case "stop device":
            await bench.station.station.gate.stop(VISITOR, str(what))
        case _ if bench.jobs.listing:
            job = bench.jobs.listing[int(what) % len(bench.jobs.listing)]
            with suppress(NotNow):
                await getattr(bench.jobs, verb)(job.id, KIM)


def holding_is_right(bench: JobsBench) -> None:
    """Each device is held by the one job that runs on it, and by no job that does not run."""
    running = [it for it in bench.jobs.listing if it.began and not it.state.is_final]
    claimed = [device for job in running for device in job.claimed]
    assert len(claimed) == len(set(claimed))
    held = {device: holder.job for device, holder in bench.station.reservations.holders.items()}
    assert {device: job.id for job in running for device in job.claimed}.items() <= held.items()


def ended_once(bench: JobsBench, job: Job) -> None:
    """One final state; `finally` ran once if a step had begun, and never otherwise."""
    kinds = [it.kind for it in bench.station.events.kept if it.data.get("job") == job.id]
    final = [kind for kind in kinds if kind == f"job.{job.state}"]
    assert (len(final), job.state.is_final, job.state in WAITING) == (1, True, False)
    said = bench.logged(job)
    assert len(said) <= 1
    if job.state in ("done", "failed"):
        assert said == ["finally"]
    if job.began is None:
        assert said == []
