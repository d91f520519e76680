"""Lines that can't work as they are described, and the size of Modbus requests."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pytest

from agent.fleet.plan import plan_for
from agent.settings import Reconnect, missing
from drivers import Driver, catalogue
from drivers.protocol import modbus
from drivers.protocol.modbus import Modbus
from drivers.protocol.registers import F64, U16
from drivers.transport.link import Timeouts
from drivers.transport.modbus_rtu import RtuBus
from tests.agent.settings_bench import complaints, loaded, problems, write
from tests.drivers.modbus_line import rtu_line
from tests.drivers.virtual_time import run

TK4 = "driver: autonics.tk4, address: 'modbus+rtu:///dev/x?baudrate="
PSU = "driver: siglent.spd1000x, address: 'tcp://192.0.2.1:1'"


class Logger(Driver[Modbus]):
    """A logger of many channels, slow to answer."""

    traits: ClassVar = {
        "timeouts": Timeouts(first_byte=1.0, next_byte=0.1, whole=3.0), "most": 64, "gap": 4
    }  # fmt: skip
    total = modbus.reading(0, F64, doc="Total.")
    first = modbus.reading(6, U16, doc="First channel.")
    second = modbus.reading(20, U16, every=2.0, doc="Second channel.")


@pytest.fixture(autouse=True)
def logger(monkeypatch: pytest.MonkeyPatch) -> None:
    drivers = {**catalogue.DRIVERS, "test.logger": f"{__name__}:Logger"}
    monkeypatch.setattr(catalogue, "DRIVERS", drivers)


def station(*devices: str) -> str:
    lines = [f"  d{number}: {{{device}}}" for number, device in enumerate(devices, 1)]
    return "\n".join(["name: a", "devices:", *lines])


@pytest.mark.parametrize(
    ("device", "complaint"),
    [
        (f"{TK4}9600&bytesize=7', title: {{en: a}}",
         "devices.d1.address: bytesize=7 can't be: Modbus RTU sends bytes of 8 bits"),
        (f"{TK4}9600&stopbits=1.5'", "devices.d1.address: stopbits=1.5 can't be: bytes of "
         "8 bits have 1 or 2 stop bits"),
        (f"{TK4}9600&xonxoff=on'", "devices.d1.address: xonxoff=on can't be: the frames of "
         "Modbus RTU hold XON and XOFF as data"),
        (f"{TK4}9600&unit=248'", "devices.d1.address: unit=248 is not a whole number from 1 "
         "to 247"),
        (f"{TK4}9600&gap=-1'", "devices.d1.address: gap=-1 is not a whole number from 0 to "
         "1000"),
        (f"{TK4}9600&echo=yes'", "devices.d1.address: echo=yes is not one of on, off"),
        (f"{TK4}9600', timeouts: {{first_byte: 2}}",
         "devices.d1.timeouts.first_byte: 2 s is above whole, 1.5 s, the driver's: a part of "
         "a reply can't take longer than all of it"),
        (f"{TK4}9600', timeouts: {{first_byte: 2, whole: 1}}",
         "devices.d1.timeouts.first_byte: 2 s is above whole, 1 s: a part of a reply can't "
         "take longer than all of it"),
        (f"{TK4}9600', timeouts: {{whole: 0.2}}",
         "devices.d1.timeouts.whole: first_byte: 0.5 s is above whole, 0.2 s: a part of a "
         "reply can't take longer than all of it"),
        (f"{TK4}1200', timeouts: {{next_byte: 0.01}}",
         "devices.d1.timeouts.next_byte: 0.01 s is shorter than the 0.0125 s that may lie "
         "between two bytes at 1200 baud: allow more"),
        (f"{TK4}300', timeouts: {{first_byte: 0.2}}",
         "devices.d1.timeouts.first_byte: 0.2 s is over before a request has left, which "
         "takes 0.267 s at 300 baud: allow more"),
        ("driver: test.logger, address: 'modbus+rtu:///dev/x?baudrate=50'",
         "devices.d1.address: timeouts.whole of the driver: 3 s is shorter than request and "
         "reply together, which take 5.4 s at 50 baud: allow more, or smaller registers.most"),
        (f"{TK4}9600', registers: {{gap: 2}}",
         "devices.d1.registers.gap: 2 is above the driver's own, 1; a config can only "
         "narrow it"),
        ("driver: test.logger, address: 'modbus+tcp://a', registers: {most: 65}",
         "devices.d1.registers.most: 65 is above the driver's own, 64; a config can only "
         "narrow it"),
        ("driver: test.logger, address: 'modbus+tcp://a', registers: {most: 3}",
         "devices.d1.registers.most: total takes 4 registers, which must come together: "
         "allow 4"),
        (f"{TK4}9600', registers: {{gap: -1}}",
         "devices.d1.registers.gap: -1 is not allowed; it must be 0 or more"),
        (f"{TK4}9600', registers: {{most: 0}}",
         "devices.d1.registers.most: 0 is not allowed; it must be 1 or more"),
        (f"{PSU}, registers: {{most: 8}}",
         "devices.d1.registers: siglent.spd1000x has no Modbus registers: delete it"),
    ],
)  # fmt: skip
def test_a_line_that_can_not_work_is_refused_where_it_is_written(
    device: str, complaint: str, tmp_path: Path
) -> None:
    found = problems(write(tmp_path, station(device)))
    assert complaint in {f"{problem.key}: {problem.text}" for problem in found}
    assert {problem.line for problem in found} == {3}


@pytest.mark.parametrize(
    "device",
    [
        f"{TK4}9600', timeouts: {{first_byte: 1, whole: 2}}",
        f"{TK4}1200', timeouts: {{next_byte: 0.02}}",
        f"{TK4}9600&parity=E&stopbits=1&echo=on', registers: {{most: 8, gap: 0}}",
        "driver: test.logger, address: 'modbus+rtu+tcp://a:1', registers: {most: 4}",
    ],
)
def test_a_line_that_can_work_is_taken(device: str, tmp_path: Path) -> None:
    assert not loaded(tmp_path, station(device)).warnings


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        (f"{TK4}9600&unit=1'", f"{TK4}9600&parity=E&unit=2'", "with other settings"),
        (f"{TK4}9600&unit=1'", f"{TK4}9600&unit=01'", "is unit 1 of this bus"),
        (f"{TK4}9600&unit=1'",
         "driver: printers.marlin, address: 'serial:///dev/x?baudrate=9600'", "the same scheme"),
    ],
)  # fmt: skip
def test_two_devices_on_one_line_agree_about_it(
    first: str, second: str, said: str, tmp_path: Path
) -> None:
    (found,) = complaints(tmp_path, station(first, second))
    assert found.startswith("station.yaml:4:")
    assert said in found


def test_one_port_under_two_names_is_one_port(tmp_path: Path) -> None:
    (tmp_path / "by-id").symlink_to("/dev/null")
    devices = (
        "driver: autonics.tk4, address: 'modbus+rtu:///dev/null?unit=1'",
        f"driver: autonics.tk4, address: 'modbus+rtu://{tmp_path}/by-id?unit=2'",
    )
    (found,) = problems(write(tmp_path, station(*devices)))
    assert found.line == 4
    assert f"{tmp_path}/by-id is the same port as /dev/null of d1" in found.text


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("serial:///dev/null", "visa://ASRL/dev/null::INSTR"),
        ("visa://asrl/dev/null::instr", "serial:///dev/null?baudrate=9600"),
        ("visa://TCPIP0::192.0.2.1::INSTR", "visa://tcpip0::192.0.2.1::instr"),
    ],
)
def test_one_instrument_under_two_visa_names_is_one(
    first: str, second: str, tmp_path: Path
) -> None:
    devices = [f"driver: siglent.spd1000x, address: '{it}'" for it in (first, second)]
    (found,) = problems(write(tmp_path, station(*devices)))
    assert found.line == 4
    assert "is the same port as" in found.text


def test_a_port_or_library_that_is_not_there_is_told_and_no_mistake(tmp_path: Path) -> None:
    absent = f"{tmp_path}/ttyUSB0"
    found = loaded(
        tmp_path,
        station(
            f"driver: autonics.tk4, address: 'modbus+rtu://{absent}?unit=1'",
            f"driver: autonics.tk4, address: 'modbus+rtu://{absent}?unit=2', enabled: false",
            "driver: autonics.tk4, address: 'modbus+rtu:///dev/null'",
            f"driver: keysight.34460a, address: 'visa://GPIB0::7::INSTR?library={tmp_path}/v.so'",
            "driver: keysight.34460a, address: 'visa://GPIB0::8::INSTR?library=/dev/null@mine'",
            "driver: keysight.34460a, address: 'visa://ASRL/dev/none::INSTR'",
            PSU,
        ),
    )
    port, library, visa = missing(found)
    assert f"station.yaml:3: devices.d1.address: there is no port {absent} here now" in port
    assert f"devices.d4.address: there is no VISA library {tmp_path}/v.so here" in library
    assert "devices.d6.address: there is no port /dev/none here now" in visa


def test_more_polls_than_a_line_can_carry_are_a_warning_with_the_figure(tmp_path: Path) -> None:
    devices = [f"{TK4}1200&unit={unit}', poll: {{temperature: 0.1}}" for unit in range(1, 4)]
    found = loaded(tmp_path, station(*devices))
    (warning,) = found.warnings
    assert (warning.line, warning.key) == (3, "devices.d1.address")
    # Each: 26 characters every 0.1 s and every second, 28 and 21 every 5 s; 10 bits, both silences.
    assert "d1, d2, d3 take 740% of this line at 1200 baud" in warning.text
    assert "d1 takes 247%" in warning.text
    assert not loaded(tmp_path, station(f"{TK4}9600'")).warnings


def test_disabled_devices_and_lines_of_unknown_speed_load_nothing(tmp_path: Path) -> None:
    fast = "poll: {temperature: 0.05}"
    off = loaded(tmp_path, station(f"{TK4}300&unit=1', enabled: false, {fast}"))
    gateway = "driver: autonics.tk4, address: 'modbus+rtu+tcp://a:1', poll: {temperature: 0.05}"
    assert not off.warnings
    assert not loaded(tmp_path, station(gateway)).warnings


@pytest.mark.parametrize(
    ("keys", "asked"),
    [("", [(0, 7)]), (", registers: {most: 6}", [(0, 4), (6, 1)]),
     (", registers: {gap: 0}", [(0, 4), (6, 1)])],
)  # fmt: skip
def test_the_bounds_of_the_config_rule_what_is_asked_for(
    keys: str, asked: list[tuple[int, int]], tmp_path: Path
) -> None:
    device = f"driver: test.logger, address: 'modbus+tcp://a'{keys}"
    plan = plan_for(loaded(tmp_path, station(device)).devices["d1"], Reconnect())
    line = rtu_line()

    async def scenario() -> None:
        async with RtuBus(line).unit(1) as unit:
            driver = plan.driver_class.over(unit, registers=plan.registers)
            await driver.read(["total", "first"])

    run(scenario())
    assert [(data[3], data[5]) for data in line.requests(4)] == asked
