"""Three of the four time-outs of one reply, as they run."""

import asyncio

from drivers.transport.link import Timeouts


class ReplyClock:
    """Three of the four time-outs of one reply; the fourth, for the turn, is over by now."""

    __slots__ = ("_began", "_timeouts", "_whole", "has_started", "loop")

    def __init__(self, timeouts: Timeouts) -> None:
        self.loop = asyncio.get_running_loop()
        self._timeouts = timeouts
        self._began = self.loop.time()
        self._whole = self._began + timeouts.whole
        self.has_started = False
        """Whether bytes of the reply have come."""

    def deadline(self) -> float | None:
        """When the wait that begins now ends; None when a reply that has begun should be whole."""
        if not self.has_started:
            return min(self._began + self._timeouts.first_byte, self._whole)
        now = self.loop.time()
        return None if now >= self._whole else min(now + self._timeouts.next_byte, self._whole)

    def is_spent(self) -> bool:
        """Whether the whole reply should have come by now."""
        return self.loop.time() >= self._whole

    def complaint(self, got: bytes) -> str:
        """What to say of a reply that is not whole, `got` being what came of it."""
        if self.has_started and self.is_spent():
            return f"the reply was not whole after {self._timeouts.whole:g} s: {got[:80]!r}"
        if not self.has_started and not got:
            return f"no reply within {self._timeouts.first_byte:g} s: is it on and connected?"
        return f"the reply stopped for {self._timeouts.next_byte:g} s after {got[:80]!r}"
