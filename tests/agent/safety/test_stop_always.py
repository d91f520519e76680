"""A stop needs no job engine, no ledger, no disk, and no neighbour that answers."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.fleet.samples import Status
from agent.fleet.states import DeviceState
from agent.jobs.states import JobState
from drivers import command
from tests.agent.bench import PLAN, ToySupply, named, station_in_memory
from tests.agent.jobs_bench import KIM, LEE, jobs_in_memory, toys
from tests.agent.record_bench import VISITOR, recorded

__all__ = ["toys"]
pytestmark = pytest.mark.usefixtures(toys.__name__)
SOON_S = 5.0


class Stuck(ToySupply):
    """A toy whose command never ends by itself."""

    @command(timeout=3600)
    async def wait_for_ever(self) -> None:
        """Wait."""
        await asyncio.Event().wait()


async def test_of_sixteen_the_one_that_hangs_and_the_one_that_is_gone_are_named() -> None:
    names = [f"psu{number}" for number in range(1, 17)]
    async with station_in_memory(*map(named, names)) as bench:
        for name in names:
            bench.simulators[name].values["outp"] = 1.0
        bench.simulators["psu2"].unplugged = True
        await bench.until_state("psu2", DeviceState.OFFLINE)
        bench.simulators["psu1"].silent = True
        gate = bench.station.gate
        async with asyncio.timeout(20):
            outcomes = await asyncio.gather(*(gate.stop(VISITOR, name) for name in names))
        unsafe = [n for n, it in zip(names, outcomes, strict=True) if it.status is not Status.DONE]
        assert unsafe == ["psu1", "psu2"]
        assert all(bench.simulators[name].values["outp"] == 0.0 for name in names[2:])
        stops = [it.device for it in bench.events.kept if it.kind.startswith("stop.")]
        assert stops[-1] == "psu1", "the one that hangs holds nobody up"


async def test_a_stop_works_while_a_step_of_a_job_never_ends(tmp_path: Path) -> None:
    stuck = replace(PLAN, driver_class=Stuck)
    async with station_in_memory(stuck) as bench, asyncio.TaskGroup() as tasks:
        bench.simulators["psu1"].values["outp"] = 1.0
        waiting = tasks.create_task(bench.station.gate.do(LEE, "psu1", "wait_for_ever", {}))
        await bench.until_state("psu1", DeviceState.BUSY)
        async with asyncio.timeout(SOON_S):
            outcome = await bench.station.gate.stop(VISITOR, "psu1")
        assert outcome.status is Status.DONE
        assert bench.simulators["psu1"].values["outp"] == 0.0
        assert (await waiting).status is Status.UNKNOWN


async def test_a_stop_works_while_the_journal_of_jobs_never_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        let_go = asyncio.Event()

        async def hang(*_: object, **__: object) -> None:
            await let_go.wait()

        bench.write("- set: {supply.output: true}\n- wait: 1 h")
        job = await bench.start()
        await bench.until(lambda: bench.station.simulators["psu1"].values["outp"] == 1.0)
        monkeypatch.setattr(bench.journal, "add", hang)
        async with asyncio.timeout(SOON_S):
            outcome = await bench.station.station.gate.stop(KIM, "psu1")
        assert outcome.status is Status.DONE
        assert bench.station.simulators["psu1"].values["outp"] == 0.0
        let_go.set()
        monkeypatch.undo()
        assert (await bench.over(job)).state is JobState.STOPPED


async def test_a_stop_works_while_the_thread_of_the_ledger_hangs(tmp_path: Path) -> None:
    async with recorded(tmp_path) as it, asyncio.TaskGroup() as tasks:
        it.toy.values["outp"] = 1.0
        let_go, hangs = threading.Event(), threading.Event()

        def hang(_: Any) -> None:
            hangs.set()
            let_go.wait(20)

        writing = tasks.create_task(it.ledger._database.write(hang, "nothing"))
        try:
            await asyncio.to_thread(hangs.wait, 5)
            async with asyncio.timeout(SOON_S):
                outcome = await it.gate.stop(VISITOR, "psu1")
            assert outcome.status is Status.DONE
            assert it.toy.values["outp"] == 0.0
            assert not writing.done()
        finally:
            let_go.set()


@pytest.mark.parametrize("trouble", ["full", "gone"])
async def test_a_stop_works_while_the_database_takes_nothing(tmp_path: Path, trouble: str) -> None:
    async with recorded(tmp_path) as it:
        it.toy.values["outp"] = 1.0
        database = it.ledger._database
        if trouble == "full":
            await database.write(lambda c: c.execute("PRAGMA max_page_count = 1"), "a limit")
            while (await it.gate.set(KIM, "psu1", "voltage", 1)).status is Status.DONE:
                pass
        else:
            database._failure = "disk I/O error"
        refused = await it.gate.set(KIM, "psu1", "voltage", 5)
        assert refused.status is Status.FAILED
        assert "what is not on record is not done" in refused.message
        async with asyncio.timeout(SOON_S):
            outcome = await it.gate.stop(VISITOR, "psu1")
        assert outcome.status is Status.DONE
        assert it.toy.values["outp"] == 0.0
