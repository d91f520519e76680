"""What is known of jobs beyond the life of the process: the door to whatever keeps it for good."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Literal, Protocol

from agent.errors import AgentError
from agent.jobs.keeping.journal import Entry

Mark = Literal["running", "number", "queue", "plates"]
"""What is kept beside the jobs: that an agent runs which has not ended in order, the number of the
last submission, who holds the whole queue, and the printers whose plate nobody has seen clear."""
Marks = Mapping[Mark, Any]
NO_MARKS: Final[Marks] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True, slots=True)
class Key:
    """A key under which something was submitted, the hash of what was asked, and its job."""

    key: str
    sha256: str
    job: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Recalled:
    """What is found at a start: jobs in the order of their submission, as `whole` of Entry has them."""

    wholes: tuple[Mapping[str, Any], ...] = ()
    marks: Mapping[str, Any] = field(default_factory=dict)


class Book(Protocol):
    """Keeps jobs and the queue, so that the next agent finds them."""

    async def recall(self) -> Recalled:
        """What was kept. Raises AgentError where it can't be read."""
        ...

    async def enter(
        self, entries: Sequence[Entry], *, key: Key | None = None, marks: Marks = NO_MARKS
    ) -> None:
        """Keep all of this or nothing of it, and return once it is on the disk.

        Raises:
            AgentError: It could not be kept.
        """
        ...

    async def known(self, key: str) -> Key | None:
        """What was submitted under a key. Raises AgentError where it can't be read."""
        ...

    async def log(self, job: str, after: int, most: int) -> tuple[Mapping[str, Any], ...]:
        """The next entries of a job that come after row `after`, oldest first.

        Raises:
            AgentError: They can't be read.
        """
        ...


class MemoryBook:
    """A book that is gone with the process: for jobs of which nothing has to last."""

    def __init__(self) -> None:
        self._keys: dict[str, Key] = {}

    async def recall(self) -> Recalled:
        return Recalled()

    async def enter(
        self, entries: Sequence[Entry], *, key: Key | None = None, marks: Marks = NO_MARKS
    ) -> None:
        if key is not None:
            self._keys[key.key] = key

    async def known(self, key: str) -> Key | None:
        return self._keys.get(key)

    async def log(self, job: str, after: int, most: int) -> tuple[Mapping[str, Any], ...]:
        return ()


class UnwritableBook(MemoryBook):
    """A book of which the disk takes nothing: no job begins, and none is known from before."""

    def __init__(self, why: AgentError) -> None:
        super().__init__()
        self._why = why

    async def enter(
        self, entries: Sequence[Entry], *, key: Key | None = None, marks: Marks = NO_MARKS
    ) -> None:
        raise self._why

    async def add(self, entry: Entry) -> None:
        """As a journal it takes nothing either."""
        raise self._why
