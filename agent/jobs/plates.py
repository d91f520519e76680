"""The printers on whose plate a print may still lie, of which the next agent must know as well.

A plate counts as taken before its print begins, and is so on record, whoever begins it: a job asks a
person before its next one, and what is asked for directly is refused until a person has looked.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final

from agent.clock import Clock
from agent.errors import AgentError
from agent.jobs.keeping.book import Book
from agent.jobs.keeping.journal import Entry
from agent.jobs.keeping.notes import Notes
from agent.languages.message import Message
from agent.roles import Actor
from agent.safety.prints import prints_already
from agent.store.store_errors import NotRecorded, TooSlow

KEPT_WITHIN_S: Final = 5.0
"""How long a print that is asked for directly waits for the disk: as long as any other request."""

log = logging.getLogger("labkeeper")


class Plates:
    """Of the prints of jobs, and of all others."""

    def __init__(self, book: Book, clock: Clock) -> None:
        self._book, self._clock = book, clock
        self._taken: set[str] = set()
        self._turn = asyncio.Lock()
        self._direct: Counter[str] = Counter()
        """Prints under way that no job has begun, by device: none of these plates is clear."""
        self._of_jobs: set[str] = set()
        """The plates that a job has taken since somebody said that they are clear."""
        self._seen_early: set[str] = set()
        """The printers that were seen to print before it was known what was taken."""
        self.printing: set[str] = set()
        """The printers that say that they print, whoever has begun it."""
        self.closed_because: Callable[[], str] = lambda: ""
        """Why it is not known yet which plates are taken, as a sentence; "" when it is."""

    def __contains__(self, device: str) -> bool:
        return device in self._taken

    def recall(self, devices: Iterable[str]) -> None:
        """Take over what an earlier agent knew."""
        self._taken |= set(devices)

    async def take(self, device: str, notes: Notes) -> None:
        """A job's print is about to begin. Raises AgentError where that can't be kept: it must not."""
        async with self._turn:
            await self._keep(device, notes.plate(device, is_clear=False), is_clear=False)
            self._of_jobs.add(device)

    async def clear(self, device: str, notes: Notes) -> None:
        """A job was told that it is clear, or its print was not begun. Raises AgentError.

        While something is printed on it, whoever has begun that, it stays taken.
        """
        async with self._turn:
            if not self._direct[device] and device not in self.printing:
                await self._keep(device, notes.plate(device, is_clear=True), is_clear=True)

    def is_direct(self, device: str) -> bool:
        """Whether a print is under way on it that no job has begun."""
        return self._direct[device] > 0

    def refusal(self, device: str) -> str:
        """Why a print that is asked for directly would be refused now, as a sentence; "" when it may begin."""
        if why := self.closed_because():
            return why
        if self.is_direct(device):
            return prints_already(device)
        if device not in self._taken:
            return ""
        return _not_clear(device, is_printing=device in self.printing)

    async def begin(self, actor: Actor, device: str) -> str:
        """A print is asked for that is no job's; return why it must not begin, "" when it may.

        Raises:
            AgentError: It can't be kept that the plate is taken: the print must not begin.
        """
        if why := self.closed_because():
            raise NotRecorded(why)
        try:
            async with asyncio.timeout(KEPT_WITHIN_S), self._turn:
                if device in self._taken:
                    return _not_clear(device, is_printing=device in self.printing)
                await self._keep(device, self._entry(device, actor, is_clear=False), is_clear=False)
                self._direct[device] += 1
                return ""
        except TimeoutError:
            raise TooSlow(
                Message(
                    "not recorded: the disk has not taken within {kept_within_s:g} s that the "
                    "plate of {device} is taken",
                    kept_within_s=KEPT_WITHIN_S,
                    device=device,
                )
            ) from None

    async def end(self, actor: Actor, device: str, *, was_begun: bool) -> None:
        """That print has ended; its plate is clear only where it was never begun. Never raises.

        And where no other print has begun meanwhile: a job's, or one at the printer itself.
        """
        self._direct[device] -= 1
        if not was_begun:
            await self._try(device, actor, is_clear=True)

    async def seen(self, device: str) -> None:
        """A printer prints by itself, or for somebody else. Never raises: it prints already."""
        if device not in self._taken:
            self._taken = self._taken | {device}
            if self.closed_because():
                self._seen_early.add(device)
            else:
                await self._try(device, None, is_clear=False)

    async def keep_seen(self) -> None:
        """Keep what was seen before it was known what was taken. Never raises."""
        early, self._seen_early = self._seen_early, set()
        for device in sorted(early):
            await self._try(device, None, is_clear=False)

    async def seen_clear(self, actor: Actor, device: str) -> bool:
        """A person has looked; return whether it was taken before. Raises AgentError."""
        if why := self.closed_because():
            raise NotRecorded(why)
        async with self._turn:
            was_taken = device in self._taken
            await self._keep(device, self._entry(device, actor, is_clear=True), is_clear=True)
        return was_taken

    async def _try(self, device: str, actor: Actor | None, *, is_clear: bool) -> None:
        """Keep it, or tell the log: whoever is told less than he should be looks at the plate."""
        try:
            async with asyncio.timeout(KEPT_WITHIN_S), self._turn:
                if is_clear and (device in self.printing or device in self._of_jobs):
                    return
                await self._keep(
                    device, self._entry(device, actor, is_clear=is_clear), is_clear=is_clear
                )
        except (AgentError, TimeoutError) as error:
            log.warning("the plate of %s: %s", device, str(error) or "the disk is too slow")

    async def _keep(self, device: str, entry: Entry, *, is_clear: bool) -> None:
        """Two printers at once must not undo each other's: the caller has the turn."""
        taken = self._taken - {device} if is_clear else self._taken | {device}
        await self._book.enter([entry], marks={"plates": sorted(taken)})
        self._taken = self._taken - {device} if is_clear else self._taken | {device}
        if is_clear:
            self._of_jobs.discard(device)

    def _entry(self, device: str, actor: Actor | None, *, is_clear: bool) -> Entry:
        data = {"device": device, "clear": is_clear}
        return Entry(
            job="", time=self._clock.utc(), kind="plate", data=data, recipe=device, by=actor
        )


def _not_clear(device: str, *, is_printing: bool) -> str:
    """Why a print must not begin on this printer, and what to do."""
    if is_printing:
        why = Message(
            "{device} is printing: wait for its end, or stop it; then take the print off",
            device=device,
        )
    else:
        why = Message(
            "nobody has said that the plate of {device} is clear since its last print: "
            "take that off",
            device=device,
        )
    return Message(
        "{why}, then `labkeeper plate clear {device}`, and ask again", why=why, device=device
    )
