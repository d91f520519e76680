"""What OctoPrint, its printer and the network between may do to a print and to a look."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from drivers.errors import (
    AccessRefused,
    ConnectFailed,
    DeviceError,
    LinkClosed,
    LinkError,
    LinkTimeout,
)
from drivers.protocol import octoprint_view
from drivers.protocol.printing import PrintEnded, PrintOwner, PrintResult, PrintState
from simulators.networked_job import PrintState as Simulated
from tests.drivers.host_bench import ended, with_key
from tests.drivers.octoprint_bench import OctoPrintBench
from tests.drivers.print_files import HEATED, MemoryFile

pytestmark = pytest.mark.lab


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[OctoPrintBench]:
    async with OctoPrintBench(tmp_path) as bench:
        yield bench


async def begun(bench: OctoPrintBench) -> None:
    """Begin a print, and leave off following it, as an agent that is ended does."""
    async with asyncio.TaskGroup() as tasks:
        printing = tasks.create_task(ended(bench.printer, MemoryFile("부품.gcode")))
        await bench.until_state(PrintState.PRINTING)
        printing.cancel()


# The connection


async def test_a_print_goes_on_without_us_and_is_found_again(bench: OctoPrintBench) -> None:
    await begun(bench)
    await bench.link.__aexit__()
    await bench.server.stop()
    link, printer = bench.driver()
    async with link:
        with pytest.raises(ConnectFailed):
            await printer.meet()
    await bench.server.start()
    await bench.reconnect()
    owner, state, file = await bench.values("print_owner", "print_state", "print_file")
    assert (owner, state, file) == (PrintOwner.AGENT, PrintState.PRINTING, "부품.gcode")
    await bench.printer.pause()
    await bench.printer.cancel()
    assert await bench.value("print_result") is PrintResult.CANCELLED


async def test_whoever_does_not_know_its_id_takes_it_for_somebody_elses(
    bench: OctoPrintBench,
) -> None:
    await begun(bench)
    bench.kept = {}
    await bench.reconnect()
    assert await bench.value("print_owner") is PrintOwner.FOREIGN


@pytest.mark.parametrize(
    ("action", "result", "words"),
    [
        ("", PrintResult.DONE, ""),
        ("cancel", PrintResult.FAILED, "OctoPrint does not tell which"),
    ],
)
async def test_how_a_print_ended_while_nobody_looked_is_told_as_far_as_it_is_known(
    bench: OctoPrintBench, action: str, result: PrintResult, words: str
) -> None:
    await begun(bench)
    await bench.link.__aexit__()
    if action:
        await bench.server.play("screen", action=action)
    bench.server.printer.pace = 1000.0
    await bench.until(lambda: not bench.server.printer.active)
    await bench.reconnect()
    told, reason = await bench.values("print_result", "print_reason")
    assert told is result
    assert words in reason


async def test_a_followed_print_outlives_a_lost_connection(bench: OctoPrintBench) -> None:
    async with asyncio.TaskGroup() as tasks:
        printing = tasks.create_task(ended(bench.printer, MemoryFile()))
        await bench.until_state(PrintState.PRINTING)
        await bench.server.stop()
        with pytest.raises(LinkError):
            await bench.value("print_state")
        await bench.server.start()
        bench.server.disconnect()
        bench.server.printer.pace = 1000.0
    assert printing.result() is None
    assert bench.job.state is Simulated.FINISHED


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_a_followed_print_outlives_a_server_in_trouble(
    bench: OctoPrintBench, status: int
) -> None:
    async with asyncio.TaskGroup() as tasks:
        printing = tasks.create_task(ended(bench.printer, MemoryFile()))
        await bench.until_state(PrintState.PRINTING)
        await bench.server.play("refuse", status=status, match="GET /api", next=20)
        with pytest.raises(LinkClosed, match=f"does not serve now \\({status}\\)"):
            await bench.value("print_state")
        bench.server.printer.pace = 1000.0
    assert printing.result() is None


async def test_an_answer_that_comes_too_late_is_none(tmp_path: Path) -> None:
    async with OctoPrintBench(tmp_path) as bench:
        bench.timeouts = {**bench.timeouts, "first_byte": 0.2}
        await bench.reconnect()
        await bench.server.play("slow", seconds=1.0, match="GET /api/printer", next=1)
        with pytest.raises(LinkTimeout):
            await bench.value("nozzle")
        assert await bench.value("nozzle") == pytest.approx(23.0, abs=3.0)


async def test_a_slow_answer_waits_for_nobody_else(bench: OctoPrintBench) -> None:
    await bench.server.play("slow", seconds=1.0, match="GET /api/printer", next=1)
    async with asyncio.TaskGroup() as tasks:
        slow = tasks.create_task(bench.value("nozzle"))
        await asyncio.sleep(0.1)
        await bench.printer.wire.halt()
        assert not slow.done()
    assert bench.server.printer.halted


@pytest.mark.parametrize("when", ["before", "after"])
async def test_an_order_whose_answer_is_lost_has_an_unknown_outcome(
    bench: OctoPrintBench, when: str
) -> None:
    await bench.server.play("drop", match="POST /api/printer/command", when=when, next=1)
    with pytest.raises(LinkError) as caught:
        await bench.printer.bed_target.write(60.0)
    assert caught.value.sent
    if when == "after":
        await bench.until(lambda: 60.0 in bench.targets())
    assert await bench.value("bed_target") == (60.0 if when == "after" else 0.0)


# The key


async def test_a_wrong_key_is_refused_at_the_first_request(
    tmp_path: Path, bench: OctoPrintBench
) -> None:
    bench.access = with_key(tmp_path, "0" * 32)
    link, printer = bench.driver()
    async with link:
        with pytest.raises(AccessRefused, match="does not accept the key"):
            await printer.meet()


async def test_a_key_that_is_taken_away_is_said(bench: OctoPrintBench) -> None:
    await bench.server.play("refuse", status=403, match="/api/printer", next=1)
    with pytest.raises(AccessRefused):
        await bench.value("nozzle")


# The printer


async def test_a_printer_that_is_not_connected_is_at_fault_until_it_is(
    bench: OctoPrintBench,
) -> None:
    bench.server.octo.disconnect()
    with pytest.raises(DeviceError, match=r"\(Offline\): connect it in OctoPrint"):
        await bench.value("print_state")
    with pytest.raises(DeviceError, match="connect it in OctoPrint"):
        await bench.printer.print(MemoryFile())
    with pytest.raises(DeviceError, match="connect it in OctoPrint"):
        await bench.printer.nozzle_target.write(50.0)
    bench.server.octo.connect()
    await bench.until(lambda: bench.server.octo.operational)
    assert await bench.value("print_state") is PrintState.IDLE


async def test_a_printer_that_is_lost_in_a_print_has_failed_it(bench: OctoPrintBench) -> None:
    async with asyncio.TaskGroup() as tasks:
        printing = tasks.create_task(ended(bench.printer, MemoryFile("long.gcode", HEATED)))
        await bench.until_state(PrintState.PRINTING)
        await bench.server.play("unplug_serial")
    error = printing.result()
    assert isinstance(error, PrintEnded)
    assert error.result is PrintResult.FAILED
    assert "Offline after error: SerialException: device disconnected" in str(error)


async def test_a_thermal_fault_has_failed_the_print(bench: OctoPrintBench) -> None:
    async with asyncio.TaskGroup() as tasks:
        printing = tasks.create_task(ended(bench.printer, MemoryFile("long.gcode", HEATED)))
        await bench.until_state(PrintState.PRINTING)
        await bench.server.play("thermal_error")
    error = printing.result()
    assert isinstance(error, PrintEnded)
    assert error.result is PrintResult.FAILED
    assert "Heater extruder not heating" in str(error)


async def test_a_restart_of_octoprint_ends_the_print_and_nothing_begins_by_itself(
    bench: OctoPrintBench,
) -> None:
    async with asyncio.TaskGroup() as tasks:
        printing = tasks.create_task(ended(bench.printer, MemoryFile("long.gcode", HEATED)))
        await bench.until_state(PrintState.PRINTING)
        await bench.server.play("reboot", seconds=0.3)
    error = printing.result()
    assert isinstance(error, PrintEnded)
    assert error.result in {PrintResult.FAILED, PrintResult.INTERRUPTED}
    await bench.reconnect()
    await bench.until(lambda: bench.server.octo.operational)
    assert await bench.value("print_state") is PrintState.IDLE
    assert len(bench.server.printer.jobs) == 1


# The push


async def test_a_look_at_a_print_takes_two_requests_once_it_is_known(bench: OctoPrintBench) -> None:
    bench.server.printer.pace = 1.0
    await begun(bench)
    await bench.value("print_progress")
    before = bench.requests
    for _ in range(10):
        await bench.value("print_progress")
    assert bench.requests - before == 20


async def test_without_a_push_rest_alone_serves(bench: OctoPrintBench) -> None:
    await bench.server.play("refuse", status=403, match="POST /api/login")
    await bench.reconnect()
    assert not bench.printer.wire._push.is_open
    bench.server.printer.pace = 500.0
    await bench.printer.print(MemoryFile("part.gcode"))
    assert await bench.value("print_result") is PrintResult.DONE
    assert not bench.printer.wire._push.is_open


async def test_a_push_that_loses_messages_loses_no_print(bench: OctoPrintBench) -> None:
    await bench.server.play("drop_messages", every=2)
    bench.server.printer.pace = 1000.0
    for number in range(3):
        await bench.printer.print(MemoryFile(f"{number}.gcode"))
        assert await bench.value("print_result") is PrintResult.DONE


async def test_a_lost_push_is_tried_for_again(
    bench: OctoPrintBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(octoprint_view, "PUSH_AGAIN_S", 0.3)
    push = bench.printer.wire._push
    assert push.is_open
    bench.server.disconnect()
    async with asyncio.timeout(10.0):
        for wanted in (False, True):
            while push.is_open is not wanted:
                with suppress(LinkError):
                    await bench.value("nozzle")
                await asyncio.sleep(0.01)


async def test_the_end_of_the_link_is_the_end_of_the_push(bench: OctoPrintBench) -> None:
    assert len(bench.server.push.listeners) == 1
    await bench.link.__aexit__()
    await bench.until(lambda: not bench.server.push.listeners)
