"""The table behind the suites of every driver: what stands on the bench for each catalogue name.

A driver that is new in the catalogue gets all of the tests by one row here.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, Final

from drivers import catalogue
from drivers.driver import Driver
from drivers.fields import Setting
from drivers.forms import word
from tests.drivers.bench import Bench
from tests.drivers.benches_modbus import ControllerBench
from tests.drivers.benches_moonraker import MoonrakerOnBench
from tests.drivers.benches_motion import PrinterBench, StageBench
from tests.drivers.benches_network import NetworkBench, OctoPrintOnBench, PrusaLinkOnBench
from tests.drivers.benches_scpi import HigherSupplyBench, MeterBench, SupplyBench

BENCHES: Final[Mapping[str, type[Bench]]] = {
    "siglent.spd1000x": SupplyBench,
    "siglent.spd1305x": HigherSupplyBench,
    "keysight.34460a": MeterBench,
    "autonics.tk4": ControllerBench,
    "printers.marlin": PrinterBench,
    "printers.moonraker": MoonrakerOnBench,
    "printers.prusalink": PrusaLinkOnBench,
    "printers.octoprint": OctoPrintOnBench,
    "motion.grbl": StageBench,
}

NAMES: Final = tuple(BENCHES)
WAYS: Final = tuple(
    (name, scheme)
    for name, bench in BENCHES.items()
    if not issubclass(bench, NetworkBench)
    for scheme in bench.schemes
)
"""Every driver over every kind of address that reaches its instrument by a line.

What answers requests over HTTP has suites of its own, test_<maker>_bench.py: a reply belongs to
its request there, and other things go wrong.
"""

NOT_NUMBERS: Final = (True, "5", None, [5.0], float("nan"), float("inf"), float("-inf"))
NOT_BOOLEANS: Final = (1, 0.0, "on", "true\n", None, float("nan"))
NOT_WORDS: Final = ("no such word", "", 1, None, float("nan"), "a\nb")
NOT_TEXTS: Final = ("a\nb", "a\rb", "a\0b", "\x18", "\x1b[2J", 1, None, float("nan"))
"""What a setting or an argument of each type refuses, whatever its range."""


def driver(name: str) -> type[Driver[Any]]:
    return catalogue.load(name)


def good(name: str, setting: Setting[Any]) -> tuple[Any, ...]:
    """Values that a setting is set to: low, middle and high of its range, or all that it has."""
    exception = BENCHES[name].values.get(setting.name)
    if exception is not None:
        return exception[0]
    form = setting.form
    if form.kind == "boolean":
        return (True, False)
    if form.kind == "choice":
        members: type[Enum] = form.type
        return tuple(members)
    low, high = form.span.low, form.span.high
    assert low is not None, f"{name}.{setting.name} has no low end, and no row of its own"
    assert high is not None, f"{name}.{setting.name} has no high end, and no row of its own"
    return (form.type(low), form.type((low + high) / 2), form.type(high))


def bad(field: Any) -> tuple[Any, ...]:
    """Values that a setting or an argument must refuse before anything is sent."""
    form = field.form
    match form.kind:
        case "number" | "integer":
            outside = [
                end + way * (abs(end) + 1)
                for end, way in ((form.span.low, -1), (form.span.high, 1))
                if end is not None
            ]
            return (*NOT_NUMBERS, *outside)
        case "boolean":
            return NOT_BOOLEANS
        case "choice":
            return (*NOT_WORDS, f"{word(next(iter(form.type)))}\n")
    return NOT_TEXTS if form.kind == "text" else (None, 1, "a text", float("nan"))
