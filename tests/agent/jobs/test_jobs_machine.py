"""Whatever people do to jobs, and whenever the agent ends: no two hold one device, every job ends once.

The database is a real file. An end in order, or one that nothing reaches the disk after, may come
between any two deeds.
"""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from contextlib import closing, suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import NotNow
from agent.jobs.states import FINAL, WAITING, JobState
from agent.store.database import NAME
from tests.agent.jobs_bench import KIM, LEE, VISITOR, JobsBench, toys
from tests.agent.ledger_bench import verdict_on
from tests.agent.restart_bench import life
from tests.agent.safety.test_leases import leases_of

pytestmark = pytest.mark.usefixtures(toys.__name__)
__all__ = ["toys"]

Lives = list[tuple[list[tuple[str, str | int | float]], bool]]
DEVICES = st.sampled_from(["psu1", "psu2"])
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
    st.tuples(st.sampled_from(["move first", "move last"]), st.integers(0, 5)),
    st.tuples(st.sampled_from(["hold all", "release all"]), st.just(0)),
    st.tuples(st.sampled_from(["stop device", "reserve", "unreserve"]), DEVICES),
    st.tuples(st.just("wait"), st.floats(0, 0.02)),
)
LIVES = st.lists(
    st.tuples(st.lists(DEEDS, min_size=2, max_size=8), st.booleans()), min_size=1, max_size=3
)


@settings(max_examples=15)
@pytest.mark.timeout(60)
@given(lives=LIVES)
def test_no_two_hold_one_device_and_every_job_ends_once_over_restarts_and_crashes(
    lives: Lives,
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(lived_through(Path(folder), lives))
        once_on_record(Path(folder))


async def lived_through(folder: Path, lives: Lives) -> None:
    known: dict[str, JobState] = {}
    was_cut_off = False
    for deeds, cut_off in lives:
        async with life(folder, cut_off=cut_off) as bench:
            taken_over(bench, known, was_cut_off=was_cut_off)
            for name, steps in RECIPES.items():
                bench.write(steps, name=name, tail=TAIL)
            for verb, what in deeds:
                await done(bench, verb, what)
                holding_is_right(bench)
            known = {job.id: job.state for job in bench.jobs.listing}
        was_cut_off = cut_off
    async with life(folder) as bench:
        taken_over(bench, known, was_cut_off=was_cut_off)
        await ended(bench)
        assert not bench.station.reservations.holders


async def ended(bench: JobsBench) -> None:
    """Let everything go on to its end."""
    for device in ("psu1", "psu2"):
        await leases_of(bench).unreserve(LEE, device)
    await bench.jobs.release_all(LEE)
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
        await bench.over(job)
        assert (job.state.is_final, job.state in WAITING) == (True, False)


def taken_over(bench: JobsBench, known: dict[str, JobState], *, was_cut_off: bool) -> None:
    """Each job that was acknowledged is there; after a crash none of them has begun or will."""
    found = {job.id: job for job in bench.jobs.listing}
    assert found.keys() == known.keys()
    for job, state in known.items():
        if state.is_final and not was_cut_off:
            assert found[job].state is state
        if was_cut_off:
            assert found[job].state in {*FINAL, JobState.HELD}


def once_on_record(folder: Path) -> None:
    """One final state of each job; `finally` ran if a step had begun and no end of the agent came."""
    query = "SELECT job, kind, action, after ->> 'en' FROM entries WHERE kind IN ('job', 'step') AND job != ''"
    with closing(sqlite3.connect(folder / NAME)) as connection:
        rows = connection.execute(query).fetchall()
    told: dict[str, list[str]] = {}
    for job, kind, action, line in rows:
        word = f"step {action}" if kind == "step" else line if action == "log" else action
        told.setdefault(job, []).append(word)
    for actions in told.values():
        final = [action for action in actions if action in set(FINAL)]
        assert len(final) == 1, actions
        if final[0] != JobState.INTERRUPTED:
            begun = actions.count("step begun") > 0
            assert actions.count("finally") == int(begun), actions
    assert verdict_on(folder).is_whole


async def done(bench: JobsBench, verb: str, what: str | int | float) -> None:
    """Do one thing, as far as it is possible now."""
    match verb:
        case "submit":
            await bench.start(name=str(what))
        case "wait":
            await asyncio.sleep(float(what))
        case "stop device":
            await bench.station.station.gate.stop(VISITOR, str(what))
        case "reserve":
            await leases_of(bench).reserve(LEE, str(what), 60, "by hand")
        case "unreserve":
            await leases_of(bench).unreserve(LEE, str(what))
        case "hold all":
            await bench.jobs.hold_all(KIM)
        case "release all":
            await bench.jobs.release_all(KIM)
        case "move first" | "move last" if bench.jobs.listing:
            job = bench.jobs.listing[int(what) % len(bench.jobs.listing)]
            with suppress(NotNow):
                await bench.jobs.move(job.id, "first" if "first" in verb else "last", KIM)
        case _ if bench.jobs.listing:
            job = bench.jobs.listing[int(what) % len(bench.jobs.listing)]
            with suppress(NotNow):
                await getattr(bench.jobs, verb)(job.id, KIM)


def holding_is_right(bench: JobsBench) -> None:
    """Each device is held by the one job that runs on it, and by no job that does not run."""
    running = [it for it in bench.jobs.listing if it.began and not it.state.is_final]
    claimed = [device for job in running for device in job.claimed]
    assert not set(claimed) & bench.station.reservations.leases.keys()
    assert len(claimed) == len(set(claimed))
    held = {device: holder.job for device, holder in bench.station.reservations.holders.items()}
    assert {device: job.id for job in running for device in job.claimed}.items() <= held.items()
