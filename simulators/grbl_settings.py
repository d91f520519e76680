"""The `$` settings of a GRBL 1.1 controller: their defaults, and what they refuse.

Source: Grbl v1.1 Configuration (each `$x`) and Grbl v1.1 Interface, "Grbl `$` Settings Message"
(the print-out) and "Grbl Response Messages" (error codes).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field

AXES = "XYZ"
Vector = tuple[float, float, float]

_DEFAULTS: dict[int, float] = {
    0: 10,
    1: 25,
    2: 0,
    3: 0,
    4: 0,
    5: 0,
    6: 0,
    10: 1,
    11: 0.010,
    12: 0.002,
    13: 0,
    20: 0,
    21: 0,
    22: 0,
    23: 0,
    24: 25.0,
    25: 500.0,
    26: 250,
    27: 1.0,
    30: 1000,
    31: 0,
    32: 0,
    100: 250.0,
    101: 250.0,
    102: 250.0,
    110: 500.0,
    111: 500.0,
    112: 500.0,
    120: 10.0,
    121: 10.0,
    122: 10.0,
    130: 200.0,
    131: 200.0,
    132: 200.0,
}
_FRACTIONAL = {11, 12, 24, 25, 27} | set(range(100, 133))
_SWITCHES = {4, 5, 6, 13, 20, 21, 22, 32}
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)")


class Refusal(Exception):
    """A line that was not accepted; `code` is the number in `error:<code>`."""

    def __init__(self, code: int) -> None:
        super().__init__(f"error:{code}")
        self.code = code


@dataclass
class Settings:
    """What the EEPROM holds; it outlives every reset."""

    values: dict[int, float] = field(default_factory=lambda: dict(_DEFAULTS))

    def on(self, number: int) -> bool:
        """Whether a yes-or-no setting is set."""
        return bool(self.values[number])

    def lines(self) -> list[str]:
        """The answer to `$$`."""
        return [
            f"${number}={value:.3f}" if number in _FRACTIONAL else f"${number}={value:.0f}"
            for number, value in self.values.items()
        ]

    def store(self, number: str, value: str) -> None:
        """Keep `$number=value`.

        Raises:
            Refusal: 2 no number, 3 no such setting, 4 negative, 6 step pulse under 3 us,
                10 soft limits without homing.
        """
        if not number.isdigit() or int(number) not in _DEFAULTS:
            raise Refusal(3)
        if not _NUMBER.fullmatch(value):
            raise Refusal(2)
        key, amount = int(number), float(value)
        self._check(key, amount)
        self.values[key] = amount if key in _FRACTIONAL else float(int(amount))
        if key in _SWITCHES:
            self.values[key] = float(amount != 0)
        if key == 22 and not amount:
            self.values[20] = 0.0

    def _check(self, key: int, amount: float) -> None:
        if amount < 0:
            raise Refusal(4)
        if key == 0 and amount < 3:
            raise Refusal(6)
        if key == 20 and amount and not self.on(22):
            raise Refusal(10)

    def restore(self) -> None:
        """Go back to the defaults (`$RST=$`)."""
        self.values = dict(_DEFAULTS)

    def axis(self, first: int) -> Vector:
        """Three settings in a row, one of each axis: `axis(110)` are the highest rates."""
        return self.values[first], self.values[first + 1], self.values[first + 2]

    def reaches(self, target: Vector) -> bool:
        """Whether a place in machine coordinates, mm, is within the travel: -travel to 0."""
        return all(
            -travel - 1e-9 <= at <= 1e-9 for at, travel in zip(target, self.axis(130), strict=True)
        )


def along(delta: Vector, limits: Vector) -> float:
    """The highest value along a direction that asks of no axis more than its limit."""
    length = math.hypot(*delta)
    return min(
        limit * length / abs(part) for part, limit in zip(delta, limits, strict=True) if part != 0.0
    )
