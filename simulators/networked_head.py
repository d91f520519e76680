"""Where the head of a networked printer is, and how it gets to where a command sends it.

Sources: the pages of G0/G1, G28, G90 to G92, M82 and M83 at marlinfw.org/docs/gcode;
klipper3d.org, Status Reference, "gcode_move". Moves are straight and without acceleration: what a
host reports, once in a quarter of a second, shows no more.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

from simulators.networked_gcode import LINE_S, Action, Line

AXES: Final = ("X", "Y", "Z", "E")
HOMING_S: Final = 2.0
"""How long homing one axis takes, in seconds."""

PARK_LIFT: Final = 2.0
"""How far the head is lifted when it is parked, in mm."""


def _zero() -> dict[str, float]:
    return dict.fromkeys(AXES, 0.0)


@dataclass
class Head:
    """Position in mm and the modes that decide where a move ends.

    `planned` is where the last command sends it, `position` where it is; `filament` counts the
    mm that went through the nozzle.
    """

    size: dict[str, float]
    position: dict[str, float] = field(default_factory=_zero)
    planned: dict[str, float] = field(default_factory=_zero)
    offset: dict[str, float] = field(default_factory=_zero)
    homed: set[str] = field(default_factory=set)
    absolute: bool = True
    absolute_e: bool = True
    feed: float = 1500.0
    speed_factor: float = 1.0
    extrude_factor: float = 1.0
    filament: float = 0.0
    moving: bool = False
    _parked_from: dict[str, float] | None = None

    @property
    def mm_per_s(self) -> float:
        """Rate of the last move that named one."""
        return self.feed / 60.0

    def target(self, line: Line) -> dict[str, float]:
        """Return where a move sends each axis that it names, in mm of the machine."""
        if line.number("F", 0.0) > 0:
            self.feed = line.words["F"]
        found: dict[str, float] = {}
        for axis in AXES:
            if axis in line.words:
                value = line.words[axis] * (self.extrude_factor if axis == "E" else 1.0)
                absolute = self.absolute_e if axis == "E" else self.absolute
                start = self.offset[axis] if absolute else self.planned[axis]
                found[axis] = start + value
        return found

    def go(self, target: dict[str, float]) -> Action:
        """Return the move to a target, at the rate in force."""
        start = dict(self.planned)
        reach = [target[axis] - start[axis] for axis in "XYZ" if axis in target]
        length = math.hypot(*reach) or abs(target.get("E", start["E"]) - start["E"])
        seconds = max(length / (self.mm_per_s * self.speed_factor), LINE_S)
        return self._travel(target, seconds)

    def home(self, axes: str) -> Action:
        """Return the move to the end stops of `axes`."""

        def arrived() -> None:
            self.moving = False
            self.homed.update(axes)
            for axis in axes:
                self.offset[axis] = 0.0

        action = self._travel(dict.fromkeys(axes, 0.0), HOMING_S * len(axes))
        action.then = arrived
        return action

    def park(self, seconds: float) -> Action:
        """Return the move out of the way of the print; `unpark` undoes it."""
        if self._parked_from is None:
            self._parked_from = dict(self.planned)
        lifted = min(self.planned["Z"] + PARK_LIFT, self.size["Z"])
        return self._travel({"X": 0.0, "Y": self.size["Y"], "Z": lifted}, seconds)

    def unpark(self, seconds: float) -> Action:
        """Return the move back to where the print was left."""
        back, self._parked_from = self._parked_from, None
        return self._travel(back or {}, seconds)

    def forget_park(self) -> None:
        """Stay where the head is: the print does not go on."""
        self._parked_from = None

    def stop(self) -> None:
        """Drop the move at hand."""
        self.moving = False
        self.planned = dict(self.position)
        self.forget_park()

    def set_origin(self, line: Line) -> None:
        """Call the place where the head is by other numbers, as G92 does."""
        for axis in AXES:
            if axis in line.words:
                self.offset[axis] = self.planned[axis] - line.words[axis]

    def coordinates(self) -> dict[str, float]:
        """Return the position by the numbers of the G-code that is being run."""
        return {axis: self.position[axis] - self.offset[axis] for axis in AXES}

    def _travel(self, target: dict[str, float], seconds: float) -> Action:
        start = dict(self.position)
        self.planned.update(target)
        self.moving = True

        def during(part: float) -> None:
            before = self.position["E"]
            for axis, end in target.items():
                self.position[axis] = start[axis] + part * (end - start[axis])
            self.filament += self.position["E"] - before

        def arrived() -> None:
            self.moving = False

        return Action(seconds, during=during, then=arrived)
