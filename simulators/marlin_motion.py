"""The planner of a Marlin board: a queue of straight moves that take their time.

Source: marlinfw.org, G0-G1 (feed rate in mm/min, kept for later moves), M203 (highest rates),
M400 and M410; Configuration, `BLOCK_BUFFER_SIZE`. Acceleration is left out: a move takes its
length divided by its rate.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

AXES = "XYZE"
MAX_RATE = {"X": 500.0, "Y": 500.0, "Z": 10.0, "E": 50.0}
"""Highest rate of each axis, mm/s."""

STEPS_PER_MM = {"X": 80.0, "Y": 80.0, "Z": 400.0, "E": 93.0}

Position = dict[str, float]
"""Machine coordinates of the four axes, mm."""


@dataclass
class _Block:
    start: Position
    target: Position
    seconds: float
    elapsed: float = 0.0

    def position(self) -> Position:
        share = min(1.0, self.elapsed / self.seconds)
        return {a: self.start[a] + share * (self.target[a] - self.start[a]) for a in AXES}


@dataclass
class Planner:
    """The moves that were accepted and have not ended. `size` 16 holds 15 moves (it is a ring)."""

    size: int = 16
    position: Position = field(default_factory=lambda: dict.fromkeys(AXES, 0.0))
    planned: Position = field(default_factory=lambda: dict.fromkeys(AXES, 0.0))
    _blocks: deque[_Block] = field(default_factory=deque)

    @property
    def free(self) -> int:
        """How many more moves are taken without waiting."""
        return self.size - 1 - len(self._blocks)

    @property
    def idle(self) -> bool:
        """Whether every move has ended."""
        return not self._blocks

    def move(self, target: Mapping[str, float], rate: float) -> None:
        """Queue a straight move to `target` (mm) at `rate` (mm/s), slowed to what the axes can."""
        start, end = self.planned, {**self.planned, **target}
        delta = {axis: abs(end[axis] - start[axis]) for axis in AXES}
        length = math.hypot(*(delta[axis] for axis in "XYZ")) or delta["E"]
        if length == 0.0:
            return
        seconds = max(length / rate, *(delta[axis] / MAX_RATE[axis] for axis in AXES))
        self._blocks.append(_Block(start, end, seconds))
        self.planned = end

    def place(self, axis: str, millimetres: float) -> None:
        """Say where an axis is, without moving it. Only while idle, as after homing."""
        self.position = {**self.position, axis: millimetres}
        self.planned = dict(self.position)

    def due_in(self) -> float:
        """Seconds until the move at work ends."""
        return self._blocks[0].seconds - self._blocks[0].elapsed if self._blocks else math.inf

    def advance(self, dt: float) -> None:
        """Let time pass; moves that end within it are taken from the queue."""
        while self._blocks:
            block = self._blocks[0]
            used = min(dt, block.seconds - block.elapsed)
            block.elapsed += used
            dt -= used
            if block.seconds - block.elapsed > 1e-9:
                self.position = block.position()
                return
            self.position = dict(block.target)
            self._blocks.popleft()

    def stop(self) -> None:
        """Drop every move at once, without braking: the axes stay where they are."""
        self._blocks.clear()
        self.planned = dict(self.position)
