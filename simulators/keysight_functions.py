"""What the 34460A measures: functions, ranges, resolution and integration times.

Source: Truevolt Series DMM Operating and Service Guide, chapter "Specifications" (ranges,
overrange, integration times) and `CONFigure` (resolution). Resolution by integration time
follows the table of the 34401A, whose command set the family took over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from simulators.scpi import ScpiError, number

LINE_HZ: Final = 60.0
RESOLUTION: Final = {0.02: 1e-4, 0.2: 1e-5, 1.0: 3e-6, 10.0: 1e-6, 100.0: 3e-7}
"""Resolution as a part of the range, for each integration time in power-line cycles."""


@dataclass(frozen=True, kw_only=True)
class Function:
    """A measuring function: its name, its header as the manual writes it, its ranges.

    `short` is the header after CONFigure and MEASure, where more of it may be left out. `initial`
    is the range after *RST. `overrange` is the part of the highest range up to which that range
    still reads; all others read up to 1.2 of themselves.
    """

    name: str
    header: str
    short: str
    ranges: tuple[float, ...]
    initial: float
    overrange: float = 1.2

    def fitting(self, size: float) -> float:
        """Return the lowest range that holds `size`; -222 when none does."""
        for full_scale in self.ranges:
            if abs(size) <= full_scale:
                return full_scale
        raise ScpiError(-222)

    def reach(self, full_scale: float) -> float:
        """Return the largest input that a range reads, in units of the function."""
        return full_scale * (self.overrange if full_scale == self.ranges[-1] else 1.2)

    def autorange(self, size: float, full_scale: float) -> float:
        """Return the range for an input: up beyond the reach, down below 10 % (RANGe:AUTO)."""
        place = self.ranges.index(full_scale)
        while place + 1 < len(self.ranges) and size > self.reach(self.ranges[place]):
            place += 1
        while place > 0 and size < 0.1 * self.ranges[place]:
            place -= 1
        return self.ranges[place]


_OHMS: Final = (1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8)

FUNCTIONS: Final = (
    Function(
        name="VOLT",
        header="VOLTage[:DC]",
        short="[:VOLTage][:DC]",
        ranges=(0.1, 1.0, 10.0, 100.0, 1000.0),
        initial=10.0,
        overrange=1.0,
    ),
    Function(
        name="CURR",
        header="CURRent[:DC]",
        short=":CURRent[:DC]",
        ranges=(1e-4, 1e-3, 1e-2, 0.1, 1.0, 3.0),
        initial=1.0,
        overrange=1.0,
    ),
    Function(name="RES", header="RESistance", short=":RESistance", ranges=_OHMS, initial=1e3),
    Function(name="FRES", header="FRESistance", short=":FRESistance", ranges=_OHMS, initial=1e3),
)


@dataclass
class Setup:
    """How one function measures: its range, whether it is chosen by itself, cycles to integrate."""

    full_scale: float
    auto: bool = True
    nplc: float = 10.0

    @property
    def resolution(self) -> float:
        """The smallest step of a reading, in units of the function."""
        return self.full_scale * RESOLUTION[self.nplc]


def integration(text: str) -> float:
    """Return the cycles for what was asked: the next longer of the five times the meter has."""
    low, high = min(RESOLUTION), max(RESOLUTION)
    asked = number_or_word(text, low, high, 10.0)
    return min(cycles for cycles in RESOLUTION if cycles >= asked)


def integration_for(text: str, full_scale: float) -> float:
    """Return the shortest integration that resolves what was asked, in units of the function."""
    finest, coarsest = (full_scale * part(RESOLUTION.values()) for part in (min, max))
    asked = number_or_word(text, finest, coarsest, full_scale * RESOLUTION[10.0])
    return min(n for n, part in RESOLUTION.items() if full_scale * part <= asked)


def number_or_word(text: str, low: float, high: float, default: float) -> float:
    """Read a number from `low` to `high`, or MINimum, MAXimum or DEFault."""
    words = {"MIN": low, "MINIMUM": low, "MAX": high, "MAXIMUM": high}
    words |= {"DEF": default, "DEFAULT": default}
    return words[text.upper()] if text.upper() in words else number(text, low, high)
