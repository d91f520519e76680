"""The Marlin driver against a simulated printer on a real pseudo-terminal."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from drivers.errors import (
    NotMeasured,
    OutOfRange,
    WrongInstrument,
)
from drivers.forms import TextFile
from drivers.printers.marlin import MarlinPrinter
from drivers.protocol.printing import PrintState
from drivers.transport.memory import Loopback
from simulators.marlin import BoardOptions
from tests.drivers.marlin_bench import Bench, GCodeFile

pytestmark = pytest.mark.lab


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with Bench(tmp_path) as made:
        yield made


def test_a_file_in_memory_is_a_text_file() -> None:
    assert isinstance(GCodeFile(), TextFile)


async def test_a_board_that_resets_when_its_port_opens_says_who_it_is(bench: Bench) -> None:
    found = await bench.printer.meet(serial_number="7d0f2b1e-2f5c-4d7a-9a53-0c7f5a1be6d4")
    assert found.model == "Simulated i3"
    assert found.firmware.startswith("Marlin 2.1.2")


@pytest.mark.parametrize("resets", [True, False])
async def test_it_connects_again_and_again(tmp_path: Path, resets: bool) -> None:
    async with Bench(tmp_path, BoardOptions(resets_on_open=resets)) as bench:
        for _ in range(2):
            await bench.link.__aexit__()
            await bench.link.__aenter__()
            await bench.printer.meet()
            await bench.printer.bed_target.write(50.0)
            assert await bench.printer.bed_target.read() == 50.0


async def test_another_firmware_is_refused() -> None:
    def handle(data: bytes) -> bytes:
        lines = [line for line in data.decode().split("\n") if line]
        said = (
            line.partition("M118 ")[2].partition("*")[0] if "M118" in line else "" for line in lines
        )
        name = "FIRMWARE_NAME:Sprinter_1.0\n"
        return "".join(f"{text}\n{name}ok\n" for text in said).encode()

    async with Loopback(handle) as link:
        printer = MarlinPrinter.over(link, timeouts={"first_byte": 0.1, "whole": 0.1})
        with pytest.raises(WrongInstrument, match="Sprinter"):
            await printer.meet()


async def test_every_reading_has_a_value_in_two_exchanges(bench: Bench) -> None:
    before = len(bench.simulated.executed)
    values = await bench.printer.read(bench.printer.readings)
    assert bench.simulated.executed[before:] == ["M105", "M114"]
    assert values["nozzle"] == values["bed"] == 21.0
    assert (values["x"], values["y"], values["z"], values["e"]) == (0.0, 0.0, 0.0, 0.0)
    assert values["print_state"] is PrintState.IDLE
    assert isinstance(values["print_progress"], NotMeasured)
    assert values["firmware"].startswith("Marlin 2.1.2")


@pytest.mark.parametrize("name", ["nozzle_target", "bed_target"])
async def test_a_target_is_set_and_read_back(bench: Bench, name: str) -> None:
    target = getattr(bench.printer, name)
    await target.write(61.5)
    assert await target.read() == 61.5


@pytest.mark.parametrize(("name", "value"), [("nozzle_target", 301.0), ("bed_target", -1.0)])
async def test_a_target_out_of_range_sends_nothing(bench: Bench, name: str, value: float) -> None:
    before = list(bench.simulated.executed)
    with pytest.raises(OutOfRange):
        await getattr(bench.printer, name).write(value)
    assert bench.simulated.executed == before


async def test_the_fan_and_the_axes_do_as_told(bench: Bench) -> None:
    await bench.printer.part_fan(50.0)
    assert bench.simulated.fan in (127, 128)
    await bench.printer.home("X")
    assert bench.simulated.executed[-1] == "G28 X"
    with pytest.raises(OutOfRange):
        await bench.printer.home("W")
