"""The planner of a GRBL controller: straight moves that speed up, cruise, brake, hold and resume.

Source: Grbl v1.1 Configuration, `$110` to `$122` (rates and accelerations), and Grbl v1.1
Commands, "Realtime commands" (feed hold, overrides). The axes brake for the end of the queue and
not for the corners in it (`$11` is not modelled).
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from enum import Enum

from simulators.grbl_settings import Settings, Vector, along

BLOCKS = 15
_NEAR = 1e-6
"""Millimetres that count as nothing: a thousandth of the smallest step that is reported."""

_SHORTEST = 1e-9


class Kind(Enum):
    """How a move came about, which decides the override that it heeds."""

    FEED = "feed"
    RAPID = "rapid"
    JOG = "jog"


@dataclass
class _Block:
    start: Vector
    target: Vector
    rate: float
    acceleration: float
    kind: Kind
    length: float
    done: float = 0.0

    @property
    def left(self) -> float:
        return self.length - self.done

    def position(self) -> Vector:
        share = self.done / self.length
        x, y, z = (s + share * (t - s) for s, t in zip(self.start, self.target, strict=True))
        return x, y, z


@dataclass
class Planner:
    """Where the stage is, in machine coordinates (mm), and what moves it next.

    `speed` is that of this moment, mm/s; `feed_percent` and `rapid_percent` are the overrides.
    """

    settings: Settings
    position: Vector = (0.0, 0.0, 0.0)
    planned: Vector = (0.0, 0.0, 0.0)
    speed: float = 0.0
    holding: bool = False
    feed_percent: float = 100.0
    rapid_percent: float = 100.0
    _blocks: deque[_Block] = field(default_factory=deque)

    @property
    def free(self) -> int:
        """How many more moves are taken without waiting."""
        return BLOCKS - len(self._blocks)

    @property
    def idle(self) -> bool:
        """Whether every move has ended."""
        return not self._blocks

    def move(self, target: Vector, rate: float, kind: Kind) -> None:
        """Queue a straight move at `rate` (mm/min; a rapid goes as fast as the axes can)."""
        x, y, z = (t - p for t, p in zip(target, self.planned, strict=True))
        length = math.hypot(x, y, z)
        if length == 0.0:
            return
        fastest = along((x, y, z), self.settings.axis(110))
        allowed = fastest if kind is Kind.RAPID else min(rate, fastest)
        acceleration = along((x, y, z), self.settings.axis(120))
        self._blocks.append(
            _Block(self.planned, target, allowed / 60.0, acceleration, kind, length)
        )
        self.planned = target

    def place(self, position: Vector) -> None:
        """Say where the stage is, without moving it."""
        self.stop()
        self.position = self.planned = position

    def stop(self) -> None:
        """Drop every move, at once and without braking."""
        self._blocks.clear()
        self.speed = 0.0
        self.holding = False
        self.planned = self.position

    def due_in(self) -> float:
        """Seconds until a move or a phase of it ends."""
        if not self._blocks or (self.holding and self.speed == 0.0):
            return math.inf
        acceleration, seconds = self._phase(self._blocks[0])
        return max(_SHORTEST, min(seconds, self._until_end(self._blocks[0], acceleration)))

    def advance(self, dt: float) -> None:
        """Let time pass."""
        while dt > 0 and (due := self.due_in()) < math.inf:
            step = min(dt, due)
            self._travel(self._blocks[0], step)
            dt -= step

    def _phase(self, block: _Block) -> tuple[float, float]:
        """The acceleration that is due now, mm/s2, and for how many seconds at most."""
        rise, speed, left = block.acceleration, self.speed, sum(b.left for b in self._blocks)
        braking = speed * speed / (2.0 * rise)
        if self.holding or left <= braking + _NEAR:
            return -rise, speed / rise
        nominal = self._nominal(block)
        if speed > nominal + _NEAR:
            return -rise, (speed - nominal) / rise
        if speed < nominal - _NEAR:
            # The speed from which it can just brake to stand at the end of the queue.
            peak = math.sqrt(rise * left + speed * speed / 2.0)
            return rise, (min(nominal, peak) - speed) / rise
        return 0.0, (left - braking) / speed

    def _nominal(self, block: _Block) -> float:
        percent = {
            Kind.FEED: self.feed_percent,
            Kind.RAPID: self.rapid_percent,
            Kind.JOG: 100.0,
        }[block.kind]
        delta_x, delta_y, delta_z = (t - s for t, s in zip(block.target, block.start, strict=True))
        fastest = along((delta_x, delta_y, delta_z), self.settings.axis(110)) / 60.0
        return min(block.rate * percent / 100.0, fastest)

    def _until_end(self, block: _Block, acceleration: float) -> float:
        if acceleration == 0.0:
            return block.left / self.speed
        reach = self.speed**2 + 2.0 * acceleration * block.left
        if reach < 0.0:
            return math.inf
        return (math.sqrt(reach) - self.speed) / acceleration

    def _travel(self, block: _Block, dt: float) -> None:
        acceleration, _ = self._phase(block)
        block.done += self.speed * dt + acceleration * dt * dt / 2.0
        self.speed = max(0.0, self.speed + acceleration * dt)
        if self.speed < _NEAR:
            self.speed = 0.0
        if block.left <= 2.0 * _NEAR:
            self.position = block.target
            self._blocks.popleft()
            if not self._blocks:
                self.speed = 0.0
        else:
            self.position = block.position()
