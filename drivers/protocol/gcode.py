"""G-code: the words that the driver of a printer is written with.

class Printer(Driver[GCode]):
    bed = gcode.report("M105", rf"B:{NUMBER}", unit="Cel", doc="Temperature of the bed.")
    bed_target = gcode.setting("M105", …, "M140 S{}", unit="Cel", low=0, high=110, doc="…")

A pattern's first group is the value in the report that the query brings.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from drivers.fields import Reading, Role, Setting
from drivers.protocol.gcode_reports import NUMBER, ReportRef
from drivers.protocol.gcode_values import decimal
from drivers.protocol.gcode_wire import GCode, LocalRef
from drivers.units import Unit

__all__ = ["NUMBER", "GCode", "LocalRef", "ReportRef", "local", "report", "reported", "setting"]

T = TypeVar("T")


def reported(ref: ReportRef[float], *, unit: Unit, every: float = 2.0, doc: str) -> Reading[float]:
    """A number of which it is known already where it is reported."""
    return Reading(ref, float, unit=unit, every=every, doc=doc)


def report(query: str, pattern: str, *, unit: Unit, every: float = 2.0, doc: str) -> Reading[float]:
    """A number in the report that `query` brings, which the pattern's first group finds."""
    return Reading(ReportRef(float, str, query, pattern), float, unit=unit, every=every, doc=doc)


def setting(
    query: str,
    pattern: str,
    order: str,
    *,
    unit: Unit,
    low: float,
    high: float,
    role: Role = Role.TECHNICIAN,
    every: float = 2.0,
    doc: str,
) -> Setting[float]:
    """A number that `order` sets, `{}` being the number; it may be set during a command."""
    ref = ReportRef(float, decimal, query, pattern, order)
    return Setting(
        ref, float, unit=unit, low=low, high=high, role=role, every=every, anytime=True, doc=doc
    )


def local(
    get: Callable[[Any], T], type_: type[T], *, unit: Unit = "", every: float = 1.0, doc: str
) -> Reading[T]:
    """A value that the wire knows without asking."""
    return Reading(LocalRef(type_, str, get), type_, unit=unit, every=every, doc=doc)
