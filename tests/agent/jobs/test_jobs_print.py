"""Prints as steps of jobs: what a printer refuses, and whose plate is taken."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from agent.jobs.running import print_work
from agent.jobs.states import JobState
from drivers import command
from drivers.errors import DeviceError, RequestError
from tests.agent.jobs_bench import (
    KIM,
    JobsBench,
    PausablePrinter,
    jobs_in_memory,
    pausable_printer,
    toys,
)

pytestmark = pytest.mark.usefixtures(toys.__name__)
__all__ = ["toys"]


class Moody(PausablePrinter):
    """A printer that refuses to pause or resume while its knob says so; 2 is worse."""

    @command(timeout=5, anytime=True)
    async def pause(self) -> None:
        """Pause it."""
        await self._agree("!pause")
        await super().pause()

    @command(timeout=5, anytime=True)
    async def resume(self) -> None:
        """Go on."""
        await self._agree("!resume")
        await super().resume()

    async def _agree(self, what: str) -> None:
        mood = await self.wire.ask("mood?")
        if mood == "1":
            raise RequestError(f"{what}: it is homing")
        if mood == "2":
            raise DeviceError(f"{what}: it has jammed")


MOODY = replace(pausable_printer(), driver_class=Moody)


def knobs(bench: JobsBench) -> dict[str, float]:
    """What the printer's simulator is told by."""
    return bench.station.simulators["printer1"].values


def prints(bench: JobsBench, folder: Path) -> None:
    """Write a recipe that prints a part on a printer with a mood."""
    (folder / "files" / "part.gcode").write_text("G28\nG1 X1\n")
    bench.write("- print: part.gcode\n  on: printer")
    knobs(bench)["mood"] = 0


async def test_a_pause_that_the_printer_refuses_ends_no_print_and_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(print_work, "RETRY_S", 0.05)
    async with jobs_in_memory(tmp_path, MOODY) as bench:
        prints(bench, tmp_path)
        job = await bench.start()
        await bench.until(lambda: knobs(bench)["state"] == 1)
        knobs(bench)["mood"] = 1
        await bench.jobs.pause(job.id, KIM)
        await bench.until(lambda: bench.logged(job))
        assert "takes no pause now" in bench.logged(job)[0]
        assert "it is homing" in bench.logged(job)[0]
        assert (job.state, knobs(bench)["state"]) == (JobState.PAUSING, 1)
        knobs(bench)["mood"] = 0
        await bench.until_state(job, JobState.PAUSED)
        assert knobs(bench)["state"] == 2
        knobs(bench)["mood"] = 1
        await bench.jobs.resume(job.id, KIM)
        await bench.until(lambda: len(bench.logged(job)) == 2)
        knobs(bench)["mood"] = 0
        await bench.until(lambda: knobs(bench)["state"] == 1)
        knobs(bench)["ends"] = 1
        assert (await bench.over(job)).state is JobState.DONE
        assert len(bench.logged(job)) == 2


async def test_a_print_that_ends_before_its_pause_is_taken_has_ended_well(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path, MOODY) as bench:
        prints(bench, tmp_path)
        job = await bench.start()
        await bench.until(lambda: knobs(bench)["state"] == 1)
        knobs(bench)["mood"] = 1
        await bench.jobs.pause(job.id, KIM)
        await bench.until(lambda: bench.logged(job))
        knobs(bench)["ends"] = 1
        await bench.until(lambda: knobs(bench)["state"] == 0)
        await bench.jobs.resume(job.id, KIM)
        assert (await bench.over(job)).state is JobState.DONE


async def test_a_pause_that_went_wrong_ends_the_job(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path, MOODY) as bench:
        prints(bench, tmp_path)
        job = await bench.start()
        await bench.until(lambda: knobs(bench)["state"] == 1)
        knobs(bench)["mood"] = 2
        await bench.jobs.pause(job.id, KIM)
        assert (await bench.over(job)).state is JobState.FAILED
        assert "it has jammed" in job.why
