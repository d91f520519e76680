"""What coordinates mean: where the head is, units, absolute and relative, shifted origins, feed.

As Marlin reads them: G90 and G91 hold for the extruder too until M82 or M83, homing undoes G92, and
a feed of 0 changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import hypot, isnan, nan
from typing import Final, TypeAlias

from drivers.survey.report import Peak, Spot

Words: TypeAlias = Mapping[str, float | None]
"""The words of an order by their letters; None for a letter without a number."""

INCH: Final = 25.4
FIRST_FEED: Final = 1500.0
"""mm/min until the file says one (Marlin's default)."""
AXES: Final = ("X", "Y", "Z")

LOST: Final = frozenset(
    {"G12", "G27", "G29", "G30", "G32", "G33", "G34", "G35", "G61", "G76", "G80", "G425", "G26"}
)
"""After these, probing, parking and the like, the head is where the file does not tell."""
WORKSPACES: Final = frozenset({"G54", "G55", "G56", "G57", "G58", "G59"})
"""They choose an origin that is kept in the printer."""


class Frame:
    """The state that gives the words of a move their meaning. Places are the printer's own, in mm."""

    __slots__ = (
        "_factor", "_feed", "_relative", "_scale", "_shift",
        "e", "fastest", "is_e_relative", "is_plain", "speed", "unplaced", "x", "y", "z",
    )  # fmt: skip

    def __init__(self) -> None:
        self.x = self.y = self.z = nan
        self.e = 0.0
        self.is_plain = True  # millimetres, absolute, and no origin shifted
        self.is_e_relative = self._relative = False
        self._scale = 1.0
        self._shift = [0.0, 0.0, 0.0]
        self._feed, self._factor = FIRST_FEED, 1.0
        self.speed = FIRST_FEED / 60  # mm/s
        self.fastest: Peak | None = None
        self.unplaced: dict[str, Spot] = {}

    @property
    def is_steady(self) -> bool:
        """Whether X and Y words are places of the printer, and the head is at one that is known."""
        return self.is_plain and not isnan(self.x + self.y)

    @property
    def place(self) -> list[float]:
        """Where the head is: X, Y and Z."""
        return [self.x, self.y, self.z]

    def target(self, words: Words) -> list[float]:
        """Where a move with these words goes."""
        ends = self.place
        for axis, letter in enumerate(AXES):
            value = words.get(letter)
            if value is not None:
                origin = ends[axis] if self._relative else self._shift[axis]
                ends[axis] = value * self._scale + origin
        return ends

    def way(self, end: Sequence[float]) -> float:
        """How far it is to a place in a straight line; NaN when a moved axis was not known before.

        An axis that is not known, and stays so, is one that does not move.
        """
        axes = zip(self.place, end, strict=True)
        return hypot(*(b - a for a, b in axes if not (isnan(a) and isnan(b))))

    def offset(self, value: float | None) -> float:
        """A length that is relative in every mode, as from the beginning of an arc to its centre."""
        return (value or 0.0) * self._scale

    def pushed(self, value: float | None) -> float:
        """How much filament the E word of a move pushes; below 0 it is drawn back."""
        if value is None or self.is_e_relative:
            return value or 0.0
        before, self.e = self.e, value
        return value - before

    def feed(self, value: float, code: str, line: int) -> None:
        """The F word of a move."""
        if value > 0:
            self._feed = value * self._scale
            self._hasten(code, line)

    def order(self, code: str, words: Words, line: int) -> None:
        """Any order but a move."""
        if code in ("G90", "G91"):
            self._relative = self.is_e_relative = code == "G91"
        elif code in ("M82", "M83"):
            self.is_e_relative = code == "M83"
        elif code in ("G20", "G21"):
            self._scale = INCH if code == "G20" else 1.0
        elif code == "M220" and (percent := words.get("S") or 0.0) > 0:
            self._factor = percent / 100
            self._hasten(code, line)
        else:
            self._origins(code, words, line)
        self.is_plain = not self._relative and self._scale == 1.0 and not any(self._shift)

    def _origins(self, code: str, words: Words, line: int) -> None:
        if code == "G28":
            self._home(words)
        elif code in LOST:
            self.x = self.y = self.z = nan
        elif code == "G92":
            self._set(words, Spot(line=line, code=code))
        elif code == "G92.1":
            self._shift = [0.0, 0.0, 0.0]
        elif code.partition(".")[0] in WORKSPACES:
            self.x = self.y = self.z = nan
            for axis in AXES:
                self.unplaced.setdefault(axis, Spot(line=line, code=code))

    def _home(self, words: Words) -> None:
        """Homing leaves the named axes, or all, at a place that only the printer knows."""
        ends = self.place
        for axis, letter in enumerate(AXES):
            if letter in words or not any(it in words for it in AXES):
                ends[axis], self._shift[axis] = nan, 0.0
        self.x, self.y, self.z = ends

    def _set(self, words: Words, spot: Spot) -> None:
        """G92 gives the place where the head is another coordinate."""
        ends = self.place
        for axis, letter in enumerate(AXES):
            value = words.get(letter)
            if value is None:
                continue
            new = value * self._scale
            if isnan(ends[axis]):
                self.unplaced.setdefault(letter, spot)
                ends[axis], self._shift[axis] = new, 0.0
            else:
                self._shift[axis] = ends[axis] - new
        self.x, self.y, self.z = ends
        pushed = words.get("E")
        self.e = self.e if pushed is None else pushed

    def _hasten(self, code: str, line: int) -> None:
        feed = self._feed * self._factor
        self.speed = feed / 60
        if self.fastest is None or feed > self.fastest.value:
            self.fastest = Peak(value=feed, line=line, code=code)
