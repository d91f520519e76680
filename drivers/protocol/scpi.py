"""SCPI: the words that the driver of a programmable instrument is written with.

    class Supply(ScpiDriver):
        measured = scpi.reading("MEAS:VOLT?", unit="V", doc="Voltage at the terminals.")
        voltage = scpi.setting("VOLT", unit="V", low=0, high=16, doc="Voltage to regulate to.")
        output = scpi.switch("OUTP", doc="Whether the terminals are live.")

A setting's `header` is followed by the value, or holds `{}` where the value goes; its value is
asked by the header with a question mark, or by `query`.
"""

from collections.abc import Callable
from enum import Enum
from functools import partial
from typing import Any, TypeVar, overload

from drivers.driver import Driver, Identity
from drivers.fields import Reading, Role, Setting
from drivers.protocol.ieee488 import boolean, member, number, parameter, quoted, string
from drivers.protocol.scpi_wire import Scpi, ScpiRef
from drivers.units import Unit

__all__ = [
    "Scpi",
    "ScpiDriver",
    "ScpiRef",
    "boolean",
    "choice",
    "member",
    "number",
    "reading",
    "setting",
    "string",
    "switch",
    "text",
]

T = TypeVar("T")
E = TypeVar("E", bound=Enum)


class ScpiDriver(Driver[Scpi]):
    """An instrument that answers `*IDN?` with manufacturer, model, serial number and firmware."""

    async def identify(self) -> Identity:
        """Ask `*IDN?`, whose last field, the firmware, may have commas of its own."""
        text = await self.wire.hello()
        fields = [field.strip() for field in text.split(",", 3)]
        _, model, serial_number, firmware = (*fields, "", "", "", "")[:4]
        return Identity(text, model, serial_number, firmware)


@overload
def reading(
    query: str, *, unit: Unit = ..., every: float = ..., patience: float = ..., doc: str
) -> Reading[float]: ...
@overload
def reading(
    query: str,
    type_: type[T],
    parse: Callable[[str], T],
    *,
    unit: Unit = ...,
    every: float = ...,
    patience: float = ...,
    doc: str,
) -> Reading[T]: ...
def reading(
    query: str,
    type_: type[Any] = float,
    parse: Callable[[str], Any] = number,
    *,
    unit: Unit = "",
    every: float = 1.0,
    patience: float = 0.0,
    doc: str,
) -> Reading[Any]:
    """A value to ask for; readings of one query share its answer.

    `patience` is how much longer than usual the answer may be in coming, in seconds.
    """
    ref = ScpiRef(parse, str, query, patience=patience)
    return Reading(ref, type_, unit=unit, every=every, doc=doc)


def setting(
    header: str,
    *,
    unit: Unit,
    low: float,
    high: float,
    digits: int = 3,
    role: Role = Role.TECHNICIAN,
    every: float = 5.0,
    confirm: bool = False,
    doc: str,
) -> Setting[float]:
    """A number that can be set, sent with as many decimals as the instrument resolves."""
    ref = ScpiRef(number, partial(_decimals, digits), f"{header}?", header, confirm)
    return Setting(ref, float, unit=unit, low=low, high=high, role=role, every=every, doc=doc)


def switch(
    header: str,
    *,
    query: str = "",
    parse: Callable[[str], bool] = boolean,
    role: Role = Role.TECHNICIAN,
    every: float = 5.0,
    confirm: bool = False,
    doc: str,
) -> Setting[bool]:
    """Something that is on or off."""
    ref = ScpiRef(parse, parameter, query or f"{header}?", header, confirm)
    return Setting(ref, bool, role=role, every=every, doc=doc)


def choice(
    header: str,
    kind: type[E],
    *,
    as_string: bool = False,
    role: Role = Role.TECHNICIAN,
    every: float = 5.0,
    confirm: bool = False,
    doc: str,
) -> Setting[E]:
    """One of an Enum whose values are the instrument's own words or numbers.

    `as_string` sends the word in quotes; answers are understood with and without them.
    """
    encode = partial(_choice, as_string)
    ref = ScpiRef(partial(member, kind), encode, f"{header}?", header, confirm)
    return Setting(ref, kind, role=role, every=every, doc=doc)


def text(
    header: str,
    *,
    role: Role = Role.TECHNICIAN,
    every: float = 5.0,
    confirm: bool = False,
    doc: str,
) -> Setting[str]:
    """A quoted text, such as a label on the display: ASCII without control characters and `;`."""
    ref = ScpiRef(string, quoted, f"{header}?", header, confirm)
    return Setting(ref, str, role=role, every=every, doc=doc)


def _decimals(digits: int, value: float) -> str:
    return f"{round(value, digits) + 0.0:.{digits}f}"  # + 0.0: no "-0.000"


def _choice(as_string: bool, value: Enum) -> str:
    return quoted(str(value.value)) if as_string else parameter(value)
