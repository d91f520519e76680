"""Siglent SPD1000X: programmable supplies with one output.

Source: SPD1000X Series User Manual, chapter "Remote Control", as public drivers for the family and
the manual of its sister series SPD3000X render it (the manual itself was not at hand: check commands
and status bits on hardware); the data sheet (ranges; 1 mV and 1 mA resolution). The family has no
query for the output, whose state is a bit of the status, and answers SYSTem:ERRor? as `0 No Error`.
"""

import asyncio
import math
import re
from enum import Enum
from types import MappingProxyType
from typing import Annotated, Final

from drivers.errors import BadReply
from drivers.fields import Role, Setting, command
from drivers.forms import Span
from drivers.protocol import scpi

STEP_S: Final = 0.2
"""Time from one step of a ramp to the next. A step takes three exchanges, some 0.1 s."""

RAMP_TIMEOUT_S: Final = 4000.0
"""The whole range at the slowest rate takes 3000 s."""

STATUS: Final = "SYST:STAT?"


class Regulation(Enum):
    """Which of its two settings the supply holds; the load decides."""

    CONSTANT_VOLTAGE = 0
    CONSTANT_CURRENT = 1


def status(text: str) -> int:
    """Read the answer of SYSTem:STATus?, `0x10`. Raises BadReply."""
    if not re.fullmatch(r"0x[0-9A-Fa-f]{1,8}", text):
        raise BadReply(f"{text!r} is not a status such as 0x10")
    return int(text, 16)


class OneOutput(scpi.ScpiDriver):
    """What the supplies of the family share; they differ in their ranges."""

    # Users report that the family loses a command which follows another at once: hence the pause,
    # and the question after each setting whether it was taken.
    traits = MappingProxyType({"pause": 0.05})
    hazards = MappingProxyType({"output": frozenset({False})})

    voltage: Setting[float]
    current_limit: Setting[float]

    measured_voltage = scpi.reading(
        "MEAS:VOLT? CH1", unit="V", doc="Voltage at the terminals, or at the sense wires."
    )
    measured_current = scpi.reading("MEAS:CURR? CH1", unit="A", doc="Current into the load.")
    measured_power = scpi.reading("MEAS:POWE? CH1", unit="W", doc="Power into the load.")
    regulation = scpi.reading(
        STATUS,
        Regulation,
        lambda text: Regulation(status(text) & 1),
        doc="Whether the voltage or the current is held.",
    )
    four_wire = scpi.reading(
        STATUS,
        bool,
        lambda text: bool(status(text) >> 5 & 1),
        doc="Whether the voltage is sensed at the load by wires of its own.",
    )
    output = scpi.switch(
        "OUTP CH1,{}",
        query=STATUS,
        parse=lambda text: bool(status(text) >> 4 & 1),
        every=1.0,
        confirm=True,
        doc="Whether the terminals are live.",
    )

    async def make_safe(self) -> None:
        """Switch the output off. Raises DeviceError when it is still on afterwards."""
        await self.output.write(False)

    async def _ramp(self, to: float, rate: float) -> float:
        """Step the voltage, never faster than `rate`, and return what is measured at the end.

        The target is checked against this device's own limits before the first step.
        """
        self.voltage.check(to)
        start = await self.voltage.read()
        steps = math.ceil(abs(to - start) / (rate * STEP_S) - 1e-9)
        clock = asyncio.get_running_loop().time
        for step in range(1, steps + 1):
            began = clock()
            await self.voltage.write(start + (to - start) * step / steps)
            await asyncio.sleep(max(0.0, began + STEP_S - clock()))
        return await self.measured_voltage.read()


class Spd1000x(OneOutput):
    """Siglent SPD1168X bench supply, 16 V and 8 A."""

    identity = r"Siglent Technologies,SPD1168X,.*"

    voltage = scpi.setting(
        "CH1:VOLT", unit="V", low=0, high=16, confirm=True, doc="Voltage the output regulates to."
    )
    current_limit = scpi.setting(
        "CH1:CURR",
        unit="A",
        low=0,
        high=8,
        role=Role.ENGINEER,
        confirm=True,
        doc="Current above which the supply holds the current instead.",
    )

    @command(role=Role.TECHNICIAN, timeout=RAMP_TIMEOUT_S)
    async def ramp(
        self, to: Annotated[float, Span(0, 16, "V")], rate: Annotated[float, Span(0.01, 10, "V/s")]
    ) -> float:
        """Move the voltage to `to`, no faster than `rate`; return what the terminals reached."""
        return await self._ramp(to, rate)


class Spd1305x(OneOutput):
    """Siglent SPD1305X bench supply, 30 V and 5 A."""

    identity = r"Siglent Technologies,SPD1305X,.*"

    voltage = scpi.setting(
        "CH1:VOLT", unit="V", low=0, high=30, confirm=True, doc="Voltage the output regulates to."
    )
    current_limit = scpi.setting(
        "CH1:CURR",
        unit="A",
        low=0,
        high=5,
        role=Role.ENGINEER,
        confirm=True,
        doc="Current above which the supply holds the current instead.",
    )

    @command(role=Role.TECHNICIAN, timeout=RAMP_TIMEOUT_S)
    async def ramp(
        self, to: Annotated[float, Span(0, 30, "V")], rate: Annotated[float, Span(0.01, 10, "V/s")]
    ) -> float:
        """Move the voltage to `to`, no faster than `rate`; return what the terminals reached."""
        return await self._ramp(to, rate)
