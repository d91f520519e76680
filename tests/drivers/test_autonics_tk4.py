"""The TK4 driver against the manual's addresses, and against the simulator written from it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from drivers.errors import DeviceError, OutOfRange, WrongInstrument
from drivers.thermal.autonics_tk4 import Tk4
from drivers.transport.memory import Script
from drivers.transport.modbus_rtu import RtuBus
from simulators import autonics_tk4 as simulated
from simulators.modbus import RtuBus as Wires
from tests.drivers.modbus_examples import frame
from tests.drivers.modbus_line import Line
from tests.drivers.virtual_time import run


class Dialogue(Script):
    """Frames as hex; the probe for function 8 is answered as a TK4 would."""

    def __init__(self, *pairs: tuple[str, str]) -> None:
        super().__init__(*((frame(asked), frame(answered)) for asked, answered in pairs))

    def send_now(self, data: bytes) -> None:
        if data[1] == 8:
            self.inbox.feed(frame("88 01"))
        else:
            super().send_now(data)


@asynccontextmanager
async def tk4(link: Line | Script) -> AsyncIterator[Tk4]:
    async with RtuBus(link, baudrate=9600).unit(1) as unit:
        yield Tk4.over(unit)


async def test_temperature_decimal_point_and_unit_come_from_one_request() -> None:
    script = Dialogue(("04 03E8 0003", "04 06 00FD 0001 0000"))
    async with tk4(script) as device:
        assert await device.temperature.read() == 25.3
    script.assert_finished()


@pytest.mark.parametrize(
    ("raw", "reason"), [("7918", "sensor open"), ("7530", "HHHH"), ("8AD0", "LLLL")]
)
async def test_a_sensor_fault_is_a_reason_and_no_temperature(raw: str, reason: str) -> None:
    async with tk4(Dialogue(("04 03E8 0003", f"04 06 {raw} 0001 0000"))) as device:
        with pytest.raises(DeviceError, match=reason):
            await device.temperature.read()


async def test_fahrenheit_is_refused_and_not_called_celsius() -> None:
    monitor = ("04 03E8 0004", "04 08 00FD 0001 0001 0064")
    script = Dialogue(("04 03E8 0003", "04 06 00FD 0001 0001"), monitor, monitor)
    async with tk4(script) as device:
        for ask in (device.temperature.read, device.setpoint.read):
            with pytest.raises(DeviceError, match="°F"):
                await ask()
        with pytest.raises(DeviceError, match="°F"):
            await device.setpoint.write(10.0)
    script.assert_finished()


async def test_the_setpoint_is_written_with_the_decimals_that_the_controller_shows() -> None:
    script = Dialogue(
        ("04 03E8 0004", "04 08 00FD 0001 0000 0000"),
        ("06 0000 05DC", "06 0000 05DC"),
        ("04 03E8 0004", "04 08 00FD 0000 0000 05DC"),
        ("06 0000 0096", "06 0000 0096"),
    )
    async with tk4(script) as device:
        await device.setpoint.write(150.0)
        await device.setpoint.write(150.0)
    script.assert_finished()


async def test_stop_is_one_on_the_coil_and_is_read_back() -> None:
    script = Dialogue(("05 0000 FF00", "05 0000 FF00"), ("01 0000 0001", "01 01 01"))
    async with tk4(script) as device:
        await device.make_safe()
    script.assert_finished()


async def test_a_controller_that_goes_on_running_is_not_called_safe() -> None:
    async with tk4(
        Dialogue(("05 0000 FF00", "05 0000 FF00"), ("01 0000 0001", "01 01 00"))
    ) as device:
        with pytest.raises(DeviceError, match="still runs"):
            await device.make_safe()


async def test_everything_polled_comes_in_two_requests() -> None:
    script = Dialogue(
        ("01 0000 0001", "01 01 00"),
        ("04 03E8 0007", "04 0E 00FD 0001 0000 05DC 01F4 0000 0608"),
    )
    async with tk4(script) as device:
        assert await device.read(Tk4.readings) == {
            "temperature": 25.3,
            "setpoint": 150.0,
            "heating_output": 50.0,
            "running": True,
            "auto_tuning": False,
            "alarm_1": True,
            "alarm_2": True,
            "manual_control": False,
        }
    script.assert_finished()


def on_simulator(
    scenario: Callable[[Tk4, simulated.Tk4], Awaitable[None]], controller: simulated.Tk4
) -> None:
    async def play() -> None:
        async with tk4(Line(Wires([controller]).handle)) as device:
            await scenario(device, controller)

    run(play())


def test_the_simulator_and_the_driver_agree_on_the_manual() -> None:
    async def scenario(device: Tk4, controller: simulated.Tk4) -> None:
        found = await device.meet("10001")
        assert found.model == "TK4T4RR"
        before = await device.temperature.read()
        assert before == pytest.approx(controller.furnace.temperature, abs=1.0)
        await device.running.write(True)
        await device.setpoint.write(before + 20)
        controller.advance(30.0)
        await asyncio.sleep(1)
        assert await device.heating_output.read() > 0
        assert await device.temperature.read() > before
        await device.make_safe()
        await device.make_safe()
        assert await device.heating_output.read() == 0
        assert await device.running.read() is False
        controller.sensor_broken = True
        with pytest.raises(DeviceError, match="sensor open"):
            await device.temperature.read()

    on_simulator(scenario, simulated.Tk4())


def test_a_setpoint_beyond_the_limits_set_in_the_controller_is_refused_by_it() -> None:
    async def scenario(device: Tk4, controller: simulated.Tk4) -> None:
        was = await device.setpoint.read()
        with pytest.raises(DeviceError, match="illegal data value"):
            await device.setpoint.write(2000.0)
        with pytest.raises(OutOfRange, match=r"2301 °C is above 2300 °C"):
            await device.setpoint.write(2301.0)
        assert await device.setpoint.read() == was

    on_simulator(scenario, simulated.Tk4())


def test_an_oven_with_tenths_shows_tenths() -> None:
    async def scenario(device: Tk4, controller: simulated.Tk4) -> None:
        await device.setpoint.write(37.5)
        assert await device.setpoint.read() == 37.5
        with pytest.raises(OutOfRange, match=r"not a multiple of 0\.1"):
            await device.setpoint.write(37.55)

    on_simulator(scenario, simulated.Tk4(installation=simulated.OVEN))


def test_another_serial_number_is_another_instrument() -> None:
    async def scenario(device: Tk4, controller: simulated.Tk4) -> None:
        with pytest.raises(WrongInstrument, match="the config wants 10002"):
            await device.meet("10002")

    on_simulator(scenario, simulated.Tk4())
