"""Plates: every print marks one, whoever begins it, and none begins on one that may not be clear."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from agent.errors import AgentError, NoSuchThing, NotAllowed, NotNow
from agent.fleet.samples import Cause, Outcome, Status
from agent.jobs.keeping.book import MemoryBook, UnwritableBook
from agent.jobs.plates import Plates
from agent.jobs.states import JobState
from agent.store.store_errors import NotRecorded
from agent.web.api import build_api
from tests.agent.jobs_bench import (
    KIM,
    VISITOR,
    JobsBench,
    jobs_in_memory,
    pausable_printer,
    toys,
)
from tests.agent.web_bench import SETTINGS, TOKEN

pytestmark = pytest.mark.usefixtures(toys.__name__)
__all__ = ["toys"]

PART = {"file": "part.gcode"}


@asynccontextmanager
async def printing_lab(folder: Path) -> AsyncIterator[JobsBench]:
    async with jobs_in_memory(folder, pausable_printer()) as bench:
        (folder / "files" / "part.gcode").write_text("G28\nG1 X1\n")
        bench.write("- print: part.gcode\n  on: printer")
        yield bench


@asynccontextmanager
async def asking(bench: JobsBench) -> AsyncIterator[httpx.AsyncClient]:
    api = build_api(bench.station.station, SETTINGS, TOKEN)

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        await api({**scope, "state": {}}, receive, send)

    base, bearer = "http://127.0.0.1:8080/api/v1", {"Authorization": f"Bearer {TOKEN}"}
    over = httpx.ASGITransport(app=served)
    async with httpx.AsyncClient(transport=over, base_url=base, headers=bearer) as client:
        yield client


def knobs(bench: JobsBench) -> dict[str, float]:
    return bench.station.simulators["printer1"].values


async def asked_directly(bench: JobsBench) -> Outcome:
    return await bench.station.station.gate.do(KIM, "printer1", "print", PART)


async def printed_directly(bench: JobsBench) -> Outcome:
    """A print that a person begins at the gate, to its end."""
    asking = asyncio.get_running_loop().create_task(asked_directly(bench))
    await bench.until(lambda: knobs(bench)["state"] == 1)
    knobs(bench)["ends"] = 1
    outcome = await asking
    knobs(bench)["ends"] = 0
    return outcome


def is_clear(bench: JobsBench) -> bool:
    assert bench.station.station.plates is not None
    (plate,) = bench.station.station.plates.listing
    return plate.is_clear


async def clear(bench: JobsBench) -> None:
    assert bench.station.station.plates is not None
    await bench.until(lambda: bench.station.board.latest["printer1"].activity == "")
    await bench.station.until("printer1", lambda it: it.samples["print_state"].value == "idle")
    await bench.station.station.plates.clear(KIM, "printer1")


async def test_a_second_print_of_a_person_is_refused_until_somebody_has_looked(
    tmp_path: Path,
) -> None:
    async with printing_lab(tmp_path) as bench:
        assert (await printed_directly(bench)).status is Status.DONE
        assert not is_clear(bench)
        refused = await asked_directly(bench)
        assert (refused.status, refused.cause) == (Status.REFUSED, Cause.PLATE_TAKEN)
        assert "labkeeper plate clear printer1" in refused.message
        await clear(bench)
        assert (await printed_directly(bench)).status is Status.DONE


async def test_a_job_asks_for_the_plate_after_a_print_of_a_person(tmp_path: Path) -> None:
    async with printing_lab(tmp_path) as bench:
        await printed_directly(bench)
        job = await bench.start()
        question = await bench.until_asked()
        assert "is the plate clear?" in question.en
        await bench.jobs.answer(question.id, False, KIM)
        assert (await bench.over(job)).state is JobState.FAILED
        assert not is_clear(bench)


async def test_a_print_of_a_job_keeps_a_person_from_printing_on_it(tmp_path: Path) -> None:
    async with printing_lab(tmp_path) as bench:
        job = await bench.start()
        await bench.until(lambda: knobs(bench)["state"] == 1)
        knobs(bench)["ends"] = 1
        assert (await bench.over(job)).state is JobState.DONE
        assert (await asked_directly(bench)).cause is Cause.PLATE_TAKEN


async def test_a_print_that_was_refused_leaves_the_plate_clear(tmp_path: Path) -> None:
    async with printing_lab(tmp_path) as bench:
        gate = bench.station.station.gate
        missing = await gate.do(KIM, "printer1", "print", {"file": "none.gcode"})
        assert (missing.status, is_clear(bench)) == (Status.REFUSED, True)


async def test_a_print_that_never_reached_the_printer_leaves_the_plate_clear(
    tmp_path: Path,
) -> None:
    async with printing_lab(tmp_path) as bench:
        bench.station.simulators["printer1"].unplugged = True
        await bench.station.until("printer1", lambda it: not it.state.online)
        outcome = await asked_directly(bench)
        assert (outcome.cause, is_clear(bench)) == (Cause.NOT_SENT, True)


async def test_of_two_prints_at_once_the_second_is_refused_and_unmarks_nothing(
    tmp_path: Path,
) -> None:
    async with printing_lab(tmp_path) as bench:
        knobs(bench)["ends"] = 1
        outcomes = await asyncio.gather(asked_directly(bench), asked_directly(bench))
        assert {it.status for it in outcomes} == {Status.DONE, Status.REFUSED}
        assert {it.cause for it in outcomes} <= {None, Cause.PLATE_TAKEN, Cause.BUSY}
        assert not is_clear(bench)


async def test_a_print_goes_on_being_known_when_who_asked_for_it_goes_away(tmp_path: Path) -> None:
    async with printing_lab(tmp_path) as bench:
        asking = asyncio.get_running_loop().create_task(asked_directly(bench))
        await bench.until(lambda: knobs(bench)["state"] == 1)
        asking.cancel()
        knobs(bench)["ends"] = 1
        await bench.until(lambda: bench.station.board.latest["printer1"].activity == "")
        assert not is_clear(bench)


async def test_a_print_that_the_printer_began_by_itself_marks_its_plate(tmp_path: Path) -> None:
    async with printing_lab(tmp_path) as bench:
        knobs(bench)["state"] = 1
        await bench.until(lambda: not is_clear(bench))
        assert bench.station.station.plates is not None
        with pytest.raises(NotNow, match="prints"):
            await bench.station.station.plates.clear(KIM, "printer1")
        knobs(bench)["state"] = 0
        await clear(bench)
        assert is_clear(bench)


async def test_what_a_printer_only_examines_marks_no_plate(tmp_path: Path) -> None:
    async with printing_lab(tmp_path) as bench:
        knobs(bench)["state"] = 4
        await bench.station.until(
            "printer1", lambda it: it.samples["print_state"].value == "checking"
        )
        assert is_clear(bench)


async def test_only_a_technician_says_that_a_plate_is_clear_and_only_of_a_printer(
    tmp_path: Path,
) -> None:
    async with printing_lab(tmp_path) as bench:
        desk = bench.station.station.plates
        assert desk is not None
        with pytest.raises(NotAllowed):
            await desk.clear(VISITOR, "printer1")
        with pytest.raises(NoSuchThing, match="printers: printer1"):
            await desk.clear(KIM, "psu1")


async def test_no_print_begins_where_it_cannot_be_kept_that_its_plate_is_taken(
    tmp_path: Path,
) -> None:
    async with printing_lab(tmp_path) as bench:
        book = UnwritableBook(NotRecorded("the disk takes no record"))
        bench.station.station.gate.prints.plates = Plates(book, bench.station.station.clock)
        outcome = await asked_directly(bench)
        assert (outcome.status, outcome.cause) == (Status.FAILED, Cause.NOT_RECORDED)
        assert knobs(bench)["state"] == 0


async def test_nothing_is_marked_before_it_is_known_what_was_taken_before(tmp_path: Path) -> None:
    async with printing_lab(tmp_path) as bench:
        plates = Plates(MemoryBook(), bench.station.station.clock)
        plates.closed_because = lambda: "the jobs of before can't be taken over"
        with pytest.raises(AgentError, match="taken over"):
            await plates.begin(KIM, "printer1")
        await plates.seen("printer1")
        plates.recall(["printer2"])
        assert "printer1" in plates
        assert "printer2" in plates


async def test_over_http_a_print_is_refused_with_a_problem_until_the_plate_is_said_to_be_clear(
    tmp_path: Path,
) -> None:
    async with printing_lab(tmp_path) as bench, asking(bench) as api:
        await printed_directly(bench)
        asked = "/devices/printer1/commands/print"
        refused = await api.post(asked, json={"arguments": PART})
        assert refused.status_code == 409
        assert refused.json()["type"] == "urn:problem-type:labkeeper:plate-taken"
        assert "labkeeper plate clear printer1" in refused.json()["detail"]
        taken = {"device": "printer1", "clear": False, "printing": False}
        [plate] = (await api.get("/plates")).json()
        assert plate == {**taken, "why": refused.json()["detail"]}
        await bench.until(lambda: bench.station.board.latest["printer1"].activity == "")
        await bench.station.until("printer1", lambda it: it.samples["print_state"].value == "idle")
        said = await api.post("/plates/printer1/clear", json={})
        assert said.json() == {**taken, "clear": True, "why": ""}
        knobs(bench)["ends"] = 1
        assert (await api.post(asked, json={"arguments": PART})).status_code == 200


async def test_over_http_what_is_no_printer_has_no_plate(tmp_path: Path) -> None:
    async with printing_lab(tmp_path) as bench, asking(bench) as api:
        refused = await api.post("/plates/psu1/clear", json={})
        assert (refused.status_code, refused.json()["detail"]) == (
            404,
            "no printer is called psu1; printers: printer1",
        )
