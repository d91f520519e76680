"""A clock that goes faster than the workstation's, as time does in the simulators of a rehearsal."""

from __future__ import annotations

from agent.clock import Clock


class FastClock:
    """`speed` seconds pass in each second of `base`."""

    def __init__(self, base: Clock, speed: float) -> None:
        self._base, self._speed = base, speed
        self._began, self._began_utc = base.monotonic(), base.utc()

    def utc(self) -> float:
        return self._began_utc + self._passed()

    def monotonic(self) -> float:
        return self._began + self._passed()

    async def sleep(self, seconds: float) -> None:
        await self._base.sleep(seconds / self._speed)

    def _passed(self) -> float:
        return (self._base.monotonic() - self._began) * self._speed
