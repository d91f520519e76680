"""Stopping a print at awkward moments: no emergency parser, no filament, hardly begun."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from drivers.errors import LinkClosed
from drivers.protocol.printing import PrintEnded, PrintResult, PrintState
from drivers.survey import Buffers, Profile
from simulators.marlin import BoardOptions
from tests.drivers.marlin_bench import Bench, GCodeFile, ended, long_print, moves

pytestmark = pytest.mark.lab


async def test_an_emergency_stop_finds_room_behind_the_lines_of_a_print(tmp_path: Path) -> None:
    options = BoardOptions(emergency_parser=False)
    profile = Profile(buffers=Buffers(lines=4, bytes=128))
    async with Bench(tmp_path, options, profile) as bench, asyncio.TaskGroup() as group:
        printing = group.create_task(ended(bench.printer, long_print()), name="print")
        await bench.until(lambda: len(bench.moves()) > 200)
        await bench.printer.interrupt()
        await bench.until(lambda: bench.simulated.halted)
        assert await printing is not None
        assert bench.simulated.targets == {"nozzle": 0.0, "bed": 0.0}
        assert bench.moves() == moves(20_000)[: len(bench.moves())]


@pytest.mark.parametrize("as_soon_as_it_says_so", [True, False])
async def test_a_print_without_filament_can_be_cancelled(
    tmp_path: Path, as_soon_as_it_says_so: bool
) -> None:
    async with Bench(tmp_path) as bench, asyncio.TaskGroup() as group:
        printing = group.create_task(ended(bench.printer, long_print()), name="print")
        await bench.until(lambda: len(bench.moves()) > 20)
        bench.simulated.run_out_of_filament()
        program = bench.printer.wire.program
        await bench.until(lambda: program.state is PrintState.PAUSED)
        if not as_soon_as_it_says_so:
            await bench.until(lambda: bench.simulated.executed[-1].startswith("M600"))
        async with asyncio.timeout(10.0):
            await bench.printer.cancel()
            assert isinstance(await printing, PrintEnded)
        assert await bench.printer.print_result.read() is PrintResult.CANCELLED
        assert bench.simulated.targets == {"nozzle": 0.0, "bed": 0.0}


async def test_a_board_that_resets_at_the_first_lines_gets_no_further_one(tmp_path: Path) -> None:
    async with Bench(tmp_path) as bench, asyncio.TaskGroup() as group:
        printing = group.create_task(ended(bench.printer, long_print()), name="print")
        await bench.until(lambda: len(bench.moves()) > 2)
        bench.simulated.reset()
        assert isinstance(await printing, LinkClosed)
        assert bench.moves() == moves(20_000)[: len(bench.moves())]
        assert len(bench.moves()) < 20


async def test_what_is_paused_and_resumed_at_once_loses_no_line(tmp_path: Path) -> None:
    async with Bench(tmp_path) as bench, asyncio.TaskGroup() as group:
        file = GCodeFile(*moves(20), "G4 P300", *moves(30))
        printing = group.create_task(bench.printer.print(file), name="print")
        await bench.until(lambda: len(bench.moves()) == 20)
        for _ in range(3):
            await bench.printer.pause()
            await bench.printer.resume()
        assert (await printing)["lines"] == 51
    assert bench.moves() == [*moves(20), *moves(30)]
