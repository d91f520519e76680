"""The planner of a Marlin board: a queue of straight moves that take their time.

Sources: marlinfw.org, G0-G1 (feed rate in mm/min, kept for later moves), M203 (highest rates),
M400 and M410; Configuration, `BLOCK_BUFFER_SIZE`, `SLOWDOWN` and `DEFAULT_MINSEGMENTTIME`;
planner.cpp, "Delay for delivery of first block". Acceleration is left out: a move takes its
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

_ENOUGH = 3  # moves with which the first one is no longer held back
_ALMOST = 1e-9


@dataclass(slots=True)
class _Block:
    start: Position
    target: Position
    seconds: float
    left: float

    def position(self) -> Position:
        share = 1.0 - self.left / self.seconds
        return {a: self.start[a] + share * (self.target[a] - self.start[a]) for a in AXES}


@dataclass
class Planner:
    """The moves that were accepted and have not ended. `size` 16 holds 15 moves (it is a ring).

    The first move into an empty planner is held back for `first_move_seconds`, or until three are
    there. `slow_down` stretches a move shorter than `shortest_seconds` while fewer than half of
    the blocks are taken, so that a slow host makes the printer slow, not jerky.

    `gaps` counts how often it ran empty between two moves, `gap_seconds` for how long, unless
    `expected` was set meanwhile: by a command that waits for the moves to end.
    """

    size: int = 16
    first_move_seconds: float = 0.0
    slow_down: bool = False
    shortest_seconds: float = 0.02
    planned: Position = field(default_factory=lambda: dict.fromkeys(AXES, 0.0))
    gaps: int = 0
    gap_seconds: float = 0.0
    expected: bool = True
    _rest: Position = field(default_factory=lambda: dict.fromkeys(AXES, 0.0))
    _blocks: deque[_Block] = field(default_factory=deque)
    _held_back: float = 0.0
    _empty_for: float = 0.0

    @property
    def free(self) -> int:
        """How many more moves are taken without waiting."""
        return self.size - 1 - len(self._blocks)

    @property
    def idle(self) -> bool:
        """Whether every move has ended."""
        return not self._blocks

    @property
    def position(self) -> Position:
        """Where the axes are at this moment."""
        return self._blocks[0].position() if self._blocks else dict(self._rest)

    def move(self, target: Mapping[str, float], rate: float) -> None:
        """Queue a straight move to `target` (mm) at `rate` (mm/s), slowed to what the axes can."""
        start = self.planned
        end = {**start, **target}
        x, y, z, e = (abs(end[axis] - start[axis]) for axis in AXES)
        length = math.sqrt(x * x + y * y + z * z) or e
        if length == 0.0:
            return
        seconds = self._stretched(length / rate)
        seconds = max(
            seconds, x / MAX_RATE["X"], y / MAX_RATE["Y"], z / MAX_RATE["Z"], e / MAX_RATE["E"]
        )
        if not self._blocks:
            self._begin_to_move()
        self._blocks.append(_Block(start, end, seconds, seconds))
        if len(self._blocks) >= _ENOUGH:
            self._held_back = 0.0
        self.planned = end

    def place(self, axis: str, millimetres: float) -> None:
        """Say where an axis is, without moving it. Only while idle, as after homing."""
        self._rest = {**self._rest, axis: millimetres}
        self.planned = dict(self._rest)

    def due_in(self) -> float:
        """Seconds until the move at work ends."""
        return self._held_back + self._blocks[0].left if self._blocks else math.inf

    def idle_in(self) -> float:
        """Seconds until every move has ended."""
        return self._held_back + sum(block.left for block in self._blocks)

    def advance(self, dt: float) -> None:
        """Let time pass; moves that end within it are taken from the queue."""
        blocks = self._blocks
        if self._held_back > 0.0:
            used = min(dt, self._held_back)
            self._held_back = self._held_back - used if self._held_back - used > _ALMOST else 0.0
            dt -= used
        while blocks and dt > 0.0:
            block = blocks[0]
            if block.left - dt > _ALMOST:
                block.left -= dt
                return
            dt = max(0.0, dt - block.left)
            self._rest = block.target
            blocks.popleft()
        if not blocks:
            self._empty_for += dt

    def stop(self) -> None:
        """Drop every move at once, without braking: the axes stay where they are."""
        self._rest = self.position
        self._blocks.clear()
        self._held_back = 0.0
        self.expected = True
        self.planned = dict(self._rest)

    def forget(self) -> None:
        """Begin to count gaps anew, with the next move."""
        self.gaps, self.gap_seconds, self.expected = 0, 0.0, True

    def _begin_to_move(self) -> None:
        if not self.expected:
            self.gaps += 1
            self.gap_seconds += self._empty_for
        self.expected = False
        self._empty_for = 0.0
        self._held_back = self.first_move_seconds

    def _stretched(self, seconds: float) -> float:
        if not self.slow_down or seconds >= self.shortest_seconds:
            return seconds
        waiting = len(self._blocks) - (0 if self._held_back > 0.0 else 1)
        if not 2 <= waiting < self.size // 2:
            return seconds
        return seconds + 2.0 * (self.shortest_seconds - seconds) / waiting
