"""When the database's log has become long enough to be copied into the file, and how it is kept short."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from agent.store.database import Connection

PAGES: Final = 1000
"""How long the log gets before it is copied into the file; it is SQLite's own number, too."""
MOST_BYTES: Final = 16 << 20
"""A longer log is made short again. It only gets there where somebody has read for long meanwhile."""


class LogAhead:
    """How long the log of one database is by now, about."""

    def __init__(self) -> None:
        self._pages = 0

    def grew(self, rows: int) -> None:
        """Note a commit of so many rows. Those of the ledger have 600 bytes or less."""
        self._pages += 2 + rows // 5

    def is_to_be_copied(self) -> bool:
        """Whether it is long enough to be copied into the file now; then it is begun anew."""
        if self._pages < PAGES:
            return False
        self._pages = 0
        return True


def copy_log(connection: Connection, path: Path) -> None:
    """Copy the log into the file, as far as no reader is in the way; shorten it where it is too long."""
    connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
    log = path.with_name(f"{path.name}-wal")
    if log.exists() and log.stat().st_size > MOST_BYTES:
        empty_log(connection)


def empty_log(connection: Connection) -> None:
    """Copy all of the log and make it short, unless somebody reads: it waits for nobody.

    At the start as well: an agent that is killed copies nothing, and the next one goes on where the
    log ends. It has as many rows to copy as lie between two copies, and takes some 10 ms.
    """
    (patience,) = connection.execute("PRAGMA busy_timeout").fetchone()
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        connection.execute(f"PRAGMA busy_timeout = {patience}")
