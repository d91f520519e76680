"""Whether the disk takes anything, known also while there is nothing to record.

A disk that hangs is found out by what is written to it. On a station at rest that would be the next
command, which is late for who has to mend it: so some bytes are written again and again.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Final

from agent.clock import Clock
from agent.store.disk_threads import at_disk_thread

EVERY_S: Final = 30.0
NAME: Final = "probe"
"""What the file is called in the state folder."""

log = logging.getLogger("labkeeper")


class DiskProbe:
    """Tries the disk of one folder. One trial at a time: where one hangs, none comes after it."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._file, self._clock = folder / NAME, clock
        self._taken = clock.monotonic()

    @property
    def silent(self) -> float:
        """Seconds since the disk took the last trial, or since the start where it took none yet."""
        return self._clock.monotonic() - self._taken

    async def run(self) -> None:
        """Try it again and again until cancelled."""
        while True:
            await self.look()
            await self._clock.sleep(EVERY_S)

    async def look(self) -> None:
        """Try it now. What does not let it is told by the ledger, and by how long it is silent."""
        try:
            await at_disk_thread(_write, self._file, f"{self._clock.utc():020.6f}\n".encode())
        except OSError as error:
            log.debug("the trial of the disk: %s", error)
        else:
            self._taken = self._clock.monotonic()


def _write(file: Path, text: bytes) -> None:
    """Write over what is there, so that a full disk takes it as well. Raises OSError."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(file, flags, 0o640)
    try:
        os.pwrite(descriptor, text, 0)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
