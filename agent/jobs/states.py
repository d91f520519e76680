"""The states of a job, and which of them are its end."""

from enum import StrEnum
from typing import Final


class JobState(StrEnum):
    """Where a job is between its submission and its end."""

    QUEUED = "queued"  # begins as soon as its devices are free
    HELD = "held"  # in the queue, and does not begin before somebody releases it
    RUNNING = "running"
    PAUSING = "pausing"  # a step that can't be halted goes on to its end
    PAUSED = "paused"
    STOPPING = "stopping"  # its devices were stopped at once; on_stop and finally run
    DONE = "done"  # every step ended well; what was measured may have failed all the same
    FAILED = "failed"
    STOPPED = "stopped"  # by a person, a program or an interlock
    INTERRUPTED = "interrupted"  # the agent ended under it; nothing begins again by itself

    @property
    def is_final(self) -> bool:
        """Whether nothing comes after it."""
        return self in FINAL


FINAL: Final = frozenset({JobState.DONE, JobState.FAILED, JobState.STOPPED, JobState.INTERRUPTED})
WAITING: Final = frozenset({JobState.QUEUED, JobState.HELD})
"""In the queue: nothing of it has moved."""
PAUSABLE: Final = frozenset({JobState.RUNNING, JobState.PAUSING, JobState.PAUSED})
