"""How far the head is moved along each axis."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import TypeAlias

from drivers.survey.report import Extent

Place: TypeAlias = Sequence[float]
"""X, Y and Z in mm."""


class Reach:
    """The lowest and highest coordinates so far. Its bounds are compared with by whoever moves.

    A coordinate that is not known is NaN, which is neither above nor below anything.
    """

    __slots__ = ("_where", "x0", "x1", "y0", "y1", "z0", "z1")

    def __init__(self) -> None:
        self.x0 = self.y0 = self.z0 = inf
        self.x1 = self.y1 = self.z1 = -inf
        self._where: dict[str, tuple[int, str]] = {}

    def holds(self, x: float, y: float) -> bool:
        """Whether a place lies inside, as far as X and Y go."""
        return self.x0 <= x <= self.x1 and self.y0 <= y <= self.y1

    def grow(self, place: Place, line: int, code: str) -> None:
        """Take in a place that the order in this line moves to."""
        x, y, z = place
        if self.holds(x, y) and self.z0 <= z <= self.z1:
            return
        for name, value in (("x", x), ("y", y), ("z", z)):
            if value < getattr(self, f"{name}0"):
                setattr(self, f"{name}0", value)
                self._where[f"{name}0"] = (line, code)
            if value > getattr(self, f"{name}1"):
                setattr(self, f"{name}1", value)
                self._where[f"{name}1"] = (line, code)

    def extents(self) -> dict[str, Extent]:
        """What was reached, by axis; none for an axis along which nothing is known."""
        return {name.upper(): self._extent(name) for name in "xyz" if f"{name}0" in self._where}

    def _extent(self, name: str) -> Extent:
        low, high = self._where[f"{name}0"], self._where[f"{name}1"]
        return Extent(
            low=getattr(self, f"{name}0"),
            low_line=low[0],
            low_code=low[1],
            high=getattr(self, f"{name}1"),
            high_line=high[0],
            high_code=high[1],
        )
