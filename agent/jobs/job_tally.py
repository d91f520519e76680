"""What is counted of jobs that have ended, and which was the last of each kind."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass
from typing import Final

from agent.jobs.job import Job, Verdict
from agent.jobs.states import JobState
from agent.spread import Spread

BOUNDS: Final = (1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 12 * 3600, 24 * 3600)
"""Of the durations of jobs, in seconds: from a log line to a print of a day."""


@dataclass(frozen=True, slots=True)
class Last:
    """The last job that was counted somewhere: when it ended, in seconds UTC, and what it added."""

    job: str
    time: float
    value: float


class JobTally:
    """Counts since the agent started."""

    def __init__(self) -> None:
        self.ended = Counter[JobState]()
        """How many jobs have come to each final state."""
        self.judged = Counter[Verdict]()
        """How many have ended with each verdict."""
        self.durations = Spread(BOUNDS)
        """Of those that had begun, from there to the end, pauses and all."""
        self.last_ended: dict[JobState, Last] = {}
        self.last_in: dict[int, Last] = {}
        """By the bucket of `durations`."""

    def over(self, job: Job, now: float, seconds: float | None = None) -> None:
        """Count a job that has ended.

        Args:
            job: It, in its final state.
            now: The time, in seconds UTC.
            seconds: How long it ran; None where it never began, or nobody knows.
        """
        self.ended[job.state] += 1
        self.judged[job.verdict] += 1
        self.last_ended[job.state] = Last(job.id, now, 1.0)
        if seconds is not None:
            self.durations.took(seconds)
            self.last_in[bisect_left(BOUNDS, seconds)] = Last(job.id, now, seconds)
