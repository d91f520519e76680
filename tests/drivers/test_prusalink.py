"""The driver of printers with PrusaLink: who may, what it reads, what it asks and how often."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from drivers.errors import (
    BadReply,
    ConnectFailed,
    DeviceError,
    LinkClosed,
    LinkError,
    LinkTimeout,
    NotMeasured,
    RequestError,
    WrongInstrument,
)
from drivers.printers.printer import Printer
from drivers.printers.prusalink import PrusaLinkPrinter
from drivers.protocol.printing import Heaters, PrintOwner, PrintResult, PrintState
from simulators.prusalink_state import PrusaState
from tests.drivers.print_files import MemoryFile
from tests.drivers.prusalink_bench import PrusaLinkBench, with_password

pytestmark = pytest.mark.lab


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[PrusaLinkBench]:
    async with PrusaLinkBench(tmp_path) as bench:
        yield bench


def sent(bench: PrusaLinkBench) -> list[str]:
    """The requests since the link was opened, as the flight recorder has them."""
    return [data.decode() for _, kind, data, _ in bench.link.recorder.entries() if kind == "sent"]


async def test_it_says_who_it_is(bench: PrusaLinkBench) -> None:
    found = await bench.printer.meet()
    assert found.text == "PrusaLink, API 2.0.0"
    assert found.serial_number == "10589-3742441632049"
    assert found.firmware == await bench.value("firmware") == "6.0.0+14794"


def test_it_offers_what_every_printer_does_and_asks_less_often() -> None:
    assert PrusaLinkPrinter.commands == Printer.commands
    assert not PrusaLinkPrinter.settings()
    assert list(PrusaLinkPrinter.readings) == list(Printer.readings)
    for name, reading in PrusaLinkPrinter.readings.items():
        other = Printer.readings[name]
        assert (reading.ref, reading.form, reading.doc) == (other.ref, other.form, other.doc)
        assert reading.every >= 2.0


async def test_another_unit_than_the_config_wants_is_refused(bench: PrusaLinkBench) -> None:
    with pytest.raises(WrongInstrument, match="serial number 10589-3742441632049"):
        await bench.printer.meet("CZPX4720X004XC34242")


@pytest.mark.parametrize("text", ["OctoPrint 1.10.2", "Prusa SLA SL1 1.0.5", "Not PrusaLink"])
async def test_another_server_is_refused_by_what_it_calls_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr(PrusaState, "version", lambda _: {"api": "0.1", "text": text})
    bench = PrusaLinkBench(tmp_path)
    async with bench.server:
        bench.link, bench.printer = bench.driver()
        async with bench.link:
            with pytest.raises(WrongInstrument, match=text):
                await bench.printer.meet()


async def test_what_is_no_printer_at_all_is_no_prusalink(bench: PrusaLinkBench) -> None:
    await bench.server.play("refuse", status=404, match="/api/version")
    with pytest.raises(BadReply, match="nobody knows /api/version"):
        await bench.printer.meet()


async def test_a_firmware_without_this_api_has_to_be_brought_up_to_date(
    bench: PrusaLinkBench,
) -> None:
    await bench.server.play("refuse", status=404, match="/api/v1/status")
    with pytest.raises(DeviceError, match="bring the printer's firmware up to date"):
        await bench.value("nozzle")


# What it reads


async def test_each_value_is_what_the_machine_has(bench: PrusaLinkBench) -> None:
    board = bench.server.printer.board
    bench.server.printer.pace = 1e-6
    for name, target, temperature in (("nozzle", 215.0, 214.9), ("bed", 60.0, 59.5)):
        board.heaters[name].aim(target)
        board.heaters[name].temperature = temperature
    board.head.position.update(X=23.2, Y=24.3, Z=0.5)
    names = ("nozzle", "nozzle_target", "bed", "bed_target", "x", "y", "z", "heaters")
    assert await bench.values(*names) == (214.9, 215.0, 59.5, 60.0, 23.2, 24.3, 0.5, Heaters.ON)
    state, owner, result = await bench.values("print_state", "print_owner", "print_result")
    assert (state, owner, result) == (PrintState.IDLE, PrintOwner.NOBODY, PrintResult.NONE)


async def test_what_prusalink_does_not_tell_is_not_measured(bench: PrusaLinkBench) -> None:
    told = await bench.printer.read(["print_layer", "print_layers", "print_height", "print_left"])
    assert {type(value) for value in told.values()} == {NotMeasured}


async def test_a_look_costs_one_request_and_a_new_job_one_more(bench: PrusaLinkBench) -> None:
    everything = list(bench.printer.readings)
    before = bench.requests
    await bench.printer.read(everything)
    assert bench.requests == before + 1
    bench.play("screen", action="start", file="남의 것.gcode")
    await bench.printer.read(everything)
    assert bench.requests == before + 3
    assert await bench.value("print_file") == "남의 것.gcode"
    assert bench.requests == before + 4


async def test_one_thing_is_asked_at_a_time(
    bench: PrusaLinkBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy = most = 0
    ask = bench.link.ask

    async def counted(*what: Any, **how: Any) -> Any:
        nonlocal busy, most
        busy += 1
        most = max(most, busy)
        try:
            return await ask(*what, **how)
        finally:
            busy -= 1

    monkeypatch.setattr(bench.link, "ask", counted)
    async with asyncio.TaskGroup() as tasks:
        for _ in range(20):
            tasks.create_task(bench.value("nozzle"))
    assert most == 1


@pytest.mark.parametrize(
    ("trick", "how", "state"),
    [
        ("ready", {}, PrintState.IDLE),
        ("busy", {"seconds": 500.0}, PrintState.BUSY),
        ("thermal_error", {}, PrintState.ERROR),
        ("screen", {"action": "start"}, PrintState.PRINTING),
    ],
)
async def test_what_the_printer_does_by_itself_is_shown(
    bench: PrusaLinkBench, trick: str, how: dict[str, Any], state: PrintState
) -> None:
    bench.play(trick, **how)
    await bench.until_state(state)


async def test_a_printer_in_trouble_takes_no_print_and_says_why(bench: PrusaLinkBench) -> None:
    bench.play("thermal_error")
    await bench.until_state(PrintState.ERROR)
    assert await bench.value("print_message") == "it reports an error: see its display"
    with pytest.raises(RequestError, match="takes no print now: it reports an error"):
        await bench.printer.print(MemoryFile())
    assert not bench.server.storage.all()


# What goes wrong on the way


async def test_a_printer_that_is_off_the_network_can_not_be_connected(
    bench: PrusaLinkBench,
) -> None:
    await bench.server.stop()
    with pytest.raises(LinkError):
        await bench.value("nozzle")
    with pytest.raises(ConnectFailed, match="nothing listens there"):
        await bench.reconnect()
    await bench.server.start()
    await bench.reconnect()
    assert await bench.value("print_state") is PrintState.IDLE


async def test_a_cut_connection_is_the_fault_of_the_link(bench: PrusaLinkBench) -> None:
    await bench.server.play("drop", next=1, match="/api/v1/status")
    with pytest.raises(LinkClosed):
        await bench.value("nozzle")
    assert await bench.value("print_state") is PrintState.IDLE


async def test_a_late_answer_is_nobodys_answer(tmp_path: Path) -> None:
    bench = PrusaLinkBench(tmp_path)
    bench.timeouts = bench.timeouts | {"first_byte": 1.0}
    async with bench:
        bench.server.printer.pace = 1e-6
        bench.server.printer.board.heaters["nozzle"].temperature = 100.0
        await bench.server.play("slow", next=1, match="/api/v1/status", seconds=1.6)
        with pytest.raises(LinkTimeout):
            await bench.value("nozzle")
        for degrees in (101.0, 102.0, 103.0):
            bench.server.printer.board.heaters["nozzle"].temperature = degrees
            assert await bench.value("nozzle") == degrees
            await asyncio.sleep(0.4)


async def test_a_printer_that_has_no_time_is_no_fault_of_the_print(bench: PrusaLinkBench) -> None:
    await bench.server.play("refuse", next=1, status=503, match="/api/v1/status")
    with pytest.raises(LinkError, match=r"does not tell its status: .*503"):
        await bench.value("nozzle")


async def test_the_flight_recorder_has_no_secret(tmp_path: Path) -> None:
    bench = PrusaLinkBench(tmp_path)
    bench.server.access.password = "a-secret-of-maker"
    bench.access = with_password(tmp_path, "a-secret-of-maker")
    async with bench:
        await bench.value("nozzle")
        assert "GET /api/v1/status" in sent(bench)
        kept = b"".join(data for _, _, data, _ in bench.link.recorder.entries())
    assert b"a-secret-of-maker" not in kept
    assert b"Digest" not in kept


async def test_no_single_order_is_taken(bench: PrusaLinkBench) -> None:
    before = bench.requests
    with pytest.raises(RequestError, match="takes no single orders, such as M104 S0"):
        await bench.printer.wire.order("M104 S0")
    assert bench.requests == before
