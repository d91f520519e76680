"""When the database's log has become long enough to be copied into the file. Pure."""

from typing import Final

PAGES: Final = 1000
"""How long the log gets before it is copied into the file; it is SQLite's own number, too."""


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
