"""What the type checker knows of a driver: mypy proves these lines, running them proves little."""

from typing import assert_type

from drivers import Command
from drivers.fields import BoundReading, BoundSetting, Reading, Setting
from drivers.meters.keysight_34460a import Function, Keysight34460a
from drivers.power.siglent_spd1000x import Spd1000x
from drivers.protocol.scpi import Scpi
from drivers.transport.memory import Script


async def test_a_value_has_the_type_of_its_reading() -> None:
    async with Script((b"MEAS:VOLT? CH1\n", b"5.001\n")) as script:
        supply = Spd1000x.over(script)
        assert_type(supply.wire, Scpi)
        assert_type(supply.measured_voltage, BoundReading[float])
        assert_type(supply.voltage, BoundSetting[float])
        assert_type(supply.output, BoundSetting[bool])
        voltage = await supply.measured_voltage.read()
        assert_type(voltage, float)
        assert voltage == 5.001


def test_on_the_class_a_field_is_its_own_description() -> None:
    assert_type(Spd1000x.measured_voltage, Reading[float])
    assert_type(Spd1000x.voltage, Setting[float])
    assert_type(Keysight34460a.function, Setting[Function])
    assert isinstance(Spd1000x.ramp, Command)
