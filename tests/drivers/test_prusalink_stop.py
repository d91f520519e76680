"""Stopping printers with PrusaLink, and prints that are lost out of sight and found again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from drivers.errors import DeviceError, LinkError
from drivers.protocol import prusalink, prusalink_files, prusalink_job
from drivers.protocol.printing import Heaters, PrintEnded, PrintOwner, PrintResult, PrintState
from simulators.networked_job import PrintState as Simulated
from tests.drivers.host_bench import ended
from tests.drivers.print_files import HEATED, MemoryFile
from tests.drivers.prusalink_bench import PrusaLinkBench, SlowFile

pytestmark = pytest.mark.lab


@pytest.fixture
async def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[PrusaLinkBench]:
    monkeypatch.setattr(prusalink_files, "SOON_S", 0.05)
    monkeypatch.setattr(prusalink, "COOL_S", 0.5)
    async with PrusaLinkBench(tmp_path) as bench:
        yield bench


async def test_a_stop_ends_the_print_whoever_began_it_and_reads_the_heaters_back(
    bench: PrusaLinkBench,
) -> None:
    bench.server.storage.store("hot.gcode", HEATED, 0.0)
    bench.play("screen", action="start", file="hot.gcode")
    heaters = bench.server.printer.board.heaters
    await bench.until(lambda: heaters["nozzle"].target == 200.0)
    await bench.printer.make_safe()
    assert bench.job.state is Simulated.CANCELLED
    assert (heaters["nozzle"].target, heaters["bed"].target) == (0.0, 0.0)
    assert await bench.value("heaters") is Heaters.OFF
    await bench.printer.make_safe()
    assert len(bench.server.printer.jobs) == 1


async def test_a_print_that_takes_long_to_end_is_not_called_safe(bench: PrusaLinkBench) -> None:
    bench.play("screen", action="start")
    await bench.until_printing()
    bench.server.printer.pace = 0.5
    with pytest.raises(DeviceError, match="heaters are off, and the print has not ended yet"):
        await bench.printer.make_safe()
    assert bench.job.state is Simulated.CANCELLING


async def test_heaters_that_somebody_has_switched_on_are_said_to_be_on(
    bench: PrusaLinkBench,
) -> None:
    bench.server.printer.board.heaters["bed"].aim(60.0)
    with pytest.raises(DeviceError, match="takes no order to switch heaters off: do it at its dis"):
        await bench.printer.make_safe()
    assert bench.server.printer.board.heaters["bed"].target == 60.0


async def test_an_interrupt_ends_the_print_with_one_request(bench: PrusaLinkBench) -> None:
    bench.play("screen", action="start")
    await bench.until_printing()
    before = bench.requests
    await bench.printer.interrupt()
    assert bench.requests == before + 1
    await bench.until(lambda: bench.job.state is Simulated.CANCELLED)


async def test_an_interrupt_finds_a_print_that_nobody_has_looked_at(bench: PrusaLinkBench) -> None:
    bench.play("screen", action="start")
    await bench.printer.interrupt()
    await bench.until(lambda: bench.job.state is Simulated.CANCELLED)


async def test_an_interrupt_ends_a_print_that_has_taken_the_place_of_the_last(
    bench: PrusaLinkBench,
) -> None:
    bench.play("screen", action="start")
    await bench.until_printing()
    bench.play("screen", action="cancel")
    await bench.until(lambda: bench.job.state is Simulated.CANCELLED)
    bench.play("screen", action="start")
    await bench.printer.interrupt()
    await bench.until(lambda: bench.job.state is Simulated.CANCELLED)
    assert len(bench.server.printer.jobs) == 2


async def test_an_interrupt_leaves_a_printer_at_rest_as_it_is(bench: PrusaLinkBench) -> None:
    for _ in range(2):
        await bench.printer.interrupt()
    assert not bench.server.printer.jobs
    assert bench.server.state.word == "IDLE"


async def test_an_interrupt_waits_for_no_other_request(bench: PrusaLinkBench) -> None:
    bench.play("screen", action="start")
    await bench.until_printing()
    await bench.server.play("slow", next=1, match="/api/v1/status", seconds=2.5)
    async with asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(bench.value("nozzle"))
        await asyncio.sleep(0)
        async with asyncio.timeout(1.5):
            await bench.printer.interrupt()
        assert not reading.done()
        reading.cancel()


async def test_a_stop_in_an_upload_waits_for_nothing_and_nothing_prints(
    bench: PrusaLinkBench,
) -> None:
    file = SlowFile()
    async with asyncio.TaskGroup() as tasks:
        printing = tasks.create_task(ended(bench.printer, file))
        await bench.until(lambda: file.given > 1000)
        async with asyncio.timeout(1.5):
            await bench.printer.interrupt()
        error = await printing
        await bench.printer.make_safe()
    assert isinstance(error, PrintEnded)
    assert error.result is PrintResult.CANCELLED
    assert not bench.server.printer.jobs


async def test_a_stop_waits_for_the_job_of_a_print_that_was_just_ordered(
    bench: PrusaLinkBench,
) -> None:
    await bench.server.play("slow", next=1, match="POST /api/v1/files", seconds=9, when="before")
    printing = asyncio.ensure_future(bench.printer.print(MemoryFile(data=HEATED)))  # noqa: TID251
    await bench.until(lambda: bench.server.faults.counts["slow"] == 1)
    printing.cancel()  # as the agent does to what is under way
    await asyncio.wait([printing])
    start = partial(bench.server.printer.start, "part.gcode", HEATED, by="api")
    asyncio.get_running_loop().call_later(0.2, start)  # the order had arrived, and takes its time
    await bench.printer.make_safe()
    assert bench.job.state is Simulated.CANCELLED


async def test_a_stop_that_sees_no_job_of_a_print_that_was_just_ordered_says_so(
    bench: PrusaLinkBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prusalink, "LATE_S", 0.1)
    await bench.server.play("drop", next=1, match="POST /api/v1/files", when="before")
    with pytest.raises(LinkError):
        await bench.printer.print(MemoryFile())
    with pytest.raises(DeviceError, match="was ordered just before, and may still begin"):
        await bench.printer.make_safe()
    monkeypatch.setattr(prusalink, "START_S", 0.0)  # so long after
    await bench.printer.make_safe()


async def test_a_print_goes_on_when_the_connection_is_lost_and_is_found_again_by_its_id(
    bench: PrusaLinkBench,
) -> None:
    printing = asyncio.ensure_future(bench.printer.print(MemoryFile(data=HEATED)))  # noqa: TID251
    await bench.until_printing()
    await bench.server.stop()
    printing.cancel()
    await asyncio.wait([printing])
    await bench.until(lambda: bench.job.state is Simulated.PRINTING)
    await bench.server.start()
    await bench.reconnect()
    owner, result, file = await bench.values("print_owner", "print_result", "print_file")
    assert (owner, result, file) == (PrintOwner.AGENT, PrintResult.NONE, "part.gcode")
    await bench.printer.pause()
    await bench.until(lambda: bench.job.state is Simulated.PAUSED)
    await bench.printer.cancel()
    assert bench.job.state is Simulated.CANCELLED
    assert await bench.value("print_result") is PrintResult.CANCELLED


async def test_the_command_follows_its_print_through_a_lost_connection(
    bench: PrusaLinkBench,
) -> None:
    async with asyncio.TaskGroup() as tasks:
        printing = tasks.create_task(bench.printer.print(MemoryFile()))
        await bench.until_printing()
        await bench.server.stop()
        await asyncio.sleep(0.2)
        assert not printing.done()
        bench.server.printer.pace = 500.0
        await bench.server.start()
        told = await printing
    assert told["file"] == "part.gcode"
    assert await bench.value("print_result") is PrintResult.DONE


async def test_a_print_that_ended_out_of_sight_is_not_called_done(
    bench: PrusaLinkBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prusalink_job, "OUT_OF_SIGHT_S", 0.1)
    monkeypatch.setattr(prusalink_job, "GONE_S", 0.1)
    async with asyncio.TaskGroup() as tasks:
        printing = tasks.create_task(ended(bench.printer, MemoryFile()))
        await bench.until_printing()
        await bench.server.stop()
        bench.server.printer.pace = 500.0
        await bench.until(lambda: bench.job.state is Simulated.FINISHED)
        await asyncio.sleep(0.2)
        await bench.server.start()
        error = await printing
    assert isinstance(error, PrintEnded)
    assert error.result is PrintResult.UNKNOWN
    assert "nobody saw its end, and the printer is FINISHED now" in str(error)
    assert await bench.value("print_result") is PrintResult.UNKNOWN


async def test_a_print_that_a_restart_of_the_printer_ended_begins_by_itself_no_more(
    bench: PrusaLinkBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prusalink_job, "GONE_S", 0.2)
    async with asyncio.TaskGroup() as tasks:
        printing = tasks.create_task(ended(bench.printer, MemoryFile(data=HEATED)))
        await bench.until_printing()
        await bench.server.play("reboot", seconds=0.2)
        error = await printing
    assert isinstance(error, PrintEnded)
    assert error.result is PrintResult.UNKNOWN
    state, owner, reason = await bench.values("print_state", "print_owner", "print_reason")
    assert (state, owner) == (PrintState.IDLE, PrintOwner.NOBODY)
    assert reason == "nobody saw its end, and the printer is IDLE now"
    assert len(bench.server.printer.jobs) == 1


async def test_a_print_that_somebody_began_afterwards_is_not_taken_for_ours(
    bench: PrusaLinkBench,
) -> None:
    async with asyncio.TaskGroup() as tasks:
        printing = tasks.create_task(ended(bench.printer, MemoryFile(data=HEATED)))
        await bench.until_printing()
        await bench.server.stop()
        bench.play("screen", action="cancel")
        await bench.until(lambda: bench.job.state is Simulated.CANCELLED)
        bench.play("screen", action="start", file="part.gcode")
        await bench.server.start()
        error = await printing
    assert isinstance(error, PrintEnded)
    assert error.result is PrintResult.UNKNOWN
    assert "another print has taken its place" in str(error)
    assert await bench.value("print_owner") is PrintOwner.FOREIGN
