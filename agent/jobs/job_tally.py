"""What is counted of jobs that have ended, whichever they were."""

from __future__ import annotations

from collections import Counter
from typing import Final

from agent.jobs.states import JobState
from agent.spread import Spread

BOUNDS: Final = (1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 12 * 3600, 24 * 3600)
"""Of the durations of jobs, in seconds: from a log line to a print of a day."""


class JobTally:
    """Counts since the agent started."""

    def __init__(self) -> None:
        self.ended = Counter[JobState]()
        """How many jobs have come to each final state."""
        self.durations = Spread(BOUNDS)
        """Of those that had begun, from there to the end, pauses and all."""

    def over(self, state: JobState, seconds: float | None = None) -> None:
        """Count a job that has ended, `seconds` after it began; None where it never did, or nobody knows."""
        self.ended[state] += 1
        if seconds is not None:
            self.durations.took(seconds)
