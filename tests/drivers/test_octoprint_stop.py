"""Other people's prints behind OctoPrint, and what stops any of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from drivers.errors import DeviceBusy, DeviceError, RequestError
from drivers.protocol.printing import (
    Heaters,
    PrintEnded,
    PrintOwner,
    PrintResult,
    PrintState,
)
from simulators.networked_job import PrintState as Simulated
from tests.drivers.host_bench import ended
from tests.drivers.octoprint_bench import OctoPrintBench
from tests.drivers.print_files import HEATED, SQUARES, MemoryFile

pytestmark = pytest.mark.lab


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[OctoPrintBench]:
    async with OctoPrintBench(tmp_path) as bench:
        yield bench


# Other people


async def test_what_somebody_else_prints_is_shown_and_not_touched(bench: OctoPrintBench) -> None:
    await bench.server.play("screen", action="start", file="foreign.gcode")
    await bench.until_state(PrintState.PRINTING)
    owner, file = await bench.values("print_owner", "print_file")
    assert (owner, file) == (PrintOwner.FOREIGN, "foreign.gcode")
    for act in (bench.printer.pause, bench.printer.resume, bench.printer.cancel):
        with pytest.raises(RequestError, match="begun by somebody else"):
            await act()
    with pytest.raises(DeviceBusy, match="somebody else began"):
        await bench.printer.print(MemoryFile())
    assert bench.job.state is Simulated.PRINTING


async def test_our_file_that_somebody_prints_again_is_theirs(bench: OctoPrintBench) -> None:
    bench.server.printer.pace = 500.0
    await bench.printer.print(MemoryFile("part.gcode", SQUARES[:500]))
    bench.server.printer.pace = 1.0
    await bench.server.play("screen", action="start", file="labkeeper/part.gcode")
    await bench.until_state(PrintState.PRINTING)
    assert await bench.value("print_owner") is PrintOwner.FOREIGN
    with pytest.raises(RequestError, match="begun by somebody else"):
        await bench.printer.cancel()


async def test_our_print_that_somebody_begins_anew_is_theirs_and_ours_has_ended(
    bench: OctoPrintBench,
) -> None:
    async with asyncio.TaskGroup() as tasks:
        printing = tasks.create_task(ended(bench.printer, MemoryFile("long.gcode", HEATED)))
        await bench.until_state(PrintState.PRINTING)
        await bench.printer.pause()
        bench.server.octo.restart("operator")
    error = printing.result()
    assert isinstance(error, PrintEnded)
    assert error.result is PrintResult.UNKNOWN
    assert await bench.value("print_owner") is PrintOwner.FOREIGN


async def test_a_print_that_somebody_cancels_is_said_to_be_cancelled(bench: OctoPrintBench) -> None:
    async with asyncio.TaskGroup() as tasks:
        printing = tasks.create_task(ended(bench.printer, MemoryFile("long.gcode", HEATED)))
        await bench.until_state(PrintState.PRINTING)
        await bench.server.play("screen", action="cancel")
    error = printing.result()
    assert isinstance(error, PrintEnded)
    assert error.result is PrintResult.CANCELLED
    assert "somebody cancelled it" in str(error)


# Safety


async def test_making_safe_ends_any_print_and_reads_back_that_it_is_cold(
    bench: OctoPrintBench,
) -> None:
    async with asyncio.TaskGroup() as tasks:
        printing = tasks.create_task(ended(bench.printer, MemoryFile("long.gcode", HEATED)))
        await bench.until(lambda: any(bench.targets()))
        await bench.printer.make_safe()
        assert not any(bench.targets())
    assert isinstance(printing.result(), PrintEnded)
    await bench.printer.make_safe()
    await bench.server.play("screen", action="start", file="foreign.gcode")
    await bench.until_state(PrintState.PRINTING)
    await bench.printer.make_safe()
    await bench.until_state(PrintState.IDLE)


async def test_the_emergency_stop_goes_past_everything_and_ends_the_print(
    bench: OctoPrintBench,
) -> None:
    async with asyncio.TaskGroup() as tasks:
        printing = tasks.create_task(ended(bench.printer, MemoryFile("long.gcode", HEATED)))
        await bench.until(lambda: any(bench.targets()))
        await bench.printer.interrupt()
    error = printing.result()
    assert isinstance(error, PrintEnded)
    assert error.result is PrintResult.FAILED
    assert "Closing serial port due to emergency stop M112" in str(error)
    assert bench.server.printer.halted
    assert not any(bench.targets())
    with pytest.raises(DeviceError, match="connect it in OctoPrint"):
        await bench.value("nozzle")


async def test_a_printer_at_rest_is_not_stopped(bench: OctoPrintBench) -> None:
    await bench.printer.interrupt()
    assert not bench.server.printer.halted


async def test_targets_fan_and_homing_reach_the_printer(bench: OctoPrintBench) -> None:
    await bench.printer.nozzle_target.write(205.0)
    await bench.printer.bed_target.write(60.0)
    await bench.printer.part_fan(power=50.0)
    await bench.printer.home("ZX")
    await bench.until(lambda: bench.server.printer.board.head.homed == {"X", "Z"})
    assert await bench.values("nozzle_target", "bed_target") == (205.0, 60.0)
    assert bench.server.printer.board.fan == pytest.approx(0.5, abs=0.01)
    assert await bench.value("heaters") is Heaters.ON
