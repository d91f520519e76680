"""How long a job has run, as whoever follows it sees it, and waiting for its end without a word."""

from __future__ import annotations

import select
from datetime import datetime
from typing import Any, Final

from agent.cli.client import AgentClient
from agent.clock import Clock, SystemClock

LOOK_EVERY_S: Final = 0.25


class Stopwatch:
    """Goes on by the monotonic clock from what the first look at a job that runs has told.

    `speed` is how many seconds of the job pass in one, where its devices are simulators.
    """

    def __init__(self, speed: float = 1.0, clock: Clock | None = None) -> None:
        self._speed, self._clock = speed, clock or SystemClock()
        self._began: float | None = None

    def elapsed(self, job: dict[str, Any]) -> float | None:
        """Seconds since the job began; None while it has not."""
        if job["began"] is None:
            return None
        now = self._clock.monotonic()
        if self._began is None:
            began = datetime.fromisoformat(job["began"]).timestamp()
            self._began = now - max(self._clock.utc() - began, 0.0) / self._speed
        return (now - self._began) * self._speed


def quietly(client: AgentClient, job: str) -> dict[str, Any]:
    """Wait for the end of a job, and return it."""
    while True:
        found: dict[str, Any] = client.get("jobs", job)
        if found["ended"]:
            return found
        select.select([], [], [], LOOK_EVERY_S)
