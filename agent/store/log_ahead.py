"""Room in the database's log, taken before a commit needs it.

A commit that makes the log longer waits for the file system's own journal as well: on ext4 it took
0.29 ms where one that writes over what is there took 0.14. SQLite begins at the top of the log again
once it is copied into the file, so that only a new log grows, for its first thousand pages.
"""

import logging
import os
from pathlib import Path
from typing import Final

PAGES: Final = 1000
"""How long the log gets before it is copied into the file; it is SQLite's own number, too."""
ROOM: Final = PAGES * (4096 + 24) + 32
"""Bytes of so many pages: each has a header of 24, the log one of 32. Source: SQLite's fileformat2."""

log = logging.getLogger("labkeeper")


class LogAhead:
    """How long the log of one database is by now, and whether it has its room."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._pages, self._has_room = 0, False

    def grew(self, rows: int) -> None:
        """Note a commit of so many rows. Those of the ledger have 600 bytes or less."""
        self._pages += 2 + rows // 5

    def is_to_be_copied(self) -> bool:
        """Whether it is long enough to be copied into the file now; then it is begun anew."""
        if not self._has_room:
            self._has_room = True
            make_room(self._database)
        if self._pages < PAGES:
            return False
        self._pages = 0
        return True


def make_room(database: Path) -> None:
    """Make the log as long as it will get, with zeros, which SQLite takes for no page of it.

    Where that can't be had, commits are slower for a while, and nothing else is lost.
    """
    path = database.with_name(f"{database.name}-wal")
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            _fill(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        log.debug("%s was not given its room: %s", path, error.strerror)


def _fill(descriptor: int) -> None:
    size = os.fstat(descriptor).st_size
    if not 0 < size < ROOM:
        return
    try:
        os.pwrite(descriptor, bytes(ROOM - size), size)
        os.fsync(descriptor)
    except OSError:
        os.ftruncate(descriptor, size)  # others need the last of the disk more
        raise
