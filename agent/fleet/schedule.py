"""Which values are due. A late poll is skipped and counted; polls never pile up."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

LATE_S: Final = 0.02
LATE_PART: Final = 0.1
"""A poll is late when it begins later than this part of its period, and than LATE_S."""


@dataclass(slots=True)
class _Row:
    """Values of one period, due next at `due`."""

    period: float
    names: tuple[str, ...]
    due: float
    grace: float
    """How much later than due it may begin and is not late."""


class Schedule:
    """The polls of one device on the monotonic clock, each period on its own fixed grid.

    A grid begins `phase` of a period (0…1) after `start`, so that many devices that connect at once
    do not fall due at once for ever.
    """

    def __init__(self, periods: Mapping[str, float], start: float, phase: float = 0.0) -> None:
        by_period: dict[float, list[str]] = {}
        for name, period in periods.items():
            if period > 0:
                by_period.setdefault(period, []).append(name)
        self._rows = [
            _Row(p, tuple(names), start + phase * p, max(LATE_S, LATE_PART * p))
            for p, names in sorted(by_period.items())
        ]
        self.late = 0
        """Polls that began late, those after which others were skipped included."""
        self.skipped = 0
        """Polls that came so late that the next of the same value was due already."""
        self.next_due = min((row.due for row in self._rows), default=math.inf)
        """When something is due; infinity when nothing is ever polled."""

    def take(self, now: float) -> tuple[str, ...]:
        """Return the names due at `now`, and set each to the next point of its grid after `now`."""
        names: tuple[str, ...] = ()
        self.next_due = math.inf
        for row in self._rows:
            if row.due <= now:
                names += row.names
                self.late += now - row.due > row.grace
                missed = int((now - row.due) / row.period)
                self.skipped += missed
                row.due += (missed + 1) * row.period
            self.next_due = min(self.next_due, row.due)
        return names
