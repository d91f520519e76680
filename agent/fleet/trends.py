"""The last hour of every number: one point each few seconds, for the plots that people look at.

It is a look back, no record: a run keeps every reading, and a point here is what was believed at its
moment. Points are 32-bit, so that a reading takes 1.5 KB, and a thousand devices a few MB.
"""

from array import array
from collections.abc import Mapping
from math import isnan, nan
from typing import Final

from agent.clock import Clock
from agent.fleet.board import Board
from agent.fleet.samples import Quality, Sample

STEP_S: Final = 10.0
POINTS: Final = 360
"""An hour of them."""
BELIEVED: Final = frozenset({Quality.GOOD, Quality.SIMULATED, Quality.MANUAL})
LARGEST: Final = 3.4e38
"""Of a 32-bit number; what is beyond has no point."""


class Trends:
    """Rings of points by device and reading. A gap is NaN: nothing was known, or believed, then."""

    def __init__(self, board: Board, clock: Clock) -> None:
        self._board, self._clock = board, clock
        self._rings: dict[str, dict[str, array[float]]] = {}
        self._next = 0  # the place of the next point, in every ring

    async def run(self) -> None:
        """Take a point of everything each STEP_S, until cancelled."""
        while True:
            self.take()
            await self._clock.sleep(STEP_S)

    def take(self) -> None:
        """Take a point of every number on the board; devices that are gone are forgotten."""
        latest = self._board.latest
        for device in self._rings.keys() - latest.keys():
            del self._rings[device]
        for device, snapshot in latest.items():
            rings = self._rings.setdefault(device, {})
            points = {name: _point(it) for name, it in snapshot.samples.items()}
            for name in points.keys() - rings.keys():
                if not isnan(points[name]):
                    rings[name] = array("f", [nan]) * POINTS
            for name, ring in rings.items():
                ring[self._next] = points.get(name, nan)
        self._next = (self._next + 1) % POINTS

    def of(self, device: str) -> Mapping[str, tuple[float | None, ...]]:
        """The points by reading, oldest first, the last one at most STEP_S old; None for a gap."""
        return {
            name: tuple(None if isnan(p) else p for p in (*ring[self._next :], *ring[: self._next]))
            for name, ring in self._rings.get(device, {}).items()
        }


def _point(sample: Sample) -> float:
    value = sample.value
    if sample.quality not in BELIEVED or isinstance(value, bool | str) or value is None:
        return nan
    return float(value) if abs(value) < LARGEST else nan
