"""Where the head goes: straight moves and curves, how long they last and how far they reach.

A coordinate that the file does not tell, as after homing, is NaN: it is no limit of anything, and
a move from there lasts no time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import islice
from math import hypot, isnan, nan
from typing import Final

from drivers.survey.arcs import Arc, Point, arc, centre_of
from drivers.survey.frame import AXES, Frame, Words
from drivers.survey.line_rate import WINDOW_MOVES, WINDOW_S, LineRate
from drivers.survey.reach import Place, Reach

_DIGITS: Final = rb"([-+.\d]{1,12})"  # quicker than the pattern of a number, and no line too long
_STROKE: Final = re.compile(
    rb"G([01])(?: F%b)? X%b Y%b(?: E%b)?(?: F%b)?\Z" % ((_DIGITS,) * 5)
).match
_CODE: Final = {b"0": "G0", b"1": "G1"}

PLANES: Final = {"G17": (0, 1, 2), "G18": (2, 0, 1), "G19": (1, 2, 0)}
"""The two axes of an arc in their order, and the one that goes along."""
CENTRE: Final = ("I", "J", "K")
WAITING: Final = frozenset(
    {"G4", "G28", "G29", "M0", "M1", "M109", "M116", "M190", "M191", "M400", "M600"}
)
"""Orders that last long enough to fill the printer's buffers again."""
MOST_TURNS: Final = 1000
"""Whole circles that an order is believed."""


class Motion:
    """Follows the head. `risen` is told of each new height at which something is printed.

    It is called with the height in mm, whether the move itself climbs to it, and the line.
    """

    def __init__(self, rate: LineRate, risen: Callable[[float, bool, int], None]) -> None:
        self.rate, self._risen = rate, risen
        self.frame = Frame()
        self.box, self.printed = Reach(), Reach()
        self._dwelt = 0.0
        self._plane = PLANES["G17"]
        self._is_printing = False
        self._height = nan

    @property
    def seconds(self) -> float:
        """How long everything takes so far, without acceleration."""
        return self.rate.seconds + self._dwelt

    def layer(self) -> None:
        """Tell the height of the next move that prints, even if it is the same."""
        self._is_printing, self._height = False, nan

    def strokes(self, lines: Sequence[bytes], start: int, number: int) -> int:
        """Follow G0 and G1 along X and Y from lines[start] on; return where something else is.

        Nearly all lines of a print are such, so this loop decides how fast a file is examined. It
        does what `move` does. `number` is that of lines[start] in the file.
        """
        frame, box, printed, rate = self.frame, self.box, self.printed, self.rate.moves
        x, y, is_printing = frame.x, frame.y, self._is_printing
        line, begin, size, seconds = number, number, 0, 0.0
        try:
            for text in islice(lines, start, None):
                if (stroke := _STROKE(text)) is None:
                    break
                kind, feed, word_x, word_y, word_e, late_feed = stroke.groups()
                to_x, to_y, pushed = float(word_x), float(word_y), float(word_e or 0)
                if feed or late_feed:
                    frame.feed(float(feed or late_feed), _CODE[kind], line)
                if to_x < box.x0 or to_x > box.x1 or to_y < box.y0 or to_y > box.y1:
                    box.grow((to_x, to_y, nan), line, _CODE[kind])
                if word_e and not frame.is_e_relative:
                    pushed, frame.e = pushed - frame.e, pushed
                if pushed <= 0:
                    is_printing = False
                elif not (
                    is_printing
                    and printed.x0 <= to_x <= printed.x1
                    and printed.y0 <= to_y <= printed.y1
                ):
                    self._print((x, y, frame.z), (to_x, to_y, frame.z), line, _CODE[kind])
                    is_printing = True
                size += len(text)
                seconds += hypot(to_x - x, to_y - y) / frame.speed
                x, y, line = to_x, to_y, line + 1
                if seconds >= WINDOW_S or line - begin >= WINDOW_MOVES:
                    rate(line - begin, size, seconds, begin)
                    begin, size, seconds = line, 0, 0.0
        except ValueError:  # digits that are no number, as 1.2.3: nothing has changed yet
            pass
        rate(line - begin, size, seconds, begin)
        frame.x, frame.y, self._is_printing = x, y, is_printing
        return start + line - number

    def move(self, code: str, words: Words, size: int, line: int) -> None:
        """A straight move, G0 or G1, of `size` bytes."""
        end = self.frame.target(words)
        self._arrive(code, words, end, self.frame.way(end), (), size, line)

    def curve(self, code: str, words: Words, size: int, line: int) -> None:
        """G2, G3 or G5 of `size` bytes. A Bézier curve stays among its four points."""
        begin, end = self.frame.place, self.frame.target(words)
        length, bulge = self.frame.way(end), self._handles(words, begin, end)
        if code != "G5":
            bulge = []
            bend = self._arc(words, begin, end, clockwise=code == "G2")
            if bend is not None:
                along = self._plane[2]
                climb = end[along] - begin[along]
                length = bend.length if isnan(climb) else hypot(bend.length, climb)
                bulge = [self._lifted(point, end) for point in bend.extremes()]
        self._arrive(code, words, end, length, bulge, size, line)

    def order(self, code: str, words: Words, size: int, line: int) -> None:
        """Any other order of `size` bytes."""
        if code in PLANES:
            self._plane = PLANES[code]
        elif code == "G4":
            self._dwelt += (words.get("S") or 0.0) + (words.get("P") or 0.0) / 1000
        self.frame.order(code, words, line)
        self.rate.order(size)
        if code in WAITING:
            self.rate.rest()

    def _arrive(
        self,
        code: str,
        words: Words,
        end: list[float],
        length: float,
        bulge: Sequence[list[float]],
        size: int,
        line: int,
    ) -> None:
        frame = self.frame
        begin = frame.place
        frame.feed(words.get("F") or 0.0, code, line)
        pushed = frame.pushed(words.get("E"))
        self._is_printing = pushed > 0 and any(words.get(axis) is not None for axis in AXES)
        for place in (*bulge, end):
            self.box.grow(place, line, code)
            if self._is_printing:
                self._print(begin, place, line, code)
        seconds = (length if length > 0 else abs(pushed)) / frame.speed
        self.rate.moves(1, size, seconds, line)
        frame.x, frame.y, frame.z = end

    def _print(self, begin: Place, end: Place, line: int, code: str) -> None:
        self.printed.grow(begin, line, code)
        self.printed.grow(end, line, code)
        if end[2] != self._height:
            self._height = end[2]
            self._risen(end[2], begin[2] != end[2], line)

    def _arc(self, words: Words, begin: Place, end: Place, *, clockwise: bool) -> Arc | None:
        """The arc in the chosen plane; None when the words do not say which."""
        p, q, _ = self._plane
        ends = (begin[p], begin[q]), (end[p], end[q])
        offset = self.frame.offset
        if words.get("R") is not None:
            centre = centre_of(*ends, offset(words.get("R")), clockwise=clockwise)
        else:
            legs = offset(words.get(CENTRE[p])), offset(words.get(CENTRE[q]))
            centre = ends[0][0] + legs[0], ends[0][1] + legs[1]
        if centre == ends[0] or isnan(sum(centre)) or isnan(sum(ends[1])):
            return None
        turns = min(max(int(words.get("P") or 0), 0), MOST_TURNS)
        return arc(*ends, centre, turns, clockwise=clockwise)

    def _lifted(self, point: Point, end: Place) -> list[float]:
        """A point of the plane, at the end's height over it."""
        place = list(end)
        place[self._plane[0]], place[self._plane[1]] = point
        return place

    def _handles(self, words: Words, begin: Place, end: Place) -> list[list[float]]:
        """The inner points of a Bézier curve: I and J from its beginning, P and Q from its end."""
        offset = self.frame.offset
        return [
            [base[0] + offset(words.get(a)), base[1] + offset(words.get(b)), end[2]]
            for base, a, b in ((begin, "I", "J"), (end, "P", "Q"))
        ]
