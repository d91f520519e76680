"""How much the store may still take: no more than its limit, and never the last of the disk."""

import asyncio
from collections.abc import Callable
from typing import Final

from agent.store.file_errors import NoRoom, at_disk
from agent.store.file_folder import Usage

KEPT_FREE: Final = 0.05
"""Share of the disk that stays free: the agent's records and the system need it."""
MOST_FILES: Final = 2000
"""More than that nobody looks through, and each look at the folder takes longer."""
MEGABYTE: Final = 1_000_000


class Room:
    """The bytes that uploads may write. Those that were granted count before they are written."""

    def __init__(self, measure: Callable[[], Usage], limit: int) -> None:
        self.limit = limit
        self._measure = measure
        self._granted: dict[object, int] = {}
        self._turn = asyncio.Lock()

    async def grant(self, upload: object, size: int) -> None:
        """Let an upload write `size` bytes in all. Raises NoRoom."""
        async with self._turn:
            # Before the look: an upload that ends meanwhile may be counted twice, never not at all.
            granted = sum(self._granted.values())
            more = size - self._granted.get(upload, 0)
            usage = await at_disk(self._measure)
            self._check(usage, granted, more)
            self._granted[upload] = size

    def give_back(self, upload: object) -> None:
        """Forget an upload that has ended; what it left is in the folder now."""
        self._granted.pop(upload, None)

    def free(self, usage: Usage) -> int:
        """How many bytes may still be stored."""
        granted = sum(self._granted.values())
        return max(0, min(self._of_limit(usage, granted), _of_disk(usage, granted)))

    def _check(self, usage: Usage, granted: int, more: int) -> None:
        if usage.files >= MOST_FILES:
            raise NoRoom(f"the store has {usage.files} files: remove some first")
        if more > self.limit:
            raise NoRoom(
                f"{_shown(more)} are more than the whole store may hold, {_shown(self.limit)}"
            )
        if more > self._of_limit(usage, granted):
            raise NoRoom(
                f"there is no room for {_shown(more)}: the store holds "
                f"{_shown(usage.stored + granted)} of {_shown(self.limit)}; remove files first"
            )
        if more > _of_disk(usage, granted):
            raise NoRoom(
                f"there is no room for {_shown(more)}: the disk has {_shown(usage.disk_free)} left, "
                f"and {KEPT_FREE:.0%} of it stay free; remove files first"
            )

    def _of_limit(self, usage: Usage, granted: int) -> int:
        return self.limit - usage.stored - granted


def _of_disk(usage: Usage, granted: int) -> int:
    unwritten = max(0, granted - usage.drafts)
    return usage.disk_free - unwritten - int(usage.disk * KEPT_FREE)


def _shown(size: int) -> str:
    return f"{size / MEGABYTE:,.1f} MB"
