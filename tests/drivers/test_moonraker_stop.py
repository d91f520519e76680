"""How a printer behind Moonraker is stopped at once, and made safe."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from drivers.errors import DeviceError, Unfinished
from drivers.protocol.printing import Heaters, PrintOwner, PrintResult, PrintState
from simulators.networked_board import Board
from simulators.networked_job import PrintState as Simulated
from tests.drivers.host_bench import ended
from tests.drivers.moonraker_bench import MoonrakerBench, printing, result_of
from tests.drivers.print_files import HEATED, MemoryFile

pytestmark = pytest.mark.lab


@pytest.fixture
async def bench() -> AsyncIterator[MoonrakerBench]:
    async with MoonrakerBench() as bench:
        yield bench


def cold(bench: MoonrakerBench) -> bool:
    return not any(heater.target for heater in bench.server.printer.board.heaters.values())


async def test_an_emergency_stop_ends_the_print_and_says_so(bench: MoonrakerBench) -> None:
    async with printing(bench) as task:
        await bench.printer.interrupt()
        assert bench.server.printer.halted
    assert result_of(task) is PrintResult.FAILED
    assert "Klipper has shut down (Shutdown due to webhooks request" in str(task.result())
    await bench.printer.make_safe()  # heaters and motors are off, as Klipper is made
    assert cold(bench)
    await bench.server.play("restart")
    await bench.until_ready()
    state, result = await bench.values("print_state", "print_result")
    assert (state, result) == (PrintState.IDLE, PrintResult.FAILED)


async def test_an_emergency_stop_is_done_although_klipper_does_not_answer(
    bench: MoonrakerBench,
) -> None:
    await bench.value("bed")
    await bench.server.play("slow", seconds=3.0, match="objects.query", when="before")
    began = asyncio.get_running_loop().time()
    await bench.printer.interrupt()
    assert asyncio.get_running_loop().time() - began < 2.0
    assert bench.server.printer.halted


async def test_a_print_is_stopped_without_another_look(bench: MoonrakerBench) -> None:
    async with printing(bench) as task:
        await bench.server.play("slow", seconds=3.0, match="objects.query", when="before")
        async with asyncio.timeout(1.5):
            await bench.printer.interrupt()
        assert bench.server.printer.halted
        await bench.server.play("clear")
    assert result_of(task) is PrintResult.FAILED


async def test_an_emergency_stop_needs_no_websocket(bench: MoonrakerBench) -> None:
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(ended(bench.printer, MemoryFile("long.gcode", HEATED)))
        await bench.until_state(PrintState.PRINTING)
        bench.server.disconnect()
        await bench.printer.interrupt()
        assert bench.server.printer.halted
        task.cancel()


async def test_an_emergency_stop_on_a_connection_that_is_gone_takes_another_one(
    bench: MoonrakerBench,
) -> None:
    await bench.server.play("drop", next=1, match="/printer/emergency_stop", when="before")
    await bench.printer.wire.halt_surely()
    assert bench.server.printer.halted


async def test_an_emergency_stop_waits_for_no_order(bench: MoonrakerBench) -> None:
    bench.server.printer.pace = 1.0
    async with asyncio.TaskGroup() as tasks:
        homing = tasks.create_task(_caught(bench.printer.home()))
        await bench.until(lambda: bench.server.printer.busy)
        await bench.printer.interrupt()
    assert bench.server.printer.halted
    assert isinstance(homing.result(), DeviceError)


async def _caught(doing: object) -> Exception | None:
    try:
        await doing  # type: ignore[misc]
    except Exception as error:  # noqa: BLE001 - the test looks at it
        return error
    return None


async def test_an_emergency_stop_stops_what_somebody_else_moves(bench: MoonrakerBench) -> None:
    bench.server.printer.pace = 1.0
    await bench.value("bed")
    bench.server.klippy.run("G28")
    await asyncio.sleep(0.4)  # what moves is told four times a second
    await bench.printer.interrupt()
    assert bench.server.printer.halted


async def test_a_printer_at_rest_is_left_as_it_is(bench: MoonrakerBench) -> None:
    await bench.printer.nozzle_target.write(200.0)
    await bench.until(lambda: not bench.server.printer.busy)
    await bench.printer.interrupt()
    assert not bench.server.printer.halted
    assert await bench.value("print_state") is PrintState.IDLE


async def test_a_klipper_that_has_shut_down_is_not_shut_down_again(bench: MoonrakerBench) -> None:
    await bench.server.play("thermal_error")
    await bench.until(lambda: bench.server.klippy.state == "shutdown")
    await bench.server.play("refuse", status=500, match="/printer/emergency_stop")
    await bench.printer.interrupt()
    with pytest.raises(DeviceError, match="not heating at expected rate"):
        await bench.value("bed")


async def test_an_emergency_stop_that_is_refused_is_said(bench: MoonrakerBench) -> None:
    await bench.server.play("refuse", status=503, match="/printer/emergency_stop")
    with pytest.raises(DeviceError, match=r"the emergency stop: .*\(503\)"):
        await bench.printer.wire.halt_surely()


async def test_make_safe_ends_the_print_cools_and_reads_it_back(bench: MoonrakerBench) -> None:
    async with printing(bench) as task:
        bench.server.printer.board.fan = 1.0
        await bench.printer.make_safe()
        assert cold(bench)
        assert bench.server.printer.board.fan == 0.0
        assert await bench.values("heaters", "print_state") == (Heaters.OFF, PrintState.IDLE)
    assert result_of(task) is PrintResult.CANCELLED
    await bench.printer.make_safe()  # twice is harmless
    assert not bench.server.printer.halted


async def test_make_safe_ends_what_somebody_else_prints(bench: MoonrakerBench) -> None:
    await bench.server.play("screen", action="start")
    await bench.until_state(PrintState.PRINTING)
    await bench.printer.make_safe()
    assert bench.job.state is Simulated.CANCELLED


async def test_make_safe_ends_a_print_whose_id_is_not_known_yet(
    bench: MoonrakerBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench.server.klippy, "on_job", lambda *_: None)  # the history is late
    await bench.server.play("screen", action="start")
    await bench.until_state(PrintState.PRINTING)
    assert await bench.value("print_owner") is PrintOwner.FOREIGN
    await bench.printer.make_safe()
    assert bench.job.state is Simulated.CANCELLED


async def test_make_safe_does_not_believe_that_heaters_are_off_before_it_is_told(
    bench: MoonrakerBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.printer.bed_target.write(60.0)
    monkeypatch.setitem(Board._COMMANDS, "TURN_OFF_HEATERS", lambda *_: None)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1.0):
            await bench.printer.make_safe()
    monkeypatch.undo()
    await bench.printer.make_safe()
    assert cold(bench)


async def test_make_safe_knows_of_heaters_that_are_neither_nozzle_nor_bed(
    bench: MoonrakerBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    from simulators import moonraker_objects

    chamber = {"temperature": 30.0, "target": 50.0}
    monkeypatch.setitem(
        moonraker_objects._OBJECTS, "heaters",
        lambda _: {"available_heaters": ["extruder", "heater_bed", "heater_generic chamber"]},
    )  # fmt: skip
    monkeypatch.setitem(
        moonraker_objects._OBJECTS, "heater_generic chamber", lambda _: dict(chamber)
    )
    await bench.reconnect()
    assert await bench.value("heaters") is Heaters.ON
    async with asyncio.TaskGroup() as tasks:
        safe = tasks.create_task(bench.printer.make_safe())
        await asyncio.sleep(0.5)
        assert not safe.done()
        chamber["target"] = 0.0


async def test_an_order_that_klipper_is_long_over_is_said_to_be_unfinished(
    bench: MoonrakerBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("drivers.protocol.moonraker_klipper.SCRIPT_S", 0.2)
    bench.server.printer.pace = 1.0
    with pytest.raises(Unfinished):
        await bench.printer.home()
    assert await bench.value("nozzle") > 0.0  # the link is as good as before
