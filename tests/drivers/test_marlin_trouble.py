"""What ends a print, and what keeps one from beginning."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from drivers.errors import (
    DeviceBusy,
    DeviceError,
    LinkClosed,
    RequestError,
)
from drivers.forms import Limits, Span
from drivers.printers.marlin import MarlinPrinter
from drivers.protocol.gcode_source import READ_AHEAD
from drivers.protocol.printing import PrintEnded, PrintState
from tests.drivers.marlin_bench import Bench, GCodeFile, ended, moves

pytestmark = pytest.mark.lab


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with Bench(tmp_path) as made:
        yield made


async def test_a_board_that_resets_in_mid_print_ends_it_and_gets_no_further_line(
    bench: Bench,
) -> None:
    async with asyncio.TaskGroup() as group:
        printing = group.create_task(ended(bench.printer, GCodeFile(*moves(20_000))), name="print")
        await bench.until(lambda: len(bench.moves()) > 20)
        bench.simulated.reset()
        error = await printing
    assert isinstance(error, LinkClosed)
    assert "reset itself" in str(error)
    still = len(bench.simulated.executed)
    with pytest.raises(LinkClosed):
        await bench.printer.nozzle.read()
    assert len(bench.simulated.executed) == still
    await bench.printer.meet()
    assert await bench.printer.nozzle.read() == 21.0


async def test_a_cable_that_is_pulled_in_mid_print_is_seen_at_once(bench: Bench) -> None:
    async with asyncio.TaskGroup() as group:
        printing = group.create_task(ended(bench.printer, GCodeFile(*moves(20_000))), name="print")
        await bench.until(lambda: len(bench.moves()) > 20)
        await bench.server.unplug()
        async with asyncio.timeout(1.0):
            assert isinstance(await printing, LinkClosed)


async def test_a_killed_board_ends_the_print_with_its_own_words(bench: Bench) -> None:
    async with asyncio.TaskGroup() as group:
        printing = group.create_task(ended(bench.printer, GCodeFile(*moves(20_000))), name="print")
        await bench.until(lambda: len(bench.moves()) > 20)
        await bench.printer.interrupt()
        error = await printing
    assert bench.simulated.halted
    assert bench.simulated.targets == {"nozzle": 0.0, "bed": 0.0}
    assert isinstance(error, DeviceError)
    await bench.printer.make_safe()  # the board has said that it did it itself
    with pytest.raises(DeviceError, match=r"halted.*Reset it, then reconnect"):
        await bench.printer.nozzle.read()


async def test_a_printer_at_rest_is_made_safe_without_an_emergency_stop(bench: Bench) -> None:
    await bench.printer.nozzle_target.write(60.0)
    await bench.printer.interrupt()
    await bench.printer.make_safe()
    assert not bench.simulated.halted
    assert bench.simulated.targets == {"nozzle": 0.0, "bed": 0.0}
    assert await bench.printer.nozzle_target.read() == 0.0


async def test_a_second_print_is_refused(bench: Bench) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(bench.printer.print(GCodeFile(*moves(300))), name="print")
        await bench.until(lambda: len(bench.moves()) > 20)
        with pytest.raises(DeviceBusy, match=r"part\.gcode is being printed"):
            await bench.printer.print(GCodeFile("G28"))
    assert bench.moves() == moves(300)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("G1 " + "X1" * 60, r"part\.gcode, line 301: .* bytes"),
        ("M500", r"part\.gcode, line 301: M500 "),
        ("M117 큰", r"part\.gcode, line 301: "),
        ("M104 S301", r"line 301: M104 .*301 °C, above 300 °C, the limit set by the model"),
        ("M109R305", "line 301: M109 .*305"),
        ("M104 T0 S300.5", "line 301: M104 .*300.5"),
        ("M140 S61", r"line 301: M140 .*61 °C, above 60 °C, the limit set by station\.yaml:7"),
        ("M190 S61 ; wait", "line 301: M190 .*61"),
    ],
)
async def test_a_file_with_a_bad_line_is_refused_before_anything_is_sent(
    bench: Bench, bad: str, reason: str
) -> None:
    limits = Limits({"bed_target": Span(high=60, high_source="station.yaml:7")})
    printer = MarlinPrinter(bench.printer.wire, limits)
    before = list(bench.simulated.executed)
    with pytest.raises(RequestError, match=reason):
        await printer.print(GCodeFile(*moves(300), bad))
    assert bench.simulated.executed == before
    assert await bench.printer.print_state.read() is PrintState.IDLE


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"; nothing\n\n", "no line of G-code"),
        (b"\x1f\x8b\x08\0\0" * 100, "compressed"),
        (b"G28\n\0\0\0", "line 2"),
        (b"G28 ; \xff\xfe\n", "line 1: .*UTF-8"),
    ],
)
async def test_what_is_no_text_of_g_code_is_refused(bench: Bench, data: bytes, reason: str) -> None:
    file = GCodeFile()
    file.data, file.size = data, len(data)
    before = list(bench.simulated.executed)
    with pytest.raises(RequestError, match=reason):
        await bench.printer.print(file)
    assert bench.simulated.executed == before


async def test_a_file_that_heats_within_the_limits_is_printed(bench: Bench) -> None:
    await bench.printer.print(GCodeFile("M104 S60", "M140 S50", "M106 S255", "M104 S0", "M140 S0"))
    assert [line for line in bench.simulated.executed if line.startswith("M10")][-3:] == [
        "M104 S60",
        "M106 S255",
        "M104 S0",
    ]


@pytest.mark.parametrize("what", ["pause", "resume"])
async def test_there_is_nothing_to_pause_without_a_print(bench: Bench, what: str) -> None:
    with pytest.raises(RequestError, match="nothing is"):
        await getattr(bench.printer, what)()


async def test_the_file_is_read_as_it_is_sent(bench: Bench) -> None:
    """A file without an end: nothing of it may be gathered."""

    class Endless(GCodeFile):
        read = 0

        async def pieces(self) -> AsyncIterator[bytes]:
            for n in itertools.count():
                self.read = n
                yield b"".join(b"G1 X%d F60000\n" % (m % 200) for m in range(1000))

    file = Endless("G28")
    async with asyncio.TaskGroup() as group:
        printing = group.create_task(ended(bench.printer, file), name="print")
        await bench.until(lambda: len(bench.moves()) > 300)
        assert file.read * 1000 - len(bench.moves()) < READ_AHEAD + 2000
        await bench.printer.cancel()
        assert isinstance(await printing, PrintEnded)
