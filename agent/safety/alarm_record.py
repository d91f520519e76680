"""What is put on record of alarms: each change in the ledger, and with it the alarm as it stands."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Protocol, TypeAlias

from agent.clock import Clock
from agent.errors import AgentError
from agent.store.alarm_rows import AlarmRow, keep_alarms
from agent.store.entries import AlarmEntry, Who
from agent.store.ledger import Ledger
from agent.store.store_errors import NotRecorded

AGAIN_S: Final = 5.0
"""Before what the disk did not take is tried again."""
MOST_WAITING: Final = 10_000
"""Changes that wait for the disk; the oldest give way, and how their alarms stand does not."""

log = logging.getLogger("labkeeper")

Rows: TypeAlias = Callable[[frozenset[str]], Sequence[tuple[str, AlarmRow | None]]]
"""The alarms of these names as they stand now."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change: who made it, its entry, and the names of the alarms that it has changed."""

    who: Who
    entry: AlarmEntry
    alarms: frozenset[str]


class AlarmRecord(Protocol):
    """Where alarms are kept."""

    def note(self, change: Change) -> None:
        """Have it recorded in time; nobody waits for it."""
        ...

    async def noted(self, change: Change) -> None:
        """Record it, after everything that was noted before. Raises NotRecorded."""
        ...

    async def run(self) -> None:
        """Record what is noted, until cancelled."""
        ...


class Unkept:
    """Keeps nothing: for a station of which only a part is there."""

    def note(self, change: Change) -> None:
        """See AlarmRecord."""

    async def noted(self, change: Change) -> None:
        """See AlarmRecord."""

    async def run(self) -> None:
        """See AlarmRecord."""


class Unkeepable(Unkept):
    """The disk takes nothing: alarms are raised all the same, and nobody's word is taken for them.

    `waiting` is what happened meanwhile, for a disk that takes it later; the oldest gives way.
    """

    def __init__(self, why: str) -> None:
        self._why = why
        self.waiting: deque[Change] = deque(maxlen=MOST_WAITING)

    def note(self, change: Change) -> None:
        """See AlarmRecord."""
        self.waiting.append(change)

    async def noted(self, change: Change) -> None:
        """See AlarmRecord."""
        raise NotRecorded(self._why)


class LedgerAlarms:
    """Alarms of a station that has a ledger. What the disk does not take is tried again."""

    def __init__(self, ledger: Ledger, clock: Clock, rows: Rows) -> None:
        self._ledger, self._clock, self._rows = ledger, clock, rows
        self._waiting: deque[Change] = deque()
        self._some = asyncio.Event()
        self._writing = asyncio.Lock()
        self._is_told = False

    def note(self, change: Change) -> None:
        """See AlarmRecord."""
        if len(self._waiting) >= MOST_WAITING:
            dropped = self._waiting.popleft()
            log.error("not on record: %s %s", dropped.entry.action, dropped.entry.target)
            oldest = self._waiting[0]
            self._waiting[0] = replace(oldest, alarms=oldest.alarms | dropped.alarms)
        self._waiting.append(change)
        self._some.set()

    async def noted(self, change: Change) -> None:
        """See AlarmRecord."""
        await self._catch_up()
        await self._write(change)

    async def run(self) -> None:
        """See AlarmRecord. What waits at the end is tried once more."""
        try:
            while True:
                await self._some.wait()
                self._some.clear()
                try:
                    await self._catch_up()
                except AgentError as error:
                    self._tell(error)
                    await self._clock.sleep(AGAIN_S)
                    self._some.set()
        finally:
            await self._at_the_end()

    async def _at_the_end(self) -> None:
        try:
            await self._catch_up()
        except AgentError as error:
            log.error("alarms are not on record: %s", error)

    async def _catch_up(self) -> None:
        """Write all that waits, in order and as one commit. Raises NotRecorded."""
        async with self._writing:
            changes = list(self._waiting)
            self._waiting.clear()
            writing = (self._write(it) for it in changes)
            ends = await asyncio.gather(*writing, return_exceptions=True)
            failed = [(it, end) for it, end in zip(changes, ends, strict=True) if end is not None]
            self._waiting.extendleft(it for it, _ in reversed(failed))
            for _, error in failed:
                if isinstance(error, BaseException):
                    raise error
            self._is_told = False

    async def _write(self, change: Change) -> None:
        along = partial(keep_alarms, self._rows(change.alarms))
        await self._ledger.record(change.who, change.entry, along)

    def _tell(self, error: AgentError) -> None:
        """Say once that the disk does not take them."""
        if not self._is_told:
            log.error("alarms are not on record yet, and tried again: %s", error)
        self._is_told = True
