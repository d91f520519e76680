"""Where a printer on a serial line tells its values: in which report, and how it is spelled there.

Sources: the pages of M105 and M114 at marlinfw.org; the documentation of the firmwares that
`gcode_firmware` lists, whose reports differ in spaces and in what follows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from drivers.errors import DriverError
from drivers.protocol.gcode_reports import NUMBER, ReportRef
from drivers.protocol.printing import Heaters

_PLAIN: Final = NUMBER.replace("(", "(?:", 1)


def _heat(heater: str) -> tuple[str, str]:
    """Patterns of a heater's temperature and target, in a report that no other one runs into."""
    before = rf"^(?!.*\bT:.*\bT:)(?:.*\s)?{heater}:\s*"
    return rf"{before}{NUMBER}\s*/\s*{_PLAIN}(?!\S)", rf"{before}{_PLAIN}\s*/\s*{NUMBER}(?!\S)"


_AXES: Final = rf"(?:[A-Z]:\s*{_PLAIN}\s+)*"


def _place(axis: str) -> str:
    """Pattern of an axis in a position report, which is whole only up to the step counts.

    Firmware without counts ends with the filament; a number is whole where another one follows.
    """
    whole = rf"(?:{_AXES}Count\b|[A-DF-Z]:\s*{_PLAIN}\s+.*\bE:\s*{_PLAIN}\s*$)"
    if axis == "E":
        return rf"^(?:C:\s*)?{_AXES}E:\s*{NUMBER}\s*(?:\s{_AXES}Count\b|$)"
    return rf"^(?:C:\s*)?{_AXES}{axis}:\s*{NUMBER}\s+(?:{whole}|E:\s*{_PLAIN}\s*$)"


def _number(query: str, pattern: str, order: str = "") -> ReportRef[float]:
    return ReportRef(float, decimal, query, pattern, order)


def decimal(value: float) -> str:
    """Spell a number without an exponent: firmware takes that `E` for the word of the extruder."""
    return f"{value:.6f}".rstrip("0").rstrip(".")


NOZZLE_TARGET: Final = _number("M105", _heat("T0?")[1], "M104 S{}")
BED_TARGET: Final = _number("M105", _heat("B")[1], "M140 S{}")

REPORTED: Final[Mapping[str, ReportRef[Any]]] = {
    "nozzle": _number("M105", _heat("T0?")[0]),
    "nozzle_target": NOZZLE_TARGET,
    "bed": _number("M105", _heat("B")[0]),
    "bed_target": BED_TARGET,
    "x": _number("M114", _place("X")),
    "y": _number("M114", _place("Y")),
    "z": _number("M114", _place("Z")),
    "e": _number("M114", _place("E")),
}
"""The values that a report brings, by the names of `drivers.protocol.printing`."""


def heaters_of(targets: list[Any]) -> Heaters | DriverError:
    """Whether any heater is told to heat, or why that could not be read."""
    failed = [target for target in targets if isinstance(target, DriverError)]
    if any(target for target in targets if target not in failed):
        return Heaters.ON
    return failed[0] if failed else Heaters.OFF
