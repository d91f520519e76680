"""Arcs: how long they are, and how far they bulge beyond their ends."""

from __future__ import annotations

from dataclasses import dataclass
from math import atan2, cos, hypot, isnan, nan, pi, sin, sqrt, tau

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Arc:
    """A part of a circle, from an angle over a sweep; positive is counter-clockwise, in radians."""

    centre: Point
    radius: float
    begin: float
    sweep: float

    @property
    def length(self) -> float:
        """Length in mm, in the plane."""
        return self.radius * abs(self.sweep)

    def extremes(self) -> list[Point]:
        """Where the circle is furthest along an axis, if the arc passes there, and where it ends.

        Firmware stays on the circle of the beginning to the last, even if the end is not on it.
        """
        quarters = [angle for angle in (0.0, pi / 2, pi, -pi / 2) if self._passes(angle)]
        return [self._at(angle) for angle in (*quarters, self.begin + self.sweep)]

    def _passes(self, angle: float) -> bool:
        way = (angle - self.begin) if self.sweep > 0 else (self.begin - angle)
        return way % tau < abs(self.sweep)

    def _at(self, angle: float) -> Point:
        return (
            self.centre[0] + self.radius * cos(angle),
            self.centre[1] + self.radius * sin(angle),
        )


def arc(begin: Point, end: Point, centre: Point, turns: int, *, clockwise: bool) -> Arc:
    """The arc about a centre; one that ends where it begins is a whole circle.

    `turns` are whole circles before it (Marlin's P word, ARC_P_CIRCLES).
    """
    dx, dy = begin[0] - centre[0], begin[1] - centre[1]
    start = atan2(dy, dx)
    sweep = (atan2(end[1] - centre[1], end[0] - centre[0]) - start) % tau
    if clockwise:
        sweep -= tau
    elif sweep == 0.0:
        sweep = tau
    sweep += tau * turns * (-1 if clockwise else 1)
    return Arc(centre, hypot(dx, dy), start, sweep)


def centre_of(begin: Point, end: Point, radius: float, *, clockwise: bool) -> Point:
    """The centre that a radius stands for; a negative one means the longer way round.

    Where there is no such circle, the centre is not known (NaN): firmware skips that move.
    """
    dx, dy = end[0] - begin[0], end[1] - begin[1]
    chord = hypot(dx, dy)
    if isnan(chord) or chord == 0.0 or abs(radius) < chord / 2:
        return nan, nan
    height = sqrt(max(0.0, radius * radius - chord * chord / 4))
    side = -1.0 if clockwise == (radius > 0) else 1.0
    return (
        (begin[0] + end[0]) / 2 - side * height * dy / chord,
        (begin[1] + end[1]) / 2 + side * height * dx / chord,
    )
