"""The hands of somebody who changes a ledger behind the agent's back."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from agent.store import database as store
from agent.store.chain import link

TRIGGERS = ("ledger_has_no_gaps", "ledger_is_not_changed", "ledger_is_not_deleted")
Tamper = Callable[[sqlite3.Connection, int, int], None]
"""Does something at one row, and may take something from another."""


@contextmanager
def tampering(folder: Path) -> Iterator[sqlite3.Connection]:
    """The database in the hands of somebody who takes its triggers away first."""
    with closing(sqlite3.connect(folder / store.NAME)) as connection:
        for trigger in TRIGGERS:
            connection.execute(f"DROP TRIGGER {trigger}")
        yield connection
        connection.commit()


def change(connection: sqlite3.Connection, seq: int, **columns: object) -> None:
    """Put other values into a row."""
    for name, value in columns.items():
        connection.execute(f"UPDATE ledger SET {name} = ? WHERE seq = ?", (value, seq))


def content(connection: sqlite3.Connection, seq: int) -> tuple[bytes, str, bytes]:
    """prev_hash, body and hash of a row."""
    query = "SELECT prev_hash, body, hash FROM ledger WHERE seq = ?"
    prev_hash, body, hash_ = connection.execute(query, (seq,)).fetchone()
    return prev_hash, body, hash_


def forge(connection: sqlite3.Connection, seq: int, body: str) -> None:
    """Change a row's text, and make its hash fit."""
    prev_hash, _, _ = content(connection, seq)
    change(connection, seq, body=body, hash=link(prev_hash, body.encode()))


def renumber(connection: sqlite3.Connection, first: int, by: int) -> None:
    """Move all rows from `first` on up or down."""
    away = 1_000_000  # no two rows may have one number on the way
    connection.execute("UPDATE ledger SET seq = seq + ? WHERE seq >= ?", (away, first))
    connection.execute("UPDATE ledger SET seq = seq + ? WHERE seq > ?", (by - away, away))


def edit(connection: sqlite3.Connection, seq: int, other: int) -> None:
    _, body, _ = content(connection, seq)
    at = other % (len(body) - 1) + 1
    change(connection, seq, body=body[: at - 1] + chr(ord(body[at - 1]) ^ 1) + body[at:])


def edit_hash(connection: sqlite3.Connection, seq: int, other: int) -> None:
    _, _, hash_ = content(connection, seq)
    change(connection, seq, hash=_flipped(hash_, other))


def edit_prev_hash(connection: sqlite3.Connection, seq: int, other: int) -> None:
    prev_hash, _, _ = content(connection, seq)
    change(connection, seq, prev_hash=_flipped(prev_hash, other))


def forge_row(connection: sqlite3.Connection, seq: int, other: int) -> None:
    _, body, _ = content(connection, seq)
    forge(connection, seq, body.replace('"utc":"', f'"utc":"{other}'))


def delete(connection: sqlite3.Connection, seq: int, _: int) -> None:
    connection.execute("DELETE FROM ledger WHERE seq = ?", (seq,))


def delete_and_close_the_gap(connection: sqlite3.Connection, seq: int, _: int) -> None:
    delete(connection, seq, 0)
    renumber(connection, seq + 1, -1)


def insert(connection: sqlite3.Connection, seq: int, other: int) -> None:
    row = content(connection, other)
    renumber(connection, seq, 1)
    connection.execute("INSERT INTO ledger VALUES (?, ?, ?, ?)", (seq, *row))


def insert_a_forged_row(connection: sqlite3.Connection, seq: int, other: int) -> None:
    prev_hash, _, _ = content(connection, seq)
    insert(connection, seq, other)
    change(connection, seq, prev_hash=prev_hash)
    forge_row(connection, seq, other)


def swap(connection: sqlite3.Connection, seq: int, other: int) -> None:
    mine, theirs = content(connection, seq), content(connection, other)
    for at, (prev_hash, body, hash_) in ((seq, theirs), (other, mine)):
        change(connection, at, prev_hash=prev_hash, body=body, hash=hash_)


def cut(connection: sqlite3.Connection, seq: int, _: int) -> None:
    connection.execute("DELETE FROM ledger WHERE seq >= ?", (seq,))


def _flipped(data: bytes, at: int) -> bytes:
    changed = bytearray(data)
    changed[at % len(changed)] ^= 1 + at % 255
    return bytes(changed)


TAMPERS = (
    *(edit, edit_hash, edit_prev_hash, forge_row, delete, delete_and_close_the_gap),
    *(insert, insert_a_forged_row, swap, cut),
)
