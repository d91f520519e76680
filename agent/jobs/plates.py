"""The printers on whose plate a print may still lie, of which the next agent must know as well."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from agent.jobs.keeping.book import Book
from agent.jobs.keeping.notes import Notes


class Plates:
    """Of all jobs together. A plate counts as taken before its print begins, and is so on record."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._taken: set[str] = set()
        self._turn = asyncio.Lock()

    def __contains__(self, device: str) -> bool:
        return device in self._taken

    def recall(self, devices: Iterable[str]) -> None:
        """Take over what an earlier agent knew."""
        self._taken |= set(devices)

    async def take(self, device: str, notes: Notes) -> None:
        """A print is about to begin. Raises AgentError where that can't be kept: it must not."""
        await self._keep(device, notes, is_clear=False)

    async def clear(self, device: str, notes: Notes) -> None:
        """Somebody has seen that it is clear, or nothing was begun. Raises AgentError."""
        await self._keep(device, notes, is_clear=True)

    async def _keep(self, device: str, notes: Notes, *, is_clear: bool) -> None:
        async with self._turn:  # two printers at once must not undo each other's
            taken = self._taken - {device} if is_clear else self._taken | {device}
            entry = notes.plate(device, is_clear=is_clear)
            await self._book.enter([entry], marks={"plates": sorted(taken)})
            self._taken = taken
