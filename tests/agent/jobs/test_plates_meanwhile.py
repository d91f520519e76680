"""A plate on which two would print: what the one gives up does not unmark what the other has begun."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.errors import NotNow
from agent.fleet.samples import Cause
from agent.jobs.keeping.notes import Notes
from tests.agent.jobs.test_plates import (
    PART,
    asked_directly,
    clear,
    is_clear,
    knobs,
    printed_directly,
    printing_lab,
)
from tests.agent.jobs_bench import KIM, JobsBench, pausable_printer, toys
from tests.agent.restart_bench import life

pytestmark = pytest.mark.usefixtures(toys.__name__)
__all__ = ["toys"]


async def noted(bench: JobsBench) -> Notes:
    """The notes of a job that has ended."""
    job = await bench.ran("- log: hello")
    its = bench.station
    return Notes(job, bench.journal, its.events, its.station.clock)


@pytest.mark.parametrize("who", ["a job", "somebody at the printer"])
async def test_a_print_that_was_refused_unmarks_no_plate_that_another_print_has_taken_meanwhile(
    tmp_path: Path, who: str
) -> None:
    async with printing_lab(tmp_path) as bench:
        plates, notes = bench.jobs.plates, await noted(bench)
        assert await plates.begin(KIM, "printer1") == ""
        if who == "a job":
            await plates.take("printer1", notes)
        else:
            knobs(bench)["state"] = 1
            await bench.until(lambda: "printer1" in plates.printing)
        await plates.end(KIM, "printer1", was_begun=False)
        assert not is_clear(bench)
        knobs(bench)["state"] = 0
        await clear(bench)
        assert is_clear(bench)


async def test_a_job_whose_print_was_refused_unmarks_no_plate_that_is_being_printed_on(
    tmp_path: Path,
) -> None:
    async with printing_lab(tmp_path) as bench:
        plates, notes = bench.jobs.plates, await noted(bench)
        await plates.take("printer1", notes)
        knobs(bench)["state"] = 1
        await bench.until(lambda: "printer1" in plates.printing)
        await plates.clear("printer1", notes)
        assert not is_clear(bench)


async def test_nobody_clears_a_plate_on_which_a_print_is_about_to_begin(tmp_path: Path) -> None:
    async with printing_lab(tmp_path) as bench:
        await bench.jobs.plates.begin(KIM, "printer1")
        with pytest.raises(NotNow, match="prints"):
            await clear(bench)
        await bench.jobs.plates.end(KIM, "printer1", was_begun=False)
        assert is_clear(bench)


async def test_a_print_seen_before_the_jobs_of_before_are_known_is_kept_as_soon_as_they_are(
    tmp_path: Path,
) -> None:
    async with life(tmp_path, pausable_printer(), begun=False) as bench:
        bench.jobs.plates.closed_because = lambda: "the disk hangs"
        await bench.jobs.plates.seen("printer1")
        bench.jobs.plates.closed_because = lambda: ""
        await bench.jobs.begin()
    async with life(tmp_path, pausable_printer()) as bench:
        assert not is_clear(bench)


async def test_a_print_that_is_refused_for_its_plate_is_on_record_with_who_asked_and_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[tuple[object, ...]] = []
    async with printing_lab(tmp_path) as bench:
        monkeypatch.setattr(bench.station.record, "refused", lambda *asked: heard.append(asked))
        await printed_directly(bench)
        refused = await asked_directly(bench)
        assert heard == [(KIM, "do", "printer1.print", PART, refused.message)]
        await clear(bench)
        assert await bench.jobs.plates.begin(KIM, "printer1") == ""
        refused = await asked_directly(bench)
        assert refused.cause is Cause.BUSY
        assert heard[1:] == [(KIM, "do", "printer1.print", PART, refused.message)]
