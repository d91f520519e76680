"""Tells when the station's clock is set: what was recorded before and after does not fit together."""

from __future__ import annotations

from typing import Final

from agent.clock import Clock
from agent.fleet.events import EventLog, Severity

LOOK_S: Final = 1.0
STEP_S: Final = 0.5
"""What the clock gains or loses within LOOK_S and is no drift. Sleep of the machine shows as well."""


async def watch_clock(clock: Clock, events: EventLog) -> None:
    """Follow the clock until cancelled. Deadlines and ages are on the monotonic one, which never steps."""
    offset = clock.utc() - clock.monotonic()
    while True:
        await clock.sleep(LOOK_S)
        now = clock.utc() - clock.monotonic()
        if abs(step := now - offset) > STEP_S:
            way = "forward" if step > 0 else "back"
            events.add(
                "clock.stepped",
                f"the station's clock was set {way} by {abs(step):.3f} s: times before and after differ "
                "by that much",
                severity=Severity.WARNING,
                seconds=round(step, 3),
            )
        offset = now
