"""What is told of devices beside their readings: which they are, and how far a print is."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from agent.fleet.board import Board
from agent.fleet.samples import Quality, Sample, Snapshot
from agent.fleet.states import DeviceState
from agent.fleet.tally import Tally
from agent.metrics import StationPage
from drivers import Address
from drivers.catalogue import load
from tests.agent.metrics_bench import Series, labels, scraped

DEVICE = labels(device="a")


def shown(driver: str, address: str, /, **values: Any) -> Series:
    """The page of one device that reads so."""
    plan = SimpleNamespace(
        driver_class=load(driver),
        driver_name=driver,
        simulated=True,
        address=Address.parse(address),
    )
    workers: Any = {"a": SimpleNamespace(plan=plan, tally=Tally())}
    samples = {name: Sample(value, Quality.GOOD, 1.0) for name, value in values.items()}
    board = Board()
    board.post(Snapshot(device="a", state=DeviceState.READY, since=0.0, samples=samples))
    return scraped(StationPage(board, workers))


def printing(state: str, **values: Any) -> Series:
    return shown("printers.marlin", "serial:///dev/ttyUSB0", print_state=state, **values)


def test_a_device_says_its_driver_its_kind_and_that_it_is_simulated() -> None:
    page = shown("siglent.spd1000x", "tcp://192.0.2.1:5025")
    facts = labels(device="a", driver="siglent.spd1000x", kind="power", simulated="true")
    assert page["labkeeper_device_info", facts] == 1
    assert "labkeeper_bus_unit_info" not in {name for name, _ in page}


@pytest.mark.parametrize(
    ("address", "bus", "unit"),
    [
        ("modbus+tcp://192.0.2.2?unit=3", "modbus+tcp://192.0.2.2:502", "3"),
        ("modbus+rtu:///dev/ttyUSB0", "modbus+rtu:///dev/ttyUSB0", "1"),
    ],
)
def test_a_unit_of_a_bus_says_which_device_it_is(address: str, bus: str, unit: str) -> None:
    page = shown("autonics.tk4", address)
    assert page["labkeeper_bus_unit_info", labels(bus=bus, unit=unit, device="a")] == 1


def test_a_print_is_as_far_as_its_time_is_and_else_as_its_file_is() -> None:
    both = printing("printing", print_progress=50.0, print_time_progress=25.0, print_left=90.0)
    assert both["labkeeper_print_progress_ratio", DEVICE] == 0.25
    assert both["labkeeper_print_left_seconds", DEVICE] == 90
    file = printing("paused", print_progress=50.0)
    assert file["labkeeper_print_progress_ratio", DEVICE] == 0.5
    assert "labkeeper_print_left_seconds" not in {name for name, _ in file}


@pytest.mark.parametrize("state", ["idle", "uploading", "error"])
def test_where_nothing_is_printed_the_last_print_is_not_told(state: str) -> None:
    page = printing(state, print_progress=100.0, print_time_progress=100.0, print_left=0.0)
    assert not [name for name, _ in page if name.startswith("labkeeper_print_")]
