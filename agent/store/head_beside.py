"""Keeps the head beside the ledger at the last row, and says when it was found to be another."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from agent.languages.message import Message
from agent.store.append import last
from agent.store.chain import Head
from agent.store.database import Connection
from agent.store.head_file import NAME, HeadFile

log = logging.getLogger("labkeeper")


class HeadBeside:
    """The head beside the ledger of one database. `note` runs in the thread that writes there."""

    def __init__(self, database: Path) -> None:
        self.file = HeadFile(database.with_name(NAME))
        self.found = ""
        """What was amiss with it at the start, as a sentence; "" where nothing was."""
        self.renewed: Callable[[str], None] = lambda _: None
        """Told, in the thread of `note`, what was amiss with a head that has been written anew."""
        self._written: Head | None = None
        self._is_written = True

    def note(self, connection: Connection) -> None:
        """Write the head, after a commit. What somebody has done to it meanwhile is told, and mended."""
        head = last(connection)
        try:
            amiss = self._amiss()
            if amiss:
                self.file.reset(head)  # both lines: what stands in the other one is not ours
            else:
                self.file.write(head)
        except OSError as error:
            if self._is_written:
                log.warning("%s can't be written: %s", self.file.path, error.strerror)
            self._is_written = False
            return
        self._is_written, self._written = True, head
        if amiss:
            self.renewed(amiss)

    def _amiss(self) -> str:
        """How it is another than the one that was written last; "" where it is not. Raises OSError."""
        if self._written is None:
            return ""
        found = self.file.read()
        if found is None:
            return Message("it had been removed, or held no head any more")
        if found == self._written:
            return ""
        return Message(
            "it was of row {found}, and had been written at row {written}",
            found=found.seq,
            written=self._written.seq,
        )
