"""Keysight 34460A: a bench multimeter of the Truevolt series, 6 1/2 digits.

Source: Truevolt Series DMM Operating and Service Guide, "SCPI Programming Reference": READ?,
MEASure, [SENSe:]FUNCtion, [SENSe:]…:NPLC and …:RANGe:AUTO, and "Specifications" (ranges). An
input beyond the range reads ±9.9E37, which becomes an error and never a number.
"""

from enum import Enum
from functools import partial
from types import MappingProxyType
from typing import Annotated, Final

from drivers.errors import BadReply, NotMeasured
from drivers.fields import Reading, Role, command
from drivers.forms import Span
from drivers.protocol import scpi
from drivers.units import Unit

SLOWEST_S: Final = 10.0
"""100 cycles of 50 Hz take 2 s, autozero doubles it, and autoranging may begin again."""

COMMAND_S: Final = 15.0


class Function(Enum):
    """What is measured, as SENSe:FUNCtion spells it."""

    VOLTAGE_DC = "VOLT"
    CURRENT_DC = "CURR"
    RESISTANCE = "RES"
    RESISTANCE_4_WIRE = "FRES"


class Integration(Enum):
    """For how many cycles of the mains each reading is integrated."""

    CYCLES_0_02 = 0.02
    CYCLES_0_2 = 0.2
    CYCLES_1 = 1.0
    CYCLES_10 = 10.0
    CYCLES_100 = 100.0


def _measured(*functions: Function, unit: Unit, doc: str) -> Reading[float]:
    """A value that exists while the meter is set to one of these functions.

    Function and value come in one message, so that no turn of the knob can come between them.
    """
    return scpi.reading(
        "FUNC?;:READ?", float, partial(_of, functions), unit=unit, patience=SLOWEST_S, doc=doc
    )


def _of(functions: tuple[Function, ...], reply: str) -> float:
    """The value of a reply such as `"VOLT";+1.00E+00`. Raises NotMeasured, DeviceError, BadReply."""
    name, separator, value = reply.partition(";")
    present = scpi.member(Function, name)
    if not separator:
        raise BadReply(f"{reply!r} is not a function and a value")
    if present not in functions:
        raise NotMeasured(f"the meter is set to {present.name.lower()}")
    return scpi.number(value)


_integration = partial(scpi.choice, kind=Integration, every=30.0)
_autorange = partial(scpi.switch, every=30.0)


class Keysight34460a(scpi.ScpiDriver):
    """Keysight 34460A multimeter."""

    identity = r"(Keysight|Agilent) Technologies,34460A,.*"

    traits = MappingProxyType({"ask_power_on": True})

    voltage = _measured(Function.VOLTAGE_DC, unit="V", doc="DC voltage between HI and LO.")
    current = _measured(Function.CURRENT_DC, unit="A", doc="DC current into the 3 A terminal.")
    resistance = _measured(
        Function.RESISTANCE, Function.RESISTANCE_4_WIRE, unit="Ohm", doc="Resistance, 2- or 4-wire."
    )
    function = scpi.choice("FUNC", Function, as_string=True, doc="What is measured.")

    voltage_integration = _integration(
        "VOLT:NPLC", doc="Mains cycles that each reading of DC voltage is integrated for."
    )
    voltage_autorange = _autorange(
        "VOLT:RANG:AUTO", doc="Whether the range of DC voltage follows the input."
    )
    current_integration = _integration(
        "CURR:NPLC", doc="Mains cycles that each reading of DC current is integrated for."
    )
    current_autorange = _autorange(
        "CURR:RANG:AUTO", doc="Whether the range of DC current follows the input."
    )
    resistance_integration = _integration(
        "RES:NPLC", doc="Mains cycles that each reading of 2-wire resistance is integrated for."
    )
    resistance_autorange = _autorange(
        "RES:RANG:AUTO", doc="Whether the range of 2-wire resistance follows the input."
    )

    @command(role=Role.TECHNICIAN, timeout=COMMAND_S)
    async def measure_voltage_dc(
        self, expected: Annotated[float | None, Span(0, 1000, "V")] = None
    ) -> float:
        """Select DC voltage with its default settings, and return one reading in V.

        `expected` is the largest input to expect, and fixes the range; without it the meter
        chooses. Raises DeviceError for an overrange.
        """
        return await self._measure("MEAS:VOLT:DC?", expected)

    @command(role=Role.TECHNICIAN, timeout=COMMAND_S)
    async def measure_current_dc(
        self, expected: Annotated[float | None, Span(0, 3, "A")] = None
    ) -> float:
        """Select DC current with its default settings, and return one reading in A.

        `expected` and errors are those of `measure_voltage_dc`.
        """
        return await self._measure("MEAS:CURR:DC?", expected)

    @command(role=Role.TECHNICIAN, timeout=COMMAND_S)
    async def measure_resistance(
        self, expected: Annotated[float | None, Span(0, 1e8, "Ohm")] = None
    ) -> float:
        """Select 2-wire resistance with its default settings, and return one reading in Ohm.

        `expected` and errors are those of `measure_voltage_dc`; open leads are an overrange.
        """
        return await self._measure("MEAS:RES?", expected)

    @command(role=Role.TECHNICIAN, timeout=COMMAND_S)
    async def measure_resistance_4_wire(
        self, expected: Annotated[float | None, Span(0, 1e8, "Ohm")] = None
    ) -> float:
        """Select 4-wire resistance with its default settings, and return one reading in Ohm.

        `expected` and errors are those of `measure_voltage_dc`; open leads are an overrange.
        """
        return await self._measure("MEAS:FRES?", expected)

    async def _measure(self, query: str, expected: float | None) -> float:
        parameters = () if expected is None else (expected,)
        return await self.wire.ask(query, *parameters, parse=scpi.number, patience=SLOWEST_S)
