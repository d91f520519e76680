"""Prints through OctoPrint, from the upload to the end, and those of other people."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from drivers.errors import DeviceBusy, DeviceError, RequestError
from drivers.printers.octoprint import OctoPrintPrinter
from drivers.printers.printer import DirectPrinter
from drivers.protocol.printing import (
    Heaters,
    PrintEnded,
    PrintOwner,
    PrintResult,
    PrintState,
)
from drivers.survey import Survey
from simulators.networked_job import PrintState as Simulated
from tests.drivers.host_bench import ended
from tests.drivers.octoprint_bench import OctoPrintBench
from tests.drivers.print_files import HEATED, SQUARES, MemoryFile

pytestmark = pytest.mark.lab


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[OctoPrintBench]:
    async with OctoPrintBench(tmp_path) as bench:
        yield bench


def test_it_offers_what_every_direct_printer_offers() -> None:
    assert set(OctoPrintPrinter.readings) == set(DirectPrinter.readings)
    assert set(OctoPrintPrinter.commands) == set(DirectPrinter.commands)


async def test_a_print_is_sent_begun_followed_and_told_of(bench: OctoPrintBench) -> None:
    bench.server.printer.pace = 500.0
    told = await bench.printer.print(MemoryFile("part.gcode"))
    assert told["file"] == "part.gcode"
    assert told["sha256"] == hashlib.sha256(SQUARES).hexdigest()
    assert (bench.job.state, bench.job.position) == (Simulated.FINISHED, len(SQUARES))
    assert bench.server.storage.find("labkeeper/part.gcode").content == SQUARES
    state, owner, result, reason, file = await bench.values(
        "print_state", "print_owner", "print_result", "print_reason", "print_file"
    )
    assert (state, owner, result) == (PrintState.IDLE, PrintOwner.NOBODY, PrintResult.DONE)
    assert (reason, file) == ("", "part.gcode")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("의료기기 시제품.gcode", "의료기기 시제품.gcode"),
        ("부품_v2 (최종).GCODE", "부품_v2 (최종).GCODE"),
        ('a"b&c%20.gco', 'a"b&c%20.gco'),
        ("가/나.g", "가_나.g"),
        ("plain", "plain.gcode"),
    ],
)
async def test_a_file_is_printed_and_shown_whatever_it_is_called(
    bench: OctoPrintBench, name: str, shown: str
) -> None:
    bench.server.printer.pace = 500.0
    told = await bench.printer.print(MemoryFile(name, SQUARES[:500]))
    assert told["file"] == name
    assert bench.job.name.startswith("labkeeper/")
    assert bench.job.name.isascii()
    assert await bench.value("print_file") == shown


async def test_how_far_a_print_is_comes_from_octoprint(bench: OctoPrintBench) -> None:
    bench.server.printer.pace = 50.0
    file = MemoryFile("long.gcode", HEATED)
    async with asyncio.TaskGroup() as tasks:
        printing = tasks.create_task(ended(bench.printer, file))
        await bench.until(lambda: bench.server.printer.active and bench.job.progress > 0.03)
        told = await bench.printer.read(bench.printer.readings)
        await bench.printer.cancel()
    assert isinstance(printing.result(), PrintEnded)
    assert told["print_owner"] is PrintOwner.AGENT
    assert 2.0 < told["print_progress"] < 50.0
    assert told["print_elapsed"] > 5.0
    assert told["print_left"] > 60.0
    assert told["heaters"] is Heaters.ON
    assert (told["nozzle_target"], told["bed_target"]) == (200.0, 60.0)
    untold_print = ("print_layer", "print_layers", "print_height", "print_time_progress")
    for untold in ("x", "y", "z", "firmware", *untold_print):
        assert isinstance(told[untold], DeviceError), untold


async def test_pausing_and_going_on_are_visible_and_end_where_they_should(
    bench: OctoPrintBench,
) -> None:
    bench.server.printer.pace = 4.0
    async with asyncio.TaskGroup() as tasks:
        printing = tasks.create_task(ended(bench.printer, MemoryFile("long.gcode", HEATED)))
        await bench.until_state(PrintState.PRINTING)
        for command, through, then in (
            (bench.printer.pause, PrintState.PAUSING, PrintState.PAUSED),
            (bench.printer.resume, PrintState.RESUMING, PrintState.PRINTING),
        ):
            seen = set()
            acting = tasks.create_task(command())
            while not acting.done():
                seen.add(await bench.value("print_state"))
            assert through in seen
            assert await bench.value("print_state") is then
            assert await bench.value("print_owner") is PrintOwner.AGENT
        bench.server.printer.pace = 50.0
        await bench.printer.cancel()
    error = printing.result()
    assert isinstance(error, PrintEnded)
    assert error.result is PrintResult.CANCELLED
    assert str(error) == "long.gcode: the print has been cancelled"
    assert bench.job.state is Simulated.CANCELLED
    assert not any(bench.targets())
    state, result, heaters = await bench.values("print_state", "print_result", "heaters")
    assert (state, result, heaters) == (PrintState.IDLE, PrintResult.CANCELLED, Heaters.OFF)


async def test_a_second_pause_does_not_make_it_go_on(bench: OctoPrintBench) -> None:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(ended(bench.printer, MemoryFile("long.gcode", HEATED)))
        await bench.until_state(PrintState.PRINTING)
        await bench.printer.pause()
        await bench.printer.pause()
        assert await bench.value("print_state") is PrintState.PAUSED
        await bench.printer.cancel()


async def test_the_end_of_the_filament_is_a_pause_that_is_gone_on_from(
    bench: OctoPrintBench,
) -> None:
    async with asyncio.TaskGroup() as tasks:
        printing = tasks.create_task(ended(bench.printer, MemoryFile()))
        await bench.until_state(PrintState.PRINTING)
        await bench.server.play("runout")
        await bench.until_state(PrintState.PAUSED)
        await bench.server.play("load_filament")
        await bench.printer.resume()
        bench.server.printer.pace = 500.0
    assert printing.result() is None
    assert bench.job.state is Simulated.FINISHED


async def test_a_second_print_is_refused(bench: OctoPrintBench) -> None:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(ended(bench.printer, MemoryFile("long.gcode", HEATED)))
        await bench.until_state(PrintState.PRINTING)
        with pytest.raises(DeviceBusy, match=r"long\.gcode is being printed"):
            await bench.printer.print(MemoryFile("other.gcode"))
        await bench.printer.cancel()
    assert not bench.server.storage.has("labkeeper/other.gcode")


# Before it begins


async def test_a_file_that_is_spoilt_on_its_way_is_not_printed(bench: OctoPrintBench) -> None:
    for how in ("flip", "cut"):
        await bench.server.play("corrupt", how=how)
        error = await ended(bench.printer, MemoryFile("part.gcode"))
        assert isinstance(error, DeviceError)
        assert "it was deleted there: print it again" in str(error)
        assert not bench.server.storage.has("labkeeper/part.gcode")
    assert bench.server.printer.jobs == []


async def test_a_file_for_which_there_is_no_room_is_refused(bench: OctoPrintBench) -> None:
    await bench.server.play("full")
    error = await ended(bench.printer, MemoryFile("part.gcode"))
    assert isinstance(error, DeviceError)
    assert "there is no room for it" in str(error)


class SlowFile(MemoryFile):
    """Its examination ends when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.go = asyncio.Event()

    async def survey(self) -> Survey:
        await self.go.wait()
        return await super().survey()


async def test_a_print_that_is_cancelled_before_it_began_leaves_the_printer_alone(
    bench: OctoPrintBench,
) -> None:
    file = SlowFile()
    async with asyncio.TaskGroup() as tasks:
        printing = tasks.create_task(ended(bench.printer, file))
        await bench.until_state(PrintState.CHECKING)
        assert await bench.value("print_owner") is PrintOwner.AGENT
        await bench.printer.cancel()
        file.go.set()
    error = printing.result()
    assert isinstance(error, PrintEnded)
    assert error.result is PrintResult.CANCELLED
    assert bench.server.printer.jobs == []
    assert await bench.value("print_result") is PrintResult.CANCELLED


async def test_a_print_that_is_cancelled_while_it_starts_ends(bench: OctoPrintBench) -> None:
    await bench.server.play("slow", seconds=0.5, match="POST /api/files/local/labkeeper")
    async with asyncio.TaskGroup() as tasks:
        printing = tasks.create_task(ended(bench.printer, MemoryFile("long.gcode", HEATED)))
        await bench.until_state(PrintState.STARTING)
        await bench.printer.cancel()
    error = printing.result()
    assert isinstance(error, PrintEnded)
    assert error.result is PrintResult.CANCELLED
    assert not bench.server.printer.active


async def test_what_the_printer_must_not_get_is_not_sent(bench: OctoPrintBench) -> None:
    error = await ended(bench.printer, MemoryFile("hot.gcode", b"M104 S999\nG1 X10\n"))
    assert isinstance(error, RequestError)
    assert "hot.gcode, line 1" in str(error)
    assert not bench.server.storage.all()
