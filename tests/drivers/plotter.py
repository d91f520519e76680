"""A plain and slow reading of a program of moves, in small steps: a reference for the survey."""

from __future__ import annotations

import re
from itertools import pairwise
from math import atan2, ceil, cos, dist, hypot, isnan, nan, sin, tau

STEP_MM = 0.05


class Plotter:
    """Follows orders one by one, and remembers where it was."""

    def __init__(self) -> None:
        self.at = {"X": nan, "Y": nan, "Z": nan}
        self.shift = {"X": 0.0, "Y": 0.0, "Z": 0.0}
        self.e = 0.0
        self.relative = self.e_relative = False
        self.unit, self.feed, self.factor = 1.0, 1500.0, 1.0
        self.fastest: float | None = None
        self.seconds = 0.0
        self.box: dict[str, tuple[float, float]] = {}
        self.printed: dict[str, tuple[float, float]] = {}

    def follow(self, line: str) -> None:
        """One order."""
        code, *rest = line.split()
        words = {word[0]: float(word[1:]) if word[1:] else nan for word in rest}
        if code in ("G0", "G1"):
            self._go(words, [])
        elif code in ("G2", "G3"):
            self._go(words, self._bend(words, -1 if code == "G2" else 1))
        elif re.fullmatch("[GM].*", code):
            self._set(code, words)

    def _set(self, code: str, words: dict[str, float]) -> None:
        if code in ("G90", "G91"):
            self.relative = self.e_relative = code == "G91"
        if code in ("M82", "M83"):
            self.e_relative = code == "M83"
        if code in ("G20", "G21"):
            self.unit = 25.4 if code == "G20" else 1.0
        if code == "M220":
            self.factor = words["S"] / 100
            self._hurry()
        if code == "G4":
            self.seconds += words["P"] / 1000
        if code == "G29":
            self.at = dict.fromkeys("XYZ", nan)
        if code == "G28":
            self._home(words)
        if code == "G92":
            self._place(words)

    def _home(self, words: dict[str, float]) -> None:
        for axis in [it for it in "XYZ" if it in words] or "XYZ":
            self.at[axis] = nan
            self.shift[axis] = 0.0

    def _place(self, words: dict[str, float]) -> None:
        self.e = words.get("E", self.e)
        for axis in [it for it in "XYZ" if it in words]:
            new = words[axis] * self.unit
            self.shift[axis] = 0.0 if isnan(self.at[axis]) else self.at[axis] - new
            self.at[axis] = new + self.shift[axis]

    def _target(self, words: dict[str, float]) -> dict[str, float]:
        to = dict(self.at)
        for axis in [it for it in "XYZ" if it in words]:
            origin = self.at[axis] if self.relative else self.shift[axis]
            to[axis] = words[axis] * self.unit + origin
        return to

    def _bend(self, words: dict[str, float], sense: int) -> list[dict[str, float]]:
        """Points along an arc, its end not among them."""
        to = self._target(words)
        begin = self.at["X"], self.at["Y"]
        centre = begin[0] + words["I"] * self.unit, begin[1] + words["J"] * self.unit
        first = atan2(begin[1] - centre[1], begin[0] - centre[0])
        last = atan2(to["Y"] - centre[1], to["X"] - centre[0])
        sweep = (sense * (last - first)) % tau or tau
        radius = dist(begin, centre)
        if isnan(radius * sweep):
            return []
        steps = ceil(radius * sweep / STEP_MM)
        angles = [first + sense * sweep * step / steps for step in range(1, steps + 1)]
        return [
            {**to, "X": centre[0] + radius * cos(a), "Y": centre[1] + radius * sin(a)}
            for a in angles
        ]

    def _go(self, words: dict[str, float], bend: list[dict[str, float]]) -> None:
        to = self._target(words)
        if words.get("F", 0.0) > 0:
            self.feed = words["F"] * self.unit
            self._hurry()
        push = words.get("E", 0.0 if self.e_relative else self.e)
        if not self.e_relative:
            push, self.e = push - self.e, push
        prints = push > 0 and any(axis in words for axis in "XYZ")
        for place in [*bend, to]:
            self._grow(self.box, place)
            if prints:
                self._grow(self.printed, self.at)
                self._grow(self.printed, place)
        length = self._length(to, bend)
        way = length if length > 0 else abs(push)
        self.seconds += way / (self.feed * self.factor / 60)
        self.at = to

    def _length(self, to: dict[str, float], bend: list[dict[str, float]]) -> float:
        if not bend:
            ways = [to[axis] - self.at[axis] for axis in "XYZ"]
            return hypot(
                *(way for axis, way in zip("XYZ", ways, strict=True) if not isnan(to[axis]))
            )
        through = [(it["X"], it["Y"]) for it in (self.at, *bend)]
        flat = sum(dist(a, b) for a, b in pairwise(through))
        return flat if isnan(to["Z"] - self.at["Z"]) else hypot(flat, to["Z"] - self.at["Z"])

    def _hurry(self) -> None:
        self.fastest = max(self.fastest or 0.0, self.feed * self.factor)

    @staticmethod
    def _grow(box: dict[str, tuple[float, float]], place: dict[str, float]) -> None:
        for axis, value in place.items():
            if not isnan(value):
                low, high = box.get(axis, (value, value))
                box[axis] = min(low, value), max(high, value)
