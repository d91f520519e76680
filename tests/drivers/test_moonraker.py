"""The driver of printers behind Moonraker: connecting, readings, orders, Klipper's own troubles."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from drivers.errors import (
    AccessRefused,
    BadReply,
    ConnectFailed,
    DeviceError,
    LinkClosed,
    LinkTimeout,
    NotMeasured,
    OutOfRange,
)
from drivers.printers.moonraker import MoonrakerPrinter
from drivers.printers.printer import DirectPrinter
from drivers.protocol.printing import Heaters, PrintOwner, PrintState
from simulators.moonraker import API_KEY
from simulators.moonraker_methods import METHODS
from tests.drivers.host_bench import with_key
from tests.drivers.moonraker_bench import MoonrakerBench

pytestmark = pytest.mark.lab


@pytest.fixture
async def bench() -> AsyncIterator[MoonrakerBench]:
    async with MoonrakerBench() as bench:
        yield bench


def asked(bench: MoonrakerBench) -> list[str]:
    """The methods that were asked for over the WebSocket since the link was opened."""
    text = b"\n".join(data for _, kind, data, _ in bench.link.recorder.entries() if kind == "sent")
    return re.findall(r'"method": "([a-z._]+)"', text.decode())


async def test_it_says_who_it_is_and_what_klipper_runs_behind_it(bench: MoonrakerBench) -> None:
    found = await bench.printer.meet()
    assert found.text == "Moonraker v0.9.3-1-g4e00a07"
    assert found.firmware == "Klipper v0.12.0-430-g329fbd01d"
    assert await bench.value("firmware") == found.firmware


def test_it_offers_what_every_printer_with_single_orders_does() -> None:
    assert MoonrakerPrinter.readings == DirectPrinter.readings
    assert MoonrakerPrinter.commands == DirectPrinter.commands


async def test_a_host_that_is_no_moonraker_is_refused(bench: MoonrakerBench) -> None:
    await bench.server.play("refuse", status=404, match="/server/info")
    with pytest.raises(BadReply, match="no Moonraker answers here"):
        await bench.reconnect()


async def test_a_web_server_before_a_moonraker_that_is_down_is_no_other_kind(
    bench: MoonrakerBench,
) -> None:
    await bench.server.play("refuse", status=502, match="/server/info")
    with pytest.raises(ConnectFailed, match="not running"):
        await bench.reconnect()


async def test_without_the_key_it_is_refused_and_told_what_to_do() -> None:
    bench = MoonrakerBench(demands_key=True)
    with pytest.raises(AccessRefused, match="give the device an `access`"):
        await bench.__aenter__()
    await bench.__aexit__()


async def test_another_key_is_refused_and_told_what_to_do(tmp_path: Path) -> None:
    bench = MoonrakerBench(demands_key=True)
    bench.access = with_key(tmp_path, "another")
    with pytest.raises(AccessRefused, match=r"access\.key_file"):
        await bench.__aenter__()
    await bench.__aexit__()


async def test_with_the_key_it_reads_and_is_obeyed(tmp_path: Path) -> None:
    bench = MoonrakerBench(demands_key=True)
    bench.access = with_key(tmp_path, API_KEY)
    async with bench:
        assert await bench.value("print_state") is PrintState.IDLE
        await bench.printer.part_fan(50.0)
        assert bench.server.printer.board.fan == pytest.approx(0.5, abs=0.01)


async def test_a_key_that_is_taken_away_is_no_fault_of_the_link(
    bench: MoonrakerBench, tmp_path: Path
) -> None:
    for connection in bench.server.moonraker.connections:
        connection.trusted = False
    with pytest.raises(AccessRefused, match=r"access\.key_file"):
        await bench.value("bed")


async def test_each_value_is_what_the_machine_has(bench: MoonrakerBench) -> None:
    await bench.printer.home()
    bench.server.printer.pace = 1e-6  # it stands still
    board = bench.server.printer.board
    board.heaters["nozzle"].temperature, board.heaters["bed"].temperature = 201.25, 61.5
    board.heaters["nozzle"].target, board.heaters["bed"].target = 200.0, 60.0
    board.head.position.update(X=12.5, Y=34.25, Z=0.3)
    board.shown.text = "필라멘트 확인"

    async with asyncio.timeout(5.0):
        while await bench.value("print_message") != "필라멘트 확인":
            await asyncio.sleep(0.02)
    told = await bench.printer.read(MoonrakerPrinter.readings)
    temperatures = ("nozzle", "nozzle_target", "bed", "bed_target")
    assert [told[name] for name in temperatures] == pytest.approx([201.25, 200.0, 61.5, 60.0])
    assert (told["x"], told["y"], told["z"]) == (12.5, 34.25, 0.3)
    assert told["heaters"] is Heaters.ON
    assert told["print_state"] is PrintState.IDLE
    assert told["print_owner"] is PrintOwner.NOBODY
    assert told["print_file"] == ""


async def test_a_place_along_an_axis_that_is_not_homed_is_not_known(bench: MoonrakerBench) -> None:
    await bench.printer.home("X")
    x, y = await bench.values("x", "y")
    assert x == 0.0
    assert isinstance(y, NotMeasured)


async def test_a_look_costs_one_request_and_the_rest_is_told(bench: MoonrakerBench) -> None:
    await bench.value("bed")
    before = len(asked(bench))
    bench.server.printer.board.heaters["bed"].temperature = 55.0
    async with asyncio.timeout(5.0):
        while await bench.value("bed") < 50.0:
            await asyncio.sleep(0.02)
    assert set(asked(bench)[before:]) == {"printer.objects.query"}
    assert (
        b'"heater_bed"'
        not in [data for _, kind, data, _ in bench.link.recorder.entries() if kind == "sent"][-1]
    )


async def test_targets_are_set_and_read_back(bench: MoonrakerBench) -> None:
    await bench.printer.nozzle_target.write(210.0)
    await bench.printer.bed_target.write(60.0)
    heaters = bench.server.printer.board.heaters
    assert (heaters["nozzle"].target, heaters["bed"].target) == (210.0, 60.0)
    assert await bench.values("nozzle_target", "bed_target") == (210.0, 60.0)  # at once
    assert await bench.value("heaters") is Heaters.ON


async def test_what_klipper_refuses_is_told_in_its_words(bench: MoonrakerBench) -> None:
    with pytest.raises(DeviceError, match=r"Requested temperature \(299.0\) out of range"):
        await bench.printer.nozzle_target.write(299.0)


async def test_what_the_driver_refuses_is_not_sent(bench: MoonrakerBench) -> None:
    before = len(asked(bench))
    with pytest.raises(OutOfRange):
        await bench.printer.nozzle_target.write(400.0)
    assert len(asked(bench)) == before


async def test_homing_returns_when_it_is_done_and_looks_go_on_meanwhile(
    bench: MoonrakerBench,
) -> None:
    bench.server.printer.pace = 10.0
    async with asyncio.TaskGroup() as tasks:
        homing = tasks.create_task(bench.printer.home("XY"))
        looks = 0
        while not homing.done():
            await bench.value("nozzle")
            looks += 1
    assert looks > 5
    assert bench.server.printer.board.head.homed == {"X", "Y"}


@pytest.mark.parametrize(
    ("trick", "words"),
    [
        ({"do": "emergency_stop"}, "Klipper has shut down .*M112.*FIRMWARE_RESTART"),
        ({"do": "restart", "error": "Pin 'PA1' is used twice"}, "Klipper could not start .*PA1"),
    ],
    ids=["shutdown", "error"],
)
async def test_a_klipper_that_takes_no_commands_is_a_fault_and_not_idle(
    bench: MoonrakerBench, trick: dict[str, Any], words: str
) -> None:
    await bench.value("bed")
    await bench.server.play(**trick)
    await bench.until(lambda: bench.server.klippy.state in {"shutdown", "error"})
    for _ in range(2):
        with pytest.raises(DeviceError, match=words):
            await bench.value("bed")


async def test_a_klipper_that_is_gone_or_starting_is_a_fault_until_it_is_ready(
    bench: MoonrakerBench,
) -> None:
    await bench.printer.home()
    assert await bench.value("x") == 0.0
    await bench.server.play("restart")
    said = set()
    async with asyncio.timeout(5.0):
        while True:
            try:
                await bench.value("x")
                break
            except DeviceError as error:
                said.add(str(error).partition(":")[0])
            await asyncio.sleep(0.01)
    assert said == {"Moonraker has no connection to Klipper", "Klipper is starting"}


async def test_after_a_restart_of_klipper_it_is_subscribed_anew_and_nothing_old_is_shown(
    bench: MoonrakerBench,
) -> None:
    await bench.printer.home()
    assert await bench.value("x") == 0.0
    await bench.server.play("restart")
    await bench.until_ready()
    assert isinstance(await bench.value("x"), NotMeasured)  # it is not homed any more
    assert asked(bench).count("printer.objects.subscribe") == 2
    bench.server.printer.board.heaters["nozzle"].temperature = 150.0
    async with asyncio.timeout(5.0):
        while await bench.value("nozzle") < 140.0:
            await asyncio.sleep(0.02)


async def test_a_moonraker_that_klipper_has_never_reached_is_met_and_shown_at_fault(
    bench: MoonrakerBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    methods = {k: v for k, v in METHODS.items() if not k.startswith("printer.")}
    monkeypatch.setattr("simulators.moonraker_rpc.METHODS", methods)
    await bench.reconnect()
    with pytest.raises(DeviceError, match="no connection to Klipper"):
        await bench.value("bed")


async def test_a_lost_websocket_closes_the_link_and_a_new_one_works(bench: MoonrakerBench) -> None:
    await bench.value("bed")
    await bench.server.play("disconnect")
    with pytest.raises(LinkClosed):
        await bench.value("bed")
    with pytest.raises(LinkClosed):
        await bench.value("bed")
    await bench.reconnect()
    assert await bench.value("print_state") is PrintState.IDLE


async def test_a_printer_that_is_off_the_network_can_not_be_connected(
    bench: MoonrakerBench,
) -> None:
    await bench.server.play("unplug")
    with pytest.raises(ConnectFailed):
        await bench.reconnect()
    await bench.server.play("plug")
    await bench.reconnect()


async def test_a_late_answer_is_nobodys_answer(bench: MoonrakerBench) -> None:
    bench.timeouts = bench.timeouts | {"first_byte": 0.2}
    await bench.reconnect()
    await bench.value("bed")
    await bench.server.play("slow", seconds=0.5, next=1, match="objects.query")
    with pytest.raises(LinkTimeout):
        await bench.value("bed")
    bench.server.printer.board.heaters["bed"].temperature = 77.0
    async with asyncio.timeout(5.0):
        while True:
            try:
                if await bench.value("bed") > 70.0:
                    break
            except LinkTimeout:
                continue
            await asyncio.sleep(0.02)


async def test_after_a_change_that_makes_no_sense_everything_is_asked_for_anew(
    bench: MoonrakerBench,
) -> None:
    await bench.value("bed")
    (connection,) = bench.server.moonraker.connections
    connection.push({"method": "notify_status_update", "params": [{"heater_bed": "hot"}, 1.0]})
    with pytest.raises(BadReply):
        await bench.value("bed")
    assert await bench.value("bed") == 23.0
    assert asked(bench).count("printer.objects.subscribe") == 2


async def test_a_hundred_readers_share_one_websocket(bench: MoonrakerBench) -> None:
    async with asyncio.TaskGroup() as tasks:
        reads = [tasks.create_task(bench.values("nozzle", "bed")) for _ in range(100)]
    assert {read.result() for read in reads} == {(23.0, 23.0)}
