"""Prints of the driver of printers with PrusaLink, from the upload to the end, and foreign ones."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from drivers.errors import (
    DeviceBusy,
    DeviceError,
    NotMeasured,
    RequestError,
)
from drivers.protocol import prusalink_files
from drivers.protocol.printing import Heaters, PrintEnded, PrintOwner, PrintResult, PrintState
from simulators.networked_job import PrintState as Simulated
from tests.drivers.host_bench import ended
from tests.drivers.print_files import HEATED, SQUARES, MemoryFile
from tests.drivers.prusalink_bench import PrusaLinkBench

pytestmark = pytest.mark.lab


@pytest.fixture
async def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[PrusaLinkBench]:
    monkeypatch.setattr(prusalink_files, "SOON_S", 0.05)
    async with PrusaLinkBench(tmp_path) as bench:
        yield bench


async def test_a_print_is_sent_begun_followed_and_told_of(bench: PrusaLinkBench) -> None:
    bench.server.printer.pace = 500.0
    told = await bench.printer.print(MemoryFile("part.gcode"))
    assert told["file"] == "part.gcode"
    assert told["sha256"] == hashlib.sha256(SQUARES).hexdigest()
    assert bench.job.state is Simulated.FINISHED
    assert bench.job.position == len(SQUARES)
    assert bench.server.storage.find("part.gcode").content == SQUARES
    state, owner, result, reason, file = await bench.values(
        "print_state", "print_owner", "print_result", "print_reason", "print_file"
    )
    assert (state, owner, result) == (PrintState.IDLE, PrintOwner.NOBODY, PrintResult.DONE)
    assert (reason, file) == ("", "part.gcode")


async def test_the_result_stays_when_somebody_goes_back_to_the_menu(bench: PrusaLinkBench) -> None:
    bench.server.printer.pace = 500.0
    await bench.printer.print(MemoryFile(data=SQUARES[:200]))
    bench.play("screen", action="dismiss")
    assert bench.server.state.word == "IDLE"
    for _ in range(2):
        assert await bench.value("print_result") is PrintResult.DONE
    bench.play("screen", action="start")
    owner, result = await bench.values("print_owner", "print_result")
    assert (owner, result) == (PrintOwner.FOREIGN, PrintResult.DONE)


async def test_how_far_a_print_is_comes_from_the_printer(bench: PrusaLinkBench) -> None:
    bench.server.printer.pace = 100.0
    data = b"M73 P25 R30\nG28\n" + b"G4 S1\n" * 3000
    async with asyncio.TaskGroup() as tasks:
        printing = tasks.create_task(ended(bench.printer, MemoryFile(data=data)))
        await bench.until_printing()
        await bench.until(lambda: bench.job.printing > 60)
        sent, elapsed, left, over = await bench.values(
            "print_progress", "print_elapsed", "print_left", "print_time_progress"
        )
        assert (sent, left) == (25.0, 1800.0)
        assert elapsed >= 60
        assert over == pytest.approx(100 * elapsed / (elapsed + left), abs=1.0)
        assert isinstance(await bench.value("x"), NotMeasured), "it moves"
        await bench.printer.cancel()
        await printing


async def test_pausing_and_going_on_end_where_they_should(bench: PrusaLinkBench) -> None:
    async with asyncio.TaskGroup() as tasks:
        printing = tasks.create_task(ended(bench.printer, MemoryFile(data=HEATED)))
        await bench.until_printing()
        await bench.printer.pause()
        assert await bench.value("print_state") is PrintState.PAUSED
        await bench.until(lambda: bench.job.state is Simulated.PAUSED)
        await bench.printer.resume()
        assert await bench.value("print_state") is PrintState.PRINTING
        assert bench.job.state is Simulated.PRINTING
        await bench.printer.cancel()
        error = await printing
    assert isinstance(error, PrintEnded)
    assert error.result is PrintResult.CANCELLED


async def test_a_cancel_is_visible_and_ends_with_the_heaters_off(bench: PrusaLinkBench) -> None:
    async with asyncio.TaskGroup() as tasks:
        printing = tasks.create_task(ended(bench.printer, MemoryFile(data=HEATED)))
        await bench.until_printing()
        await bench.until(lambda: bench.server.printer.board.heaters["nozzle"].target == 200.0)
        bench.server.printer.pace = 6.0
        cancelling = tasks.create_task(bench.printer.cancel())
        await bench.until_state(PrintState.CANCELLING)
        await cancelling
        error = await printing
    assert isinstance(error, PrintEnded)
    assert str(error) == "part.gcode: the print has been cancelled: it was stopped"
    assert await bench.value("heaters") is Heaters.OFF
    state, result = await bench.values("print_state", "print_result")
    assert (state, result) == (PrintState.IDLE, PrintResult.CANCELLED)


async def test_the_end_of_the_filament_is_a_pause_that_asks_for_a_person(
    bench: PrusaLinkBench,
) -> None:
    async with asyncio.TaskGroup() as tasks:
        printing = tasks.create_task(ended(bench.printer, MemoryFile(data=HEATED)))
        await bench.until_printing()
        bench.play("runout")
        await bench.until_state(PrintState.PAUSED)
        assert await bench.value("print_message") == "it waits for somebody at its display"
        assert await bench.value("print_owner") is PrintOwner.AGENT
        with pytest.raises(DeviceError, match="go on, for it waits for somebody at its display"):
            await bench.printer.resume()
        await bench.until(lambda: bench.job.state is Simulated.PAUSED)
        bench.play("load_filament")
        await bench.printer.resume()
        assert await bench.value("print_message") == ""
        await bench.printer.cancel()
        await printing


async def test_a_foreign_print_is_shown_and_not_touched(bench: PrusaLinkBench) -> None:
    bench.play("screen", action="start", file="somebody else's.gcode")
    await bench.until_printing()
    owner, file = await bench.values("print_owner", "print_file")
    assert (owner, file) == (PrintOwner.FOREIGN, "somebody else's.gcode")
    for command in (bench.printer.pause, bench.printer.resume, bench.printer.cancel):
        with pytest.raises(RequestError, match="begun by somebody else: it is not touched"):
            await command()
    with pytest.raises(DeviceBusy, match="which somebody else began"):
        await bench.printer.print(MemoryFile())
    assert bench.job.state is Simulated.PRINTING
    assert not bench.server.storage.has("part.gcode")


async def test_a_foreign_print_of_our_own_file_is_foreign(bench: PrusaLinkBench) -> None:
    bench.server.printer.pace = 500.0
    await bench.printer.print(MemoryFile())
    bench.server.printer.pace = 1.0
    bench.play("screen", action="start", file="part.gcode")
    owner, file = await bench.values("print_owner", "print_file")
    assert (owner, file) == (PrintOwner.FOREIGN, "part.gcode")


async def test_a_second_print_is_refused_and_does_not_disturb(bench: PrusaLinkBench) -> None:
    async with asyncio.TaskGroup() as tasks:
        printing = tasks.create_task(ended(bench.printer, MemoryFile(data=HEATED)))
        await bench.until_printing()
        with pytest.raises(DeviceBusy, match="is being printed"):
            await bench.printer.print(MemoryFile("other.gcode"))
        assert bench.job.state is Simulated.PRINTING
        assert not bench.server.storage.has("other.gcode")
        await bench.printer.cancel()
        await printing


async def test_a_start_that_is_refused_is_said(bench: PrusaLinkBench) -> None:
    await bench.server.play("refuse", status=409, match="POST /api/v1/files")
    with pytest.raises(DeviceError, match=r"does not print: 409: Conflict \(409\)"):
        await bench.printer.print(MemoryFile())
    await bench.printer.make_safe()  # nothing was ordered, so that nothing is waited for


async def test_what_is_cancelled_while_it_is_started_is_ended(bench: PrusaLinkBench) -> None:
    await bench.server.play("slow", next=1, match="POST /api/v1/files", seconds=0.3, when="before")
    async with asyncio.TaskGroup() as tasks:
        printing = tasks.create_task(ended(bench.printer, MemoryFile(data=HEATED)))
        await bench.until(lambda: bench.printer.wire._stage is PrintState.STARTING)
        await bench.printer.cancel()
        error = await printing
    assert isinstance(error, PrintEnded)
    assert error.result is PrintResult.CANCELLED
    assert bench.job.state is Simulated.CANCELLED


async def test_somebody_at_the_display_who_stops_it_has_cancelled(bench: PrusaLinkBench) -> None:
    async with asyncio.TaskGroup() as tasks:
        printing = tasks.create_task(ended(bench.printer, MemoryFile(data=HEATED)))
        await bench.until_printing()
        bench.play("screen", action="cancel")
        error = await printing
    assert isinstance(error, PrintEnded)
    assert error.result is PrintResult.CANCELLED


async def test_a_thermal_fault_is_a_print_that_failed(bench: PrusaLinkBench) -> None:
    async with asyncio.TaskGroup() as tasks:
        printing = tasks.create_task(ended(bench.printer, MemoryFile(data=HEATED)))
        await bench.until_printing()
        bench.play("thermal_error")
        error = await printing
    assert isinstance(error, PrintEnded)
    assert error.result is PrintResult.FAILED
    assert "it reports an error: see its display" in str(error)
    assert await bench.value("print_state") is PrintState.ERROR
