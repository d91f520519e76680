"""The board: the latest snapshot of each device, and who wants to know of changes.

A watcher that is slow misses intermediate states, never the last one, so that nothing piles up.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from types import MappingProxyType
from typing import Self

from agent.fleet.samples import Snapshot

log = logging.getLogger("labkeeper")


class Board:
    """Where workers post and everybody else looks."""

    def __init__(self) -> None:
        self._latest: dict[str, Snapshot] = {}
        self._watches: set[Watch] = set()
        self._followers: list[Callable[[str], None]] = []

    @property
    def latest(self) -> Mapping[str, Snapshot]:
        """The snapshots by device, as they are now."""
        return MappingProxyType(self._latest)

    def post(self, snapshot: Snapshot) -> None:
        """Put up a device's new snapshot."""
        self._latest[snapshot.device] = snapshot
        self._tell(snapshot.device)

    def remove(self, device: str) -> None:
        """Take a device down that config no longer has."""
        if self._latest.pop(device, None) is not None:
            self._tell(device)

    def watch(self) -> "Watch":
        """Follow changes: `async with board.watch() as changes: async for device in changes`."""
        return Watch(self._watches)

    def follow(self, look: Callable[[str], None]) -> None:
        """Have `look` called with the device's name at each change, before anything else happens.

        It misses nothing, and must be quick: the worker waits for it.
        """
        self._followers.append(look)

    def _tell(self, device: str) -> None:
        for look in self._followers:
            try:
                look(device)
            except Exception:  # a defect of whoever looks must not be the device's
                log.exception("looking at %s", device)
        for watch in self._watches:
            watch.mark(device)


class Watch:
    """The names of devices that changed since they were last taken, each once."""

    def __init__(self, watches: "set[Watch]") -> None:
        self._watches = watches
        self._changed: dict[str, None] = {}
        self._some = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._watches.add(self)
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._watches.discard(self)

    def mark(self, device: str) -> None:
        """Note that a device changed."""
        self._changed[device] = None
        if not self._some.is_set():
            self._some.set()

    async def __aiter__(self) -> AsyncIterator[str]:
        while True:
            await self._some.wait()
            while self._changed:
                device = next(iter(self._changed))
                del self._changed[device]
                yield device
            self._some.clear()
