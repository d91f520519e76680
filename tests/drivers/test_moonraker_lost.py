"""What becomes of a print behind Moonraker when the connection, Klipper or Moonraker is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from drivers.errors import LinkClosed, Unfinished
from drivers.protocol.printing import PrintOwner, PrintResult, PrintState
from simulators.networked_job import Job
from simulators.networked_job import PrintState as Simulated
from tests.drivers.host_bench import ended
from tests.drivers.moonraker_bench import MoonrakerBench, printing, result_of
from tests.drivers.print_files import SHORT, MemoryFile

pytestmark = pytest.mark.lab


@pytest.fixture
async def bench() -> AsyncIterator[MoonrakerBench]:
    async with MoonrakerBench() as bench:
        yield bench


async def test_a_print_goes_on_without_us_and_is_found_again_by_its_id(
    bench: MoonrakerBench,
) -> None:
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(ended(bench.printer, MemoryFile("part.gcode")))
        await bench.until_state(PrintState.PRINTING)
        job = bench.kept["job"]
        await bench.server.play("unplug")
        with pytest.raises(LinkClosed):
            await bench.value("bed")
        await asyncio.sleep(0.2)  # it is followed in vain, and not given up
        assert not task.done()
        task.cancel()
    await bench.server.play("plug")
    await bench.reconnect()
    state, owner, file = await bench.values("print_state", "print_owner", "print_file")
    assert (state, owner, file) == (PrintState.PRINTING, PrintOwner.AGENT, "part.gcode")
    assert bench.kept["job"] == job == "000001"
    await bench.printer.pause()
    await bench.printer.resume()
    bench.server.printer.pace = 200.0
    await bench.until_state(PrintState.IDLE)
    assert await bench.value("print_result") is PrintResult.DONE


async def test_a_print_that_ended_without_us_is_told_when_we_are_back(
    bench: MoonrakerBench,
) -> None:
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(ended(bench.printer, MemoryFile("part.gcode")))
        await bench.until_state(PrintState.PRINTING)
        await bench.server.play("unplug")
        task.cancel()
    bench.server.printer.cancel()
    await bench.until(lambda: bench.job.state is Simulated.CANCELLED)
    await bench.server.play("plug")
    await bench.reconnect()
    result, owner = await bench.values("print_result", "print_owner")
    assert (result, owner) == (PrintResult.CANCELLED, PrintOwner.NOBODY)


async def test_another_print_in_its_place_is_not_taken_for_ours(bench: MoonrakerBench) -> None:
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(ended(bench.printer, MemoryFile("part.gcode")))
        await bench.until_state(PrintState.PRINTING)
        await bench.server.play("unplug")
        task.cancel()
    bench.server.printer.cancel()
    await bench.until(lambda: not bench.server.printer.active)
    await bench.server.play("screen", action="start", file="labkeeper/part.gcode")
    await bench.server.play("plug")
    await bench.reconnect()
    state, owner = await bench.values("print_state", "print_owner")
    assert (state, owner) == (PrintState.PRINTING, PrintOwner.FOREIGN)


async def test_a_print_outlives_moonraker_itself_and_is_ours_still(bench: MoonrakerBench) -> None:
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(ended(bench.printer, MemoryFile("part.gcode")))
        await bench.until_state(PrintState.PRINTING)
        bench.server.disconnect()
        task.cancel()
    bench.server.moonraker.history.interrupt()  # as Moonraker does when it starts
    await bench.reconnect()
    state, owner = await bench.values("print_state", "print_owner")
    assert (state, owner) == (PrintState.PRINTING, PrintOwner.AGENT)
    bench.server.printer.pace = 200.0
    await bench.until_state(PrintState.IDLE)
    assert await bench.value("print_result") is PrintResult.DONE


async def test_a_restart_of_klipper_ends_the_print_and_nothing_begins_anew(
    bench: MoonrakerBench,
) -> None:
    async with printing(bench) as task:
        await bench.server.play("restart")
    assert result_of(task) in {PrintResult.FAILED, PrintResult.INTERRUPTED}
    await bench.until_ready()
    state, owner, result = await bench.values("print_state", "print_owner", "print_result")
    assert (state, owner) == (PrintState.IDLE, PrintOwner.NOBODY)
    assert result is PrintResult.INTERRUPTED
    assert not bench.server.printer.active
    bench.server.printer.pace = 200.0
    await bench.printer.print(MemoryFile("next.gcode"))
    assert await bench.value("print_result") is PrintResult.DONE


async def test_a_printer_that_was_switched_off_has_interrupted_the_print(
    bench: MoonrakerBench,
) -> None:
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(ended(bench.printer, MemoryFile()))
        await bench.until_state(PrintState.PRINTING)
        await bench.server.play("reboot", seconds=0.1)
        task.cancel()
    await bench.reconnect()
    await bench.until_ready()
    assert await bench.value("print_result") is PrintResult.INTERRUPTED


async def test_slow_answers_slow_a_print_down_and_do_not_end_it(bench: MoonrakerBench) -> None:
    bench.server.printer.pace = 200.0
    await bench.server.play("slow", seconds=0.05, match="printer.")
    told = await bench.printer.print(MemoryFile("part.gcode", SHORT))
    assert told["file"] == "part.gcode"


async def test_a_print_of_the_same_file_has_not_the_id_of_the_one_before(
    bench: MoonrakerBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.server.printer.pace = 200.0
    await bench.printer.print(MemoryFile("part.gcode", SHORT))
    assert bench.kept["job"] == "000001"
    note, late = bench.server.klippy.on_job, list[tuple[Job, str]]()
    monkeypatch.setattr(bench.server.klippy, "on_job", lambda job, end: late.append((job, end)))

    def note_all() -> None:
        monkeypatch.undo()
        for job, end in late:
            note(job, end)

    asyncio.get_running_loop().call_later(0.3, note_all)
    await bench.printer.print(MemoryFile("part.gcode", SHORT))
    assert bench.kept["job"] == "000002"


async def test_a_print_that_was_begun_and_has_no_id_is_said_to_be_shown_as_foreign(
    bench: MoonrakerBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("drivers.protocol.moonraker.JOB_S", 0.3)
    monkeypatch.setattr(bench.server.klippy, "on_job", lambda *_: None)
    with pytest.raises(Unfinished, match="is shown as somebody else's"):
        await bench.printer.print(MemoryFile())
    assert await bench.value("print_owner") is PrintOwner.FOREIGN
