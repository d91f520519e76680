"""How far the print is behind which byte: layers, heights, and time as the slicer tells it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from math import isnan
from typing import Final

from drivers.survey.report import Row
from drivers.survey.slicers import Comment, duration

MOST_ROWS: Final = 2000
LAYERS: Final = ("LAYER_CHANGE", "CHANGE_LAYER", "LAYER", "BEFORE_LAYER_CHANGE")
"""Comments that begin a layer. The kind that comes first in a file counts, and no other."""
HEIGHTS: Final = ("Z", "Z_HEIGHT")
TELLING: Final = frozenset({*LAYERS, *HEIGHTS})
"""Comments that say how far the print is."""
MINUTE: Final = 60.0


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the file, and what is known there.

    `own` are seconds by lengths and feeds; `elapsed`, `left` and `percent` are the slicer's words.
    """

    offset: int
    own: float
    layer: int | None
    height: float | None
    elapsed: float | None = None
    left: float | None = None
    percent: float | None = None

    def said(self, whole: float) -> float | None:
        """Seconds over in the slicer's words, of a print that takes `whole` seconds.

        Minutes left are whole minutes, so percents are finer in a print below 100 minutes.
        """
        if self.elapsed is not None:
            return self.elapsed
        if self.percent is not None and (self.left is None or whole < 100 * MINUTE):
            return whole * self.percent / 100
        return None if self.left is None else whole - self.left


class Marks:
    """Collects marks, and thins them out evenly when there are too many."""

    def __init__(self) -> None:
        self.layer: int | None = None
        self._height: float | None = None
        self._told_height: float | None = None
        self._kind = ""
        self._is_new = False
        self._marks: list[Mark] = []
        self._gap = 1

    def see(self, comment: Comment) -> bool:
        """Look at a comment; True if a layer begins there."""
        if comment.key in HEIGHTS:
            self._told_height = duration(comment.value)
        if comment.key not in LAYERS or (comment.key == "LAYER") != bool(comment.value):
            return False
        self._kind = self._kind or comment.key
        if comment.key != self._kind:
            return False
        self._told_height = None
        self.layer = (self.layer or 0) + 1
        self._is_new = True
        return True

    def risen(self, z: float, *, climbs: bool) -> bool:
        """Something is printed at another height; True if that begins a layer.

        Where the move itself climbs, as in a vase, there are no layers to be told by height.
        """
        self._height = self._told_height if isnan(z) else z
        is_new, self._is_new = self._is_new, False
        if not self._kind and not climbs:
            self.layer = (self.layer or 0) + 1
            return True
        return is_new

    def add(
        self,
        offset: int,
        own: float,
        *,
        elapsed: float | None = None,
        left: float | None = None,
        percent: float | None = None,
    ) -> None:
        """Make a mark behind a line."""
        if self._marks and offset // self._gap == self._marks[-1].offset // self._gap:
            return
        mark = Mark(offset, own, self.layer, self._height, elapsed, left, percent)
        self._marks.append(mark)
        if len(self._marks) > 2 * MOST_ROWS:
            self._thin()

    def rows(
        self, size: int, own: float, told: float | None
    ) -> tuple[tuple[Row, ...], float | None]:
        """The table of a file of `size` bytes, and how long the print takes.

        `own` are seconds by lengths and feeds, `told` are the slicer's.
        """
        self._thin()
        whole = told or next((mark.left for mark in self._marks if mark.left), own)
        if not whole > 0:
            return (), None
        clock = _Clock(self._marks, own, whole)
        marks = [*self._marks, Mark(size, own, self.layer, self._height)]
        rows = [clock.row(mark, min(mark.offset, size)) for mark in marks]
        return ((0, 0.0, None, None), *rows), whole

    def _thin(self) -> None:
        """Keep the first mark of each so many bytes."""
        while len(self._marks) > MOST_ROWS:
            self._gap *= 2
            groups = groupby(self._marks, key=lambda mark: mark.offset // self._gap)
            self._marks = [next(group) for _, group in groups]


class _Clock:
    """From our own seconds to the slicer's, in straight lines between what it has told."""

    def __init__(self, marks: Sequence[Mark], own: float, whole: float) -> None:
        self._points = [(0.0, 0.0)]
        for mark in marks:
            said = mark.said(whole)
            if said is not None and mark.own > self._points[-1][0] and mark.own < own:
                self._points.append((mark.own, min(max(said, self._points[-1][1]), whole)))
        self._points.append((max(own, self._points[-1][0]), max(whole, self._points[-1][1])))
        self._at = 0

    def row(self, mark: Mark, offset: int) -> Row:
        """The row of a mark; marks come in their order."""
        while self._at < len(self._points) - 2 and self._points[self._at + 1][0] < mark.own:
            self._at += 1
        (own, told), (next_own, next_told) = self._points[self._at : self._at + 2]
        share = (mark.own - own) / (next_own - own) if next_own > own else 0.0
        seconds = told + min(share, 1.0) * (next_told - told)
        return offset, round(seconds, 2), mark.layer, mark.height
