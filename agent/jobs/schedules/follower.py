"""One schedule followed along a clock that may jump: what is due, what was missed. Pure.

It is asked what is due as often as one likes, with the time of the station's wall clock. What lies
between two looks is due; all of it but the last was missed, and so is the last when it is late.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from agent.jobs.schedules.lived import Lived
from agent.settings import Schedule

PUNCTUAL_S: Final = 60.0
"""A firing that is made within this time is on time: a restart of the agent misses nothing by it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Due:
    """What has become due since the last look. Moments are in seconds UTC."""

    at: float
    """The last time at which it was to fire."""
    late: float
    """How long ago that was, in seconds."""
    starts: bool
    """Whether a job is to be started for it."""
    missed: int
    """Times that passed without a start of their own; as many as `MOST_COUNTED` stand for more."""

    @property
    def is_punctual(self) -> bool:
        """Whether it is made on time."""
        return self.late <= PUNCTUAL_S


class Follower:
    """Where one schedule has come to. `lived` is to be kept; the rest follows from it."""

    def __init__(self, schedule: Schedule, lived: Lived, now: float) -> None:
        self.schedule = schedule
        self.lived = lived
        reached = lived.reached(now)
        self._seen = now if reached is None else reached
        self.next = self._after(self._seen)
        """When it fires next, as the clock stands; None if never."""

    def look(self, now: float) -> Due | None:
        """What is due now. It is asked for once: the next look begins where this one ends."""
        seen, self._seen = self._seen, now
        if seen <= now and (self.next is None or now < self.next):
            return None
        self.next = self._after(now)
        if now < seen:
            return (
                None  # the clock was set back: what comes by again was dealt with, or comes in time
            )
        return self._due(seen, now)

    def begin_anew(self, now: float) -> None:
        """Leave out everything up to now: it was switched off, or another timetable, until now."""
        self.lived = self.lived.through(now, self.schedule.timetable.after)
        self._seen, self.next = now, self._after(now)

    def coming(self, number: int) -> tuple[float, ...]:
        """The next firings, as the clock stands; fewer where there are no more."""
        found: list[float] = []
        at = self.next
        while at is not None and len(found) < number:
            found.append(at)
            at = self._after(at)
        return tuple(found)

    def _due(self, seen: float, now: float) -> Due | None:
        """The last firing in this stretch, unless it or a later one was dealt with."""
        timetable = self.schedule.timetable
        begun = max(seen, self.lived.reached(now) or seen)
        at = timetable.last(begun, now)
        if at is None:
            return None
        late = now - at
        missed = timetable.count(begun, at) - 1 + (late > PUNCTUAL_S)
        self.lived = self.lived.through(at, timetable.after)
        starts = late <= PUNCTUAL_S or self._is_made_up_for(late)
        return Due(at=at, late=late, starts=starts, missed=missed)

    def _is_made_up_for(self, late: float) -> bool:
        most = self.schedule.late
        return self.schedule.missed == "once" and (most is None or late <= most)

    def _after(self, moment: float) -> float | None:
        """The next firing that is not dealt with yet."""
        at = self.schedule.timetable.after(moment)
        while at is not None and self.lived.has(at):
            end = next(last for first, last in self.lived.spans if first <= at <= last)
            at = self.schedule.timetable.after(end)
        return at
