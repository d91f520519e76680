"""Prints of the driver of printers behind Moonraker, from the upload to the end, and foreign ones."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from drivers.errors import DeviceBusy, DeviceError, RequestError
from drivers.protocol.moonraker_files import name_there
from drivers.protocol.printing import Heaters, PrintEnded, PrintOwner, PrintResult, PrintState
from drivers.survey import Survey
from simulators.networked_job import PrintState as Simulated
from tests.drivers.host_bench import ended
from tests.drivers.moonraker_bench import MoonrakerBench
from tests.drivers.print_files import HEATED, SHORT, SQUARES, MemoryFile

pytestmark = pytest.mark.lab


@pytest.fixture
async def bench() -> AsyncIterator[MoonrakerBench]:
    async with MoonrakerBench() as bench:
        yield bench


async def test_a_print_is_sent_begun_followed_and_told_of(bench: MoonrakerBench) -> None:
    bench.server.printer.pace = 200.0
    told = await bench.printer.print(MemoryFile("part.gcode"))
    assert told["file"] == "part.gcode"
    assert told["sha256"] == hashlib.sha256(SQUARES).hexdigest()
    assert bench.job.state is Simulated.FINISHED
    assert bench.job.position == len(SQUARES)
    assert bench.server.storage.find("labkeeper/part.gcode").content == SQUARES
    state, owner, result, reason, file = await bench.values(
        "print_state", "print_owner", "print_result", "print_reason", "print_file"
    )
    assert (state, owner, result) == (PrintState.IDLE, PrintOwner.NOBODY, PrintResult.DONE)
    assert (reason, file) == ("", "part.gcode")


@pytest.mark.parametrize(
    "name", ["의료기기 시제품.gcode", "부품_v2 (최종).gcode", "a'b&c%20.gcode", "part.G", "plain"]
)
async def test_a_file_is_printed_whatever_it_is_called(bench: MoonrakerBench, name: str) -> None:
    bench.server.printer.pace = 200.0
    told = await bench.printer.print(MemoryFile(name, SHORT))
    assert told["file"] == name
    assert bench.job.name == f"labkeeper/{name_there(name)}"
    assert await bench.value("print_file") == name_there(name)


@pytest.mark.parametrize("sign", list('"\\/;#*'))
async def test_signs_that_would_break_the_command_are_others_at_the_printer(
    bench: MoonrakerBench, sign: str
) -> None:
    bench.server.printer.pace = 200.0
    await bench.printer.print(MemoryFile(f"a{sign}b.gcode", SHORT))
    assert bench.job.name == "labkeeper/a_b.gcode"
    assert bench.job.state is Simulated.FINISHED


def test_no_name_is_hidden_from_klipper_or_leaves_the_folder() -> None:
    for name in ("..", ".", ".gcode", "../../config/printer.cfg", "a/b", "..\\x.gcode"):
        there = name_there(name)
        assert not there.startswith(".")
        assert "/" not in there
        assert there.endswith(".gcode")


async def test_how_far_a_print_is_comes_from_klipper_and_the_slicer(bench: MoonrakerBench) -> None:
    head = b";FLAVOR:Marlin\n;TIME:3610\n;Generated with Cura_SteamEngine 5.6.0\n"
    layers = b"SET_PRINT_STATS_INFO TOTAL_LAYER=12 CURRENT_LAYER=3\nM117 warm\n"
    file = MemoryFile("part.gcode", head + layers + SQUARES + b";End of Gcode\n")
    async with asyncio.TaskGroup() as tasks:
        printing = tasks.create_task(ended(bench.printer, file))
        await bench.until_state(PrintState.PRINTING)
        await bench.until(lambda: bench.job.position > file.size / 10)
        await asyncio.sleep(0.3)  # the changes of a quarter of a second come together
        told = await bench.printer.read(bench.printer.readings)
        await bench.printer.cancel()
    assert isinstance(printing.result(), PrintEnded)
    assert told["print_owner"] is PrintOwner.AGENT
    assert (told["print_layer"], told["print_layers"], told["print_message"]) == (3, 12, "warm")
    assert 9.0 < told["print_progress"] < 90.0
    assert told["print_elapsed"] > 5.0
    assert 3500.0 < told["print_left"] <= 3610.0
    assert told["print_time_progress"] == pytest.approx(
        100.0 * (3610.0 - told["print_left"]) / 3610.0
    )


async def test_pausing_and_going_on_are_visible_and_end_where_they_should(
    bench: MoonrakerBench,
) -> None:
    bench.server.printer.pace = 4.0
    async with asyncio.TaskGroup() as tasks:
        printing = tasks.create_task(ended(bench.printer, MemoryFile("long.gcode", HEATED)))
        await bench.until_state(PrintState.PRINTING)
        for command, through, truly, then in (
            (bench.printer.pause, PrintState.PAUSING, Simulated.PAUSING, PrintState.PAUSED),
            (bench.printer.resume, PrintState.RESUMING, Simulated.RESUMING, PrintState.PRINTING),
        ):
            seen = set()
            acting = tasks.create_task(command())
            while not acting.done():
                seen.add((await bench.value("print_state"), bench.job.state))
            assert (through, truly) in seen, "it is shown while it lasts"
            assert await bench.value("print_state") is then
            assert await bench.value("print_owner") is PrintOwner.AGENT
        bench.server.printer.pace = 50.0
        await bench.printer.cancel()
    error = printing.result()
    assert isinstance(error, PrintEnded)
    assert error.result is PrintResult.CANCELLED
    assert bench.job.state is Simulated.CANCELLED
    assert not any(heater.target for heater in bench.server.printer.board.heaters.values())
    state, result, heaters = await bench.values("print_state", "print_result", "heaters")
    assert (state, result, heaters) == (PrintState.IDLE, PrintResult.CANCELLED, Heaters.OFF)


async def test_cancelling_is_visible(bench: MoonrakerBench) -> None:
    bench.server.printer.pace = 4.0
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(ended(bench.printer, MemoryFile("long.gcode", HEATED)))
        await bench.until_state(PrintState.PRINTING)
        cancelling = tasks.create_task(bench.printer.cancel())
        seen = set()
        while not cancelling.done():
            seen.add(await bench.value("print_state"))
    assert PrintState.CANCELLING in seen


async def test_who_cancels_while_it_is_paused_is_not_left_with_a_pause(
    bench: MoonrakerBench,
) -> None:
    bench.server.printer.pace = 4.0
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(ended(bench.printer, MemoryFile("long.gcode", HEATED)))
        await bench.until_state(PrintState.PRINTING)
        tasks.create_task(bench.printer.pause())
        await bench.until_state(PrintState.PAUSING)
        tasks.create_task(bench.printer.cancel())
    assert await bench.value("print_state") is PrintState.IDLE


async def test_the_end_of_the_filament_is_a_pause_that_is_gone_on_from(
    bench: MoonrakerBench,
) -> None:
    async with asyncio.TaskGroup() as tasks:
        printing = tasks.create_task(ended(bench.printer, MemoryFile()))
        await bench.until_state(PrintState.PRINTING)
        await bench.server.play("runout")
        await bench.until_state(PrintState.PAUSED)
        await bench.server.play("load_filament")
        await bench.printer.resume()
        bench.server.printer.pace = 200.0
    assert printing.result() is None


async def test_a_foreign_print_is_shown_and_not_touched(bench: MoonrakerBench) -> None:
    await bench.server.play("screen", action="start", file="그들의 것.gcode")
    await bench.until_state(PrintState.PRINTING)
    owner, file = await bench.values("print_owner", "print_file")
    assert (owner, file) == (PrintOwner.FOREIGN, "그들의 것.gcode")
    for command in (bench.printer.pause, bench.printer.resume, bench.printer.cancel):
        with pytest.raises(RequestError, match="begun by somebody else"):
            await command()
    with pytest.raises(DeviceBusy, match="somebody else began"):
        await bench.printer.print(MemoryFile())
    assert bench.job.state in {Simulated.STARTING, Simulated.PRINTING}
    assert len(bench.server.storage.all()) == 1


async def test_a_foreign_print_of_our_own_file_is_foreign(bench: MoonrakerBench) -> None:
    bench.server.printer.pace = 200.0
    await bench.printer.print(MemoryFile("part.gcode"))
    bench.server.printer.pace = 20.0
    await bench.server.play("screen", action="start", file="labkeeper/part.gcode")
    await bench.until_state(PrintState.PRINTING)
    owner, file, result = await bench.values("print_owner", "print_file", "print_result")
    assert (owner, file) == (PrintOwner.FOREIGN, "part.gcode")
    assert result is PrintResult.DONE


async def test_a_second_print_is_refused_and_does_not_disturb(bench: MoonrakerBench) -> None:
    async with asyncio.TaskGroup() as tasks:
        printing = tasks.create_task(ended(bench.printer, MemoryFile("one.gcode")))
        await bench.until_state(PrintState.PRINTING)
        with pytest.raises(DeviceBusy, match=r"one\.gcode is being printed"):
            await bench.printer.print(MemoryFile("two.gcode"))
        bench.server.printer.pace = 200.0
    assert printing.result() is None


@pytest.mark.parametrize("how", ["flip", "cut"])
async def test_a_file_that_arrives_damaged_is_not_begun(bench: MoonrakerBench, how: str) -> None:
    await bench.server.play("corrupt", how=how)
    with pytest.raises(DeviceError, match=r"checksum mismatch.* \(422\)"):
        await bench.printer.print(MemoryFile())
    assert bench.server.printer.job is None
    assert not bench.server.storage.all()
    assert await bench.value("print_state") is PrintState.IDLE


async def test_a_file_that_the_printer_has_changed_is_deleted_there_and_not_begun(
    bench: MoonrakerBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = bench.server.storage
    store = storage.store

    def processed(path: str, content: bytes, modified: float) -> Any:
        return store(path, b"EXCLUDE_OBJECT_DEFINE NAME=a\n" + content, modified)

    monkeypatch.setattr(storage, "store", processed)
    with pytest.raises(
        DeviceError, match=r"instead of .*; it was deleted there\. Switch enable_obj"
    ):
        await bench.printer.print(MemoryFile())
    assert bench.server.printer.job is None
    assert not storage.all()


async def test_a_disk_that_is_full_is_said(bench: MoonrakerBench) -> None:
    await bench.server.play("full")
    with pytest.raises(DeviceError, match=r"part\.gcode was not taken: .*save"):
        await bench.printer.print(MemoryFile())


@pytest.mark.parametrize("status", [409, 503])
async def test_an_upload_that_is_refused_is_said(bench: MoonrakerBench, status: int) -> None:
    await bench.server.play("refuse", status=status, match="/upload")
    with pytest.raises(DeviceError, match=rf"part.gcode was not taken: .*\({status}\)"):
        await bench.printer.print(MemoryFile())
    assert bench.server.printer.job is None


async def test_without_a_history_nothing_is_sent_for_a_print_would_have_no_id(
    bench: MoonrakerBench,
) -> None:
    klipper = bench.printer.wire._klipper
    assert klipper is not None
    klipper.has_history = False
    with pytest.raises(DeviceError, match=r"add \[history\] to its moonraker.conf"):
        await bench.printer.print(MemoryFile())
    assert not bench.server.storage.all()


async def test_what_is_cancelled_before_it_began_is_not_begun(bench: MoonrakerBench) -> None:
    class Slow(MemoryFile):
        async def survey(self) -> Survey:
            await examined.wait()
            return await super().survey()

    examined = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        printing = tasks.create_task(ended(bench.printer, Slow()))
        await bench.until_state(PrintState.CHECKING)
        owner, file = await bench.values("print_owner", "print_file")
        await bench.printer.cancel()
        examined.set()
    assert (owner, file) == (PrintOwner.AGENT, "part.gcode")
    error = printing.result()
    assert isinstance(error, PrintEnded)
    assert error.result is PrintResult.CANCELLED
    assert not bench.server.storage.all()
    assert await bench.value("print_result") is PrintResult.CANCELLED


async def test_a_file_that_klipper_gives_up_has_failed_for_its_reason(
    bench: MoonrakerBench,
) -> None:
    bench.server.printer.pace = 200.0
    error = await ended(bench.printer, MemoryFile("bad.gcode", b"G28\nG1 X9999 F6000\nG1 X1\n"))
    assert isinstance(error, PrintEnded)
    assert error.result is PrintResult.FAILED
    assert "Move out of range" in str(error)
    result, reason, state = await bench.values("print_result", "print_reason", "print_state")
    assert (result, state) == (PrintResult.FAILED, PrintState.IDLE)
    assert "Move out of range" in reason
    bench.server.printer.pace = 200.0
    await bench.printer.print(MemoryFile("good.gcode"))


async def test_somebody_at_the_screen_who_cancels_has_cancelled(bench: MoonrakerBench) -> None:
    async with asyncio.TaskGroup() as tasks:
        printing = tasks.create_task(ended(bench.printer, MemoryFile()))
        await bench.until_state(PrintState.PRINTING)
        await bench.server.play("screen", action="cancel")
    error = printing.result()
    assert isinstance(error, PrintEnded)
    assert error.result is PrintResult.CANCELLED
