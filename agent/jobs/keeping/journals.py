"""Several journals that listen to the same jobs."""

from __future__ import annotations

from agent.jobs.keeping.journal import Entry, Journal


class Journals:
    """Each gets every entry, in the order in which they are given: the first is the one of record.

    What one does not take, the later ones are not told.
    """

    def __init__(self, *journals: Journal) -> None:
        self._journals = journals

    async def add(self, entry: Entry) -> None:
        """See Journal."""
        for journal in self._journals:
            await journal.add(entry)
