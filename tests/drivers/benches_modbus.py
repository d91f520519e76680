"""The temperature controller on the bench."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import MappingProxyType

from simulators.autonics_tk4 import OVEN, Alarm, Tk4
from simulators.instrument import Instrument
from simulators.modbus import RtuBus, TcpGateway, Unit
from simulators.modbus_block import BlockDevice
from tests.drivers.bench import Bench, Truth

WRITES = {5, 6, 15, 16}
NO_ECHO = "a TK4 has no function 8 to fence with: what is later than `whole` can't be told"


class ControllerBench(Bench):
    """A controller of a furnace that neither heats nor cools, in manual control."""

    schemes = ("modbus+tcp", "modbus+rtu", "modbus+rtu+tcp")
    quick = MappingProxyType({"first_byte": 0.1, "next_byte": 0.05, "whole": 0.3})
    lateness = MappingProxyType({"modbus+rtu": NO_ECHO, "modbus+rtu+tcp": NO_ECHO})
    values = MappingProxyType(
        {"setpoint": ((0.0, 123.4, 300.0), "L-SV and H-SV of this controller are 0 and 300 °C")}
    )

    def __init__(self) -> None:
        still = replace(OVEN, time_constant=1e12)
        self.controller = Tk4(address=1, installation=still, alarm_1=Alarm.OFF)
        self._scheme = ""
        self.stir(0)

    def instrument(self, scheme: str) -> Instrument:
        self._scheme = scheme
        return _wired(scheme, self.controller)

    def impostor(self, scheme: str) -> Instrument:
        return _wired(scheme, BlockDevice(1, 0x1000))

    def stir(self, step: int) -> None:
        loop, place = self.controller._loop, step % 97
        loop.manual = True
        loop.stopped = step % 3 == 0
        loop.power = 0.0 if loop.stopped else round(0.005 * (1 + place), 3)
        loop.set_value = round(20.0 + 1.3 * place, 1)
        loop.furnace.temperature = round(150.0 + 3.7 * place, 1)
        if step % 2:
            loop.tune()
        else:
            loop.leave_tuning()

    def truth(self) -> Truth:
        loop = self.controller._loop
        return {
            "temperature": float(f"{loop.furnace.temperature:.1f}"),
            "setpoint": loop.set_value,
            "heating_output": float(f"{loop.power * 100:.1f}"),
            "running": not loop.stopped,
            "auto_tuning": loop.tuning,
            "alarm_1": False,
            "alarm_2": False,
            "manual_control": loop.manual,
        }

    def energise(self) -> None:
        self.controller._loop.run()

    def is_safe(self) -> bool:
        return self.controller._loop.stopped

    def writes(self, heard: Sequence[bytes]) -> int:
        at = 7 if self._scheme == "modbus+tcp" else 1
        return sum(frame[at] in WRITES for frame in heard if len(frame) > at)


def _wired(scheme: str, unit: Unit) -> Instrument:
    return TcpGateway([unit]) if scheme == "modbus+tcp" else RtuBus([unit])
