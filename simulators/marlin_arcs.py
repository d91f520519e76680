"""Arcs as the firmware makes them: many short straight moves.

Source: marlinfw.org, G2-G3 (`I` and `J` are the centre seen from the start; `R` is the radius),
and Configuration, `MM_PER_ARC_SEGMENT`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from simulators.marlin_motion import AXES, Position

SEGMENT_MM = 1.0
"""Length of one straight move of an arc."""


def segments(
    start: Position, end: Position, centre: tuple[float, float], *, clockwise: bool
) -> Iterator[Position]:
    """Go from `start` to `end` round `centre` (mm), in the plane of X and Y.

    The other axes move evenly along. Start and end in one place make a full circle.
    """
    x, y = centre
    radius = math.hypot(start["X"] - x, start["Y"] - y)
    begins = math.atan2(start["Y"] - y, start["X"] - x)
    turns = math.atan2(end["Y"] - y, end["X"] - x) - begins
    if clockwise and turns >= -1e-9:
        turns -= 2.0 * math.pi
    elif not clockwise and turns <= 1e-9:
        turns += 2.0 * math.pi
    count = max(1, int(abs(turns) * radius / SEGMENT_MM))
    for number in range(1, count):
        share = number / count
        at = {axis: start[axis] + share * (end[axis] - start[axis]) for axis in AXES}
        angle = begins + share * turns
        yield {**at, "X": x + radius * math.cos(angle), "Y": y + radius * math.sin(angle)}
    yield end


def centre_by_radius(
    start: Position, end: Position, radius: float, *, clockwise: bool
) -> tuple[float, float] | None:
    """Find the centre of an arc that is given by its radius; None where there is no such arc."""
    dx, dy = end["X"] - start["X"], end["Y"] - start["Y"]
    chord = math.hypot(dx, dy)
    if chord == 0.0 or chord > 2.0 * abs(radius):
        return None
    height = math.sqrt(radius * radius - chord * chord / 4.0)
    side = height if clockwise == (radius < 0.0) else -height
    return start["X"] + dx / 2.0 - side * dy / chord, start["Y"] + dy / 2.0 + side * dx / chord
