"""How full the disk is, and what is given up as it fills: jobs first, then measuring, records never.

Three marks, each in parts of the disk that are free: where it warns, where no new job begins, and
where jobs that measure are stopped in order. At the last one a reserve is given back, so that
stops and what people do against the trouble are on record still.
"""

from __future__ import annotations

import asyncio
import logging
import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Final, NamedTuple

from agent.clock import Clock
from agent.languages.message import Message
from agent.store.disk_probe import DiskProbe
from agent.store.disk_threads import at_disk_thread
from agent.store.reserve import Reserve

LOOK_S: Final = 5.0
"""At 100 MB a second a disk of 100 GB loses half a percent in this time."""
BACK: Final = 1.1
"""How much more than a mark must be free before it counts as passed: one that is just reached flutters."""
MB: Final = 1_000_000

log = logging.getLogger("labkeeper")


class Fill(IntEnum):
    """How full the disk is, from the least to the most."""

    FREE = 0
    LOW = 1  # a person should make room
    NO_JOBS = 2  # no new job begins
    NO_DATA = 3  # jobs that measure are stopped, and the reserve is given back


@dataclass(frozen=True, kw_only=True, slots=True)
class Marks:
    """Parts of the disk that are free, from 0 to 1, at which something is given up."""

    low: float = 0.10
    no_jobs: float = 0.05
    no_data: float = 0.02

    def fill(self, free: float, was: Fill) -> Fill:
        """How full a disk is with so much of it free, and what it was before."""
        marks = ((Fill.NO_DATA, self.no_data), (Fill.NO_JOBS, self.no_jobs), (Fill.LOW, self.low))
        for fill, mark in marks:
            if free < (mark * BACK if was >= fill else mark):
                return fill
        return Fill.FREE


class Room(NamedTuple):
    """What is free of a disk: the part of it, from 0 to 1, bytes, and both in words."""

    ratio: float
    free: float
    words: str


Tell = Callable[[Fill, str], None]


class DiskWatch:
    """Follows the disk of one folder. `tell` hears what the first look finds, and of every change."""

    def __init__(
        self, folder: Path, marks: Marks, reserve: Reserve, *, clock: Clock, tell: Tell
    ) -> None:
        self.fill = Fill.FREE
        self.probe = DiskProbe(folder, clock)
        self._folder, self._marks, self._reserve = folder, marks, reserve
        self._clock, self._tell = clock, tell
        self._found: Room | None = None
        self._looked = -math.inf
        self._is_reserved, self._has_told = True, False

    def refusal_of_new_jobs(self) -> str:
        """Why no job may begin, as a sentence; "" when one may."""
        if self.fill < Fill.NO_JOBS:
            return ""
        words = self._found.words if self._found else ""
        return Message("no new job begins: {words}; make room first", words=words)

    @property
    def room(self) -> Room | None:
        """What is free; None where that is not known, or not any more: such as on a disk that hangs."""
        return self._found if self._clock.monotonic() - self._looked < 3 * LOOK_S else None

    async def run(self) -> None:
        """Look again and again until cancelled. A disk that hangs is somebody else's news."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.probe.run(), name="disk.probe")
            while True:
                await self.look()
                await self._clock.sleep(LOOK_S)

    async def look(self) -> None:
        """Look now, and act on what is found."""
        try:
            found = await at_disk_thread(_free, self._folder)
        except OSError as error:
            self._looked = -math.inf
            log.warning("%s can't be looked at: %s", self._folder, error.strerror)
            return
        self._found, self._looked = found, self._clock.monotonic()
        was, self.fill = self.fill, self._marks.fill(found.ratio, self.fill)
        await self._keep_reserve()
        if self.fill is not was or not self._has_told:
            self._has_told = True
            self._tell(self.fill, found.words)

    async def _keep_reserve(self) -> None:
        """Give the reserve back on a full disk, and take it again where there is room."""
        try:
            if self.fill is Fill.NO_DATA:
                await at_disk_thread(self._reserve.free)
            elif self.fill < Fill.NO_JOBS:
                await at_disk_thread(self._reserve.take)
            self._is_reserved = True
        except OSError as error:
            if self._is_reserved:
                log.warning("the reserve of %s can't be kept: %s", self._folder, error.strerror)
            self._is_reserved = False


def _free(folder: Path) -> Room:
    """What is free of the disk for the agent."""
    disk = os.statvfs(folder)
    whole = disk.f_blocks - disk.f_bfree + disk.f_bavail  # what is kept for root is nobody's
    ratio = disk.f_bavail / whole if whole else 0.0
    free = disk.f_bavail * disk.f_frsize
    words = Message(
        "{free:,.0f} MB of the disk of {folder} are free, {ratio:.1%}",
        free=free / MB,
        folder=folder,
        ratio=ratio,
    )
    return Room(ratio, free, words)
