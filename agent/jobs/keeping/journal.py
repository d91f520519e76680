"""What is kept of jobs while they run: the door for whatever writes it down for good."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

from agent.roles import Actor

Kind = Literal[
    "submitted",
    "state",
    "step",
    "measure",
    "row",
    "log",
    "question",
    "answer",
    "safe",
    "print",
    "moved",
    "queue",
    "plate",
]
KEPT: Final = 10_000
"""Entries of one job that are kept in memory; the oldest go first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One thing that happened in a job: when (seconds UTC), and what, as JSON can hold it."""

    job: str
    time: float
    kind: Kind
    data: Mapping[str, Any]
    recipe: str = ""
    by: Actor | None = None
    """Who did it: a person, a program, or the job itself; None for the agent."""
    whole: Mapping[str, Any] | None = None
    """The whole job as it is after this, where it is to be found so after a restart."""


class Journal(Protocol):
    """Keeps the entries of jobs in their order."""

    async def add(self, entry: Entry) -> None:
        """Keep an entry, and return once it is kept.

        Raises:
            AgentError: It could not be kept. The job fails by that; a stop goes on.
        """
        ...


class MemoryJournal:
    """The last entries of each job, as long as the agent runs."""

    def __init__(self) -> None:
        self._kept: dict[str, deque[Entry]] = {}

    async def add(self, entry: Entry) -> None:
        self._kept.setdefault(entry.job, deque(maxlen=KEPT)).append(entry)

    def entries(self, job: str, kind: Kind | None = None) -> tuple[Entry, ...]:
        """The entries of a job, of one kind or of all, in their order."""
        return tuple(it for it in self._kept.get(job, ()) if kind in (None, it.kind))

    def forget(self, job: str) -> None:
        """Keep nothing of a job any longer."""
        self._kept.pop(job, None)
