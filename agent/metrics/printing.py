"""How far a print is, by the readings that every printer has."""

from __future__ import annotations

from typing import Final

from agent.fleet.samples import Snapshot
from agent.metrics.parts import is_believed

PRINTING: Final = frozenset(
    {"starting", "printing", "pausing", "paused", "resuming", "finishing", "attention"}
)
"""States in which a print is under way."""
PROGRESS: Final = ("print_time_progress", "print_progress")
"""The better first: how much of the time is over, in percent, or of the file's bytes."""


def progress_of(snapshot: Snapshot) -> float | None:
    """The part of a print that is over; None where nothing is printed."""
    if not _is_printing(snapshot):
        return None
    percents = (_number(snapshot, name) for name in PROGRESS)
    return next((it / 100 for it in percents if it is not None), None)


def left_of(snapshot: Snapshot) -> float | None:
    """Seconds that a print still takes; None where nothing is printed, or nobody knows."""
    return _number(snapshot, "print_left") if _is_printing(snapshot) else None


def _is_printing(snapshot: Snapshot) -> bool:
    state = snapshot.samples.get("print_state")
    return (
        snapshot.state.online
        and state is not None
        and is_believed(state)
        and state.value in PRINTING
    )


def _number(snapshot: Snapshot, name: str) -> float | None:
    sample = snapshot.samples.get(name)
    if sample is None or not is_believed(sample) or not isinstance(sample.value, int | float):
        return None
    return float(sample.value)
