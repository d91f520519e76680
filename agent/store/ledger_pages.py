"""The ledger as it is read by whoever looks at the station: page by page, verified, exported.

Each look has a connection of its own that only reads, in a thread: however long it takes, neither
what records nor the loop waits for it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

from agent.store import head_file
from agent.store.chain import Head
from agent.store.database import NAME, Connection, reading
from agent.store.disk_threads import at_disk_thread
from agent.store.ledger_text import FORMS
from agent.store.rows import EVERYTHING, Row, Wanted, last_seq, page
from agent.store.verify_alone import verified

T = TypeVar("T")
Order = Literal["newest", "oldest"]

LOOKED_AT: Final = 100_000
"""Rows that one page is looked for in. A page of a long ledger may be empty, and not be the last."""
AT_ONCE: Final = 2
"""Looks at the same time; more wait."""
PIECE: Final = 2000
"""Rows of an export that are in memory at a time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """Rows in the order that was asked for."""

    rows: list[Row]
    next: int | None
    """The row from which the next page is looked for; None where there is no more."""


class LedgerPages:
    """The ledger of a state folder. All but `is_verifying` raises NotRead."""

    def __init__(self, state: Path) -> None:
        self.path, self._beside = state / NAME, state / head_file.NAME
        self._few = asyncio.Semaphore(AT_ONCE)
        self.is_verifying = False

    async def page(
        self, wanted: Wanted, *, most: int, order: Order = "newest", begin: int | None = None
    ) -> Page:
        """At most so many rows, from the row `begin` on; from the very end of it where None."""
        work = partial(_page, wanted=wanted, most=most, order=order, begin=begin)
        return await self._read(work)

    async def last(self) -> int:
        """The number of the last row; 0 where there is none."""
        return await self._read(last_seq)

    async def export(self, ending: str, wanted: Wanted = EVERYTHING) -> AsyncIterator[bytes]:
        """All rows up to now, oldest first, as a file of this ending (`.csv` or `.jsonl`) has them."""
        form, last, first = FORMS[ending], await self.last(), 1
        yield form.heading.encode(form.encoding)  # with the byte order mark, where there is one
        while first <= last:
            until = min(first + LOOKED_AT - 1, last)
            found = await self._read(partial(_piece, wanted=wanted, first=first, last=until))
            if found:
                text = await asyncio.to_thread(lambda rows: "".join(map(form.line, rows)), found)
                yield text.encode("utf-8", "backslashreplace")
            first = found[-1].seq + 1 if len(found) == PIECE else until + 1

    async def verify(self, heads: tuple[Head, ...]) -> dict[str, Any]:
        """What `labkeeper ledger verify` says, as JSON. To be called while none `is_verifying`."""
        self.is_verifying = True
        try:
            return await verified(self.path, self._beside, heads)
        finally:
            self.is_verifying = False

    async def _read(self, work: Callable[[Connection], T]) -> T:
        async with self._few:
            return await at_disk_thread(self._done, work)

    def _done(self, work: Callable[[Connection], T]) -> T:
        with reading(self.path) as connection:
            return work(connection)


def _page(
    connection: Connection, wanted: Wanted, most: int, order: Order, begin: int | None
) -> Page:
    last = last_seq(connection)
    if order == "newest":
        high = last if begin is None else min(begin, last)
        low = max(1, high - LOOKED_AT + 1)
        found = page(connection, wanted, low, high, most=most, newest=True)
        following = (found[-1].seq if len(found) == most else low) - 1
        return Page(rows=found, next=following if following >= 1 else None)
    low = 1 if begin is None else begin
    high = min(low + LOOKED_AT - 1, last)
    found = page(connection, wanted, low, high, most=most, newest=False)
    following = (found[-1].seq if len(found) == most else high) + 1
    return Page(rows=found, next=following if low <= following <= last else None)


def _piece(connection: Connection, wanted: Wanted, first: int, last: int) -> list[Row]:
    return page(connection, wanted, first, last, most=PIECE, newest=False)
