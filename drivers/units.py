"""The units this lab measures in: UCUM codes, what a person reads, and Prometheus's base unit.

UCUM is the Unified Code for Units of Measure (https://ucum.org). Base units and the words of
metric names follow Prometheus's conventions, with `celsius` instead of kelvin as they advise.
"""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

Unit = Literal[
    "", "1", "%", "V", "mV", "V/s", "A", "mA", "W", "Ohm", "Hz", "s", "ms", "min",
    "Cel", "mm", "mm/s", "mm/min", "/min", "Pa", "bar", "g", "By",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class UnitRow:
    """One unit: `value * factor` is the value in the base unit."""

    symbol: str
    quantity: str
    base: str
    factor: float = 1.0


UNITS: Final = MappingProxyType[Unit, UnitRow](
    {
        "": UnitRow("", "value", ""),
        "1": UnitRow("", "value", ""),
        "%": UnitRow("%", "ratio", "", 0.01),
        "V": UnitRow("V", "voltage", "volts"),
        "mV": UnitRow("mV", "voltage", "volts", 1e-3),
        "V/s": UnitRow("V/s", "slew_rate", "volts_per_second"),
        "A": UnitRow("A", "current", "amperes"),
        "mA": UnitRow("mA", "current", "amperes", 1e-3),
        "W": UnitRow("W", "power", "watts"),
        "Ohm": UnitRow("Ω", "resistance", "ohms"),
        "Hz": UnitRow("Hz", "frequency", "hertz"),
        "s": UnitRow("s", "duration", "seconds"),
        "ms": UnitRow("ms", "duration", "seconds", 1e-3),
        "min": UnitRow("min", "duration", "seconds", 60.0),
        "Cel": UnitRow("°C", "temperature", "celsius"),
        "mm": UnitRow("mm", "length", "meters", 1e-3),
        "mm/s": UnitRow("mm/s", "velocity", "meters_per_second", 1e-3),
        "mm/min": UnitRow("mm/min", "velocity", "meters_per_second", 1e-3 / 60),
        "/min": UnitRow("rpm", "rotation", "hertz", 1 / 60),
        "Pa": UnitRow("Pa", "pressure", "pascals"),
        "bar": UnitRow("bar", "pressure", "pascals", 1e5),
        "g": UnitRow("g", "mass", "grams"),
        "By": UnitRow("B", "size", "bytes"),
    }
)
