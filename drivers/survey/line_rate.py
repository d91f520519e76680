"""How many bytes per second a serial line has to carry, so that the head never waits for it."""

from __future__ import annotations

from math import log
from typing import Final

from drivers.survey.report import Demand, Load

WINDOW_S: Final = 0.5
"""Seconds of print in which fast and slow segments even out, as the planner has room for some."""
WINDOW_MOVES: Final = 32
"""Moves after which a window ends in any case; planners hold 8 to 64."""
STEP: Final = 1.05
"""Loads are told apart when they differ by so much."""

CHECKSUM_DIGITS: Final = (10 * 1 + 90 * 2 + 28 * 3) / 128
"""A checksum of ASCII is below 128: so many digits on average."""
FRAME: Final = len("N *\n") + CHECKSUM_DIGITS
"""Bytes that an order takes beside its text and the digits of its number."""


class LineRate:
    """Adds up windows of orders: the bytes they take, and the seconds that their moves last.

    A window is made of the texts' bytes, the moves, their seconds, and its first line.
    """

    __slots__ = (
        "_closed", "_elapsed", "_line", "_loads", "_moves", "_others", "_seconds", "_size", "_worst"
    )  # fmt: skip

    def __init__(self) -> None:
        self._size = self._moves = self._line = 0
        self._seconds = self._elapsed = 0.0
        self._others = self._closed = 0  # orders that are no moves; orders of windows gone by
        self._loads: dict[int, list[float]] = {}
        self._worst = (0.0, 0.0, 0)

    @property
    def orders(self) -> int:
        """All orders so far."""
        return self._closed + self._moves + self._others

    @property
    def seconds(self) -> float:
        """How long all moves last so far."""
        return self._elapsed + self._seconds

    def moves(self, count: int, size: int, seconds: float, line: int) -> None:
        """So many moves, of `size` bytes in all, that last so long; the first is in this line."""
        if not count:
            return
        self._line = self._line or line
        self._size += size
        self._seconds += seconds
        self._moves += count
        if self._seconds >= WINDOW_S or self._moves >= WINDOW_MOVES:
            self._close()

    def order(self, size: int) -> None:
        """An order of `size` bytes that moves nothing."""
        self._size += size
        self._others += 1

    def rest(self) -> None:
        """Nothing is moved for a while, and the line catches up: what was needed was before."""
        self._close()
        self._closed += self._moves + self._others
        self._size = self._moves = self._others = self._line = 0

    def demand(self) -> Demand:
        """What was needed, when nothing more comes."""
        self._close()
        loads = [
            Load(needed=total / seconds, seconds=seconds, line=int(line))
            for _, (total, seconds, line) in sorted(self._loads.items())
        ]
        needed, seconds, line = self._worst
        worst = Load(needed=needed, seconds=seconds, line=line) if loads else None
        return Demand(loads=tuple(loads), worst=worst)

    def _close(self) -> None:
        """End the window. Orders that last no time at all wait for the next that does."""
        if not self._seconds > 0:
            return
        count = self._moves + self._others
        total = self._size + count * (FRAME + len(str(self._closed + count)))
        needed = total / self._seconds
        load = self._loads.setdefault(int(log(needed, STEP)), [0.0, 0.0, self._line])
        load[0] += total
        load[1] += self._seconds
        if needed > self._worst[0]:
            self._worst = (needed, self._seconds, self._line)
        self._closed += count
        self._elapsed += self._seconds
        self._size = self._moves = self._others = self._line = 0
        self._seconds = 0.0
