"""The well-known firmwares: each is met, read, printed on and stopped, with its own habits."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import get_args

import pytest

from drivers.errors import BadReply, LinkClosed
from drivers.protocol.gcode_firmware import FIRMWARES, UNKNOWN, firmware_of
from drivers.protocol.printing import PrintEnded, PrintResult
from simulators.marlin_firmware import BoardOptions, Firmware
from tests.drivers.marlin_bench import Bench, GCodeFile, ended, long_print, moves

pytestmark = pytest.mark.lab

NAMES = {
    "marlin2": "Marlin 2",
    "marlin1": "Marlin 1",
    "prusa": "Prusa",
    "repetier": "Repetier",
    "rrf": "RepRapFirmware",
    "klipper": "Klipper",
    "smoothie": "Smoothie",
}
every_firmware = pytest.mark.parametrize("firmware", get_args(Firmware))


def test_every_simulated_firmware_has_a_name_here() -> None:
    assert set(NAMES) == set(get_args(Firmware))
    assert set(NAMES.values()) == {it.name for it in FIRMWARES}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("FIRMWARE_NAME:Marlin 2.1.2.1 (Jun 1 2023) SOURCE_CODE_URL:…", "Marlin 2"),
        ("FIRMWARE_NAME:Marlin bugfix-2.1.x (May 3 2024)", "Marlin 2"),
        ("FIRMWARE_NAME:Marlin 1.1.9 (Github)", "Marlin 1"),
        ("FIRMWARE_NAME:Prusa-Firmware 3.13.3 based on Marlin", "Prusa"),
        ("FIRMWARE_NAME: RepRapFirmware for Duet 2 WiFi/Ethernet FIRMWARE_VERSION: 3.4.5", "RepRapFirmware"),
        ("FIRMWARE_NAME:Repetier_1.0.4 FIRMWARE_URL:https://…", "Repetier"),
        ("FIRMWARE_NAME:Klipper FIRMWARE_VERSION:v0.12.0", "Klipper"),
        ("FIRMWARE_NAME:Smoothieware, FIRMWARE_URL:http%3A//smoothieware.org", "Smoothie"),
        ("FIRMWARE_NAME:Teacup", "unknown"),
        ("", "unknown"),
    ],
)  # fmt: skip
def test_a_firmware_is_known_by_its_name(text: str, name: str) -> None:
    assert firmware_of(text).name == name


def test_of_a_stranger_nothing_is_taken_for_granted() -> None:
    assert not UNKNOWN.may_stream
    assert UNKNOWN.ok_after_resend is None


@every_firmware
async def test_it_is_met_and_its_values_are_read(tmp_path: Path, firmware: Firmware) -> None:
    async with Bench(tmp_path, BoardOptions(firmware=firmware)) as bench:
        assert bench.printer.wire.kind.name == NAMES[firmware]
        values = await bench.printer.read(["nozzle", "nozzle_target", "bed", "x", "y", "z", "e"])
        assert {name: it for name, it in values.items() if isinstance(it, BadReply)} == {}
        assert values["nozzle"] == pytest.approx(21.0, abs=0.1)
        assert values["x"] == 0.0
        await bench.printer.nozzle_target.write(60.0)
        assert await bench.printer.nozzle_target.read() == 60.0
        assert await bench.printer.firmware.read()


@every_firmware
async def test_a_file_arrives_once_and_in_order(tmp_path: Path, firmware: Firmware) -> None:
    async with Bench(tmp_path, BoardOptions(firmware=firmware)) as bench:
        await bench.printer.print(GCodeFile("G28", *moves(150)))
        assert bench.moves() == moves(150)


@pytest.mark.parametrize("firmware", [it for it in get_args(Firmware) if it not in {"klipper"}])
async def test_a_line_that_was_spoilt_is_sent_again(tmp_path: Path, firmware: Firmware) -> None:
    """Klipper's port is a terminal of the same computer and looks at no checksum."""
    async with (
        Bench(tmp_path, BoardOptions(firmware=firmware)) as bench,
        asyncio.TaskGroup() as group,
    ):
        printing = group.create_task(bench.printer.print(GCodeFile(*moves(150))), name="print")
        for count in (20, 60):
            await bench.until(lambda count=count: len(bench.moves()) > count)  # type: ignore[misc]
            bench.simulated.corrupt_next_line()
        await printing
        assert bench.moves() == moves(150)


@every_firmware
async def test_a_cancelled_print_leaves_it_cold(tmp_path: Path, firmware: Firmware) -> None:
    async with Bench(tmp_path, BoardOptions(firmware=firmware)) as bench:
        await bench.printer.home()
        async with asyncio.TaskGroup() as group:
            printing = group.create_task(ended(bench.printer, long_print()), name="print")
            await bench.until(lambda: len(bench.moves()) > 20)
            await bench.printer.cancel()
            assert isinstance(await printing, PrintEnded)
        assert bench.simulated.targets == {"nozzle": 0.0, "bed": 0.0}
        assert await bench.printer.print_result.read() is PrintResult.CANCELLED


async def test_a_prusa_that_says_start_after_a_crash_goes_on_printing(tmp_path: Path) -> None:
    async with (
        Bench(tmp_path, BoardOptions(firmware="prusa")) as bench,
        asyncio.TaskGroup() as group,
    ):
        printing = group.create_task(bench.printer.print(GCodeFile(*moves(200))), name="print")
        await bench.until(lambda: len(bench.moves()) > 20)
        bench.simulated.say_start()
        await printing
        assert bench.moves() == moves(200)


async def test_a_prusa_that_was_reset_gets_no_line_again(tmp_path: Path) -> None:
    async with Bench(tmp_path, BoardOptions(firmware="prusa")) as bench:
        async with asyncio.TaskGroup() as group:
            printing = group.create_task(ended(bench.printer, GCodeFile(*moves(900))), name="print")
            await bench.until(lambda: len(bench.moves()) > 50)
            done = len(bench.simulated.executed)
            bench.simulated.reset()
            error = await printing
        assert isinstance(error, LinkClosed)
        assert "reset itself" in str(error)
        later = [line for line in bench.simulated.executed[done:] if line in moves(50)]
        assert not later
