"""Whatever a recipe says, and whatever befalls its devices and it: the job ends once, and lets go."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from agent.errors import NotNow
from agent.jobs.checks.check import Checked, check
from agent.jobs.job import Job
from agent.jobs.language.expressions import Value
from agent.jobs.recipes.library import Entry, Library, read_library
from agent.jobs.states import FINAL
from agent.settings import Station, load
from tests.agent.bench import PLAN, Bench, named, station_in_memory
from tests.agent.fleet.test_quarantine import LoopClock
from tests.agent.jobs_bench import KIM, LEE, STATION, _device, toys
from tests.agent.random_recipes import Steps, inner, lists, recipe
from tests.drivers.virtual_time import run

pytestmark = [pytest.mark.usefixtures(toys.__name__), pytest.mark.timeout(120)]
__all__ = ["toys"]

BOTH = ("supply", "other")
DEVICES = st.sampled_from(["psu1", "psu2"])
KNOBS = st.sampled_from(["unplugged", "silent", "refuses_all"])
DEEDS = st.one_of(
    st.tuples(st.sampled_from(["stop", "pause", "resume"]), st.integers(0, 1)),
    st.tuples(st.just("stop device"), DEVICES),
    st.tuples(KNOBS, DEVICES),
    st.tuples(st.just("mend"), DEVICES),
)
MOMENTS = st.sampled_from([0.0, 0.01, 0.06, 0.3])


class Virtual(LoopClock):
    """Time goes on in every sleep: a loop lets what is due in less than a nanosecond be due now."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(seconds, 1e-6) if seconds > 0 else 0)


@dataclass
class Ready:
    """Recipes that were read and checked before: nothing here reads a file."""

    station: Station
    read: Library

    async def library(self) -> Library:
        return self.read

    async def check(
        self,
        entry: Entry,
        library: Library,
        devices: Mapping[str, str],
        arguments: Mapping[str, Value],
    ) -> Checked:
        return check(entry, self.station, library, devices=devices, arguments=arguments)


def prepared(folder: Path, *bodies: Steps) -> Ready:
    """The recipes `r0`, `r1` … with these steps."""
    (folder / "recipes").mkdir()
    made = [inner(role) for role in BOTH]
    for number, body in enumerate(bodies):
        ending: dict[str, Steps] = {"finally": [{"log": "finally"}, {"wait": 0.01}]}
        made.append(recipe(f"r{number}", body, **ending))
    for it in made:
        (folder / "recipes" / f"{it['name']}.yaml").write_text(json.dumps(it))
    (folder / "station.yaml").write_text(STATION)
    devices = {plan.name: _device(plan) for plan in (PLAN, named("psu2"))}
    station = replace(load(folder / "station.yaml"), devices=devices)
    library = read_library(folder / "recipes")
    assert library.problems == ()
    for entry in library.recipes.values():
        assert check(entry, station, library).problems == ()
    return Ready(station, library)


@settings(
    max_examples=60,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # to shrink takes minutes
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(
    first=lists(BOTH),
    second=lists(BOTH),
    deeds=st.lists(st.tuples(MOMENTS, DEEDS), max_size=8),
)
def test_every_job_ends_once_runs_its_finally_and_lets_its_devices_go(
    first: Steps, second: Steps, deeds: list[tuple[float, tuple[str, Any]]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        ready = prepared(Path(folder), first, second)
        run(lived_through(ready, deeds))


async def lived_through(ready: Ready, deeds: list[tuple[float, tuple[str, Any]]]) -> None:
    plans = (PLAN, named("psu2"))
    async with station_in_memory(*plans, clock=Virtual(), recipes=ready) as bench:
        jobs = [await bench.jobs.submit(f"r{number}", {}, {}, LEE) for number in (0, 1)]
        for moment, (verb, what) in deeds:
            await asyncio.sleep(moment)
            await done(bench, jobs, verb, what)
        for device in bench.simulators:
            mend(bench, device)
        for job in jobs:
            with suppress(NotNow):
                await bench.jobs.resume(job.id, KIM)
            await asyncio.wait_for(bench.jobs.until_over(job.id), 300)  # of virtual time
        await holds_nothing(bench)
        for job in jobs:
            ended_once(bench, job)


async def done(bench: Bench, jobs: list[Job], verb: str, what: Any) -> None:
    """Do one thing, as far as it is possible now."""
    match verb:
        case "stop device":
            await bench.station.gate.stop(KIM, what)
        case "stop" | "pause" | "resume":
            with suppress(NotNow):
                await getattr(bench.jobs, verb)(jobs[what].id, KIM)
        case "mend":
            mend(bench, what)
        case knob:
            setattr(bench.simulators[what], knob, True)


def mend(bench: Bench, device: str) -> None:
    for knob in ("unplugged", "silent", "refuses_all"):
        setattr(bench.simulators[device], knob, False)


async def holds_nothing(bench: Bench) -> None:
    """No device is held, and none is commanded although time goes on."""
    assert not bench.reservations.holders
    before = commands(bench)
    await asyncio.sleep(5)
    assert commands(bench) == before


def commands(bench: Bench) -> dict[str, list[str]]:
    """What each device was told, questions left out."""
    return {
        name: [it for it in simulator.asked if " " in it]
        for name, simulator in bench.simulators.items()
    }


def ended_once(bench: Bench, job: Job) -> None:
    """One final state, and `finally` once where a step had begun; only a second stop of it cuts that."""
    kinds = [it.kind for it in bench.events.kept if it.data.get("job") == job.id]
    assert [kind for kind in kinds if kind.removeprefix("job.") in FINAL] == [f"job.{job.state}"]
    assert job.ended is not None
    began = bool(bench.journal.entries(job.id, "step"))
    said = [it.en for it in job.log].count("finally")
    assert said <= began
    if kinds.count("job.stopping") <= 1:
        assert said == began
    assert job.progress.now == ()
    if job.state != "done" and job.began is not None:
        assert set(job.safe) == set(job.claimed)
