"""Devices that have only just begun: at the start, and where a reload puts another in their place.

That nothing is known of them is no trouble yet. What they guard is refused meanwhile all the same;
but nothing is torn down for it, as long as they come within the time that a value may be old.
"""

from __future__ import annotations

from collections.abc import Iterable

from agent.clock import Clock
from agent.fleet.board import Board
from agent.fleet.samples import Quality


class Arrivals:
    """Since when each of them is waited for, on the monotonic clock."""

    def __init__(self, board: Board, clock: Clock) -> None:
        self._board, self._clock = board, clock
        self._since: dict[str, float] = {}
        self._leaving: set[str] = set()
        board.follow(self._changed)

    def expect(self, devices: Iterable[str]) -> None:
        """Wait from now on for those of which nothing has been read."""
        for device in devices:
            self._leaving.discard(device)
            if not self._has_been_read(device):
                self._since[device] = self._clock.monotonic()

    def leaves(self, device: str) -> None:
        """Wait for one that is being replaced: what the old one still says is no arrival."""
        self._since[device] = self._clock.monotonic()
        self._leaving.add(device)

    def awaits(self, device: str, now: float, seconds: float) -> bool:
        """Whether it began less than so many seconds ago, and has not been read since."""
        return device in self._since and now - self._since[device] <= seconds

    def _changed(self, device: str) -> None:
        if device in self._since and device not in self._leaving and self._has_been_read(device):
            del self._since[device]

    def _has_been_read(self, device: str) -> bool:
        snapshot = self._board.latest.get(device)
        samples = snapshot.samples.values() if snapshot else ()
        return any(it.quality is not Quality.STALE for it in samples)
