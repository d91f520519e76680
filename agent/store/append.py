"""How a row comes to the end of the ledger. Everything here is part of a transaction."""

from collections.abc import Callable
from typing import TypeAlias

from agent.store.chain import EMPTY, Head, link
from agent.store.database import Connection
from agent.store.entries import CommandEntry, Entry
from agent.store.open_commands import advance

Along: TypeAlias = Callable[[Connection], object]
"""What is done to other tables together with an entry."""


def last(connection: Connection) -> Head:
    """The last row that this connection sees."""
    query = "SELECT seq, hash FROM ledger ORDER BY seq DESC LIMIT 1"
    found = connection.execute(query).fetchone()
    return Head(*found) if found else EMPTY


def append(text: str, entry: Entry, along: Along | None, connection: Connection) -> Head:
    """Write the canonical text of an entry as the next row. Raises WriteRefused."""
    before = last(connection)
    head = Head(before.seq + 1, link(before.hash, text.encode("ascii")))
    connection.execute(
        "INSERT INTO ledger (seq, prev_hash, body, hash) VALUES (?, ?, ?, ?)",
        (head.seq, before.hash, text, head.hash),
    )
    if entry.job:
        query = "INSERT INTO job_rows (job, seq) VALUES (?, ?)"
        connection.execute(query, (entry.job, head.seq))
    if isinstance(entry, CommandEntry):
        advance(connection, entry, head.seq)
    if along is not None:
        along(connection)
    return head
