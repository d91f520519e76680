"""A print on a networked printer: what it is doing, how far it is, how it has ended."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

EPOCH: Final = 1_700_000_000.0
"""What the printer's own clock says when it is switched on: seconds of Unix time."""


class PrintState(StrEnum):
    """What a print is doing, or how it has ended."""

    STARTING = "starting"
    PRINTING = "printing"
    PAUSING = "pausing"
    PAUSED = "paused"
    RESUMING = "resuming"
    CANCELLING = "cancelling"
    FINISHING = "finishing"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    FAILED = "failed"


ENDED: Final = {PrintState.FINISHED, PrintState.CANCELLED, PrintState.FAILED}
RUNNING: Final = {PrintState.STARTING, PrintState.PRINTING}


class WrongState(Exception):
    """What was asked for does not fit what the printer is doing; the text says why."""


@dataclass(frozen=True, kw_only=True)
class Delays:
    """How many seconds each change takes, beyond the end of the command at hand."""

    start: float = 0.5
    pause: float = 1.0
    resume: float = 1.0
    cancel: float = 1.0
    finish: float = 0.5


@dataclass
class Job:
    """One print. `started` and `ended` are Unix time in s, the other times durations in s.

    `by` tells who started it: "api", or "screen" for somebody at the printer itself. `position`
    counts the bytes of the commands that have ended, `filament` the mm that were used. `heating`
    is the time before the first filament.
    """

    number: int
    name: str
    size: int
    by: str
    started: float
    state: PrintState = PrintState.STARTING
    position: int = 0
    ended: float | None = None
    total: float = 0.0
    paused: float = 0.0
    heating: float = 0.0
    filament: float = 0.0
    message: str = ""

    @property
    def active(self) -> bool:
        """Whether it has not ended."""
        return self.state not in ENDED

    @property
    def progress(self) -> float:
        """Part of the file that is done, 0 to 1."""
        return self.position / self.size if self.size else 1.0

    @property
    def printing(self) -> float:
        """Seconds of it that were no pause."""
        return self.total - self.paused

    def count(self, seconds: float, filament: float) -> None:
        """Let time pass on it; `filament` is what it has used up to now, in mm."""
        self.total += seconds
        self.filament = filament
        if self.state is PrintState.PAUSED:
            self.paused += seconds
        elif filament < 1e-7:
            self.heating += seconds
