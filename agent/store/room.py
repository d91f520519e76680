"""How much the store may still take: no more than its limit, and never the last of the disk."""

import asyncio
from collections.abc import Callable
from typing import Final

from agent.languages.message import Message
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
            raise NoRoom(
                Message("the store has {files} files: remove some first", files=usage.files)
            )
        if more > self.limit:
            raise NoRoom(
                Message(
                    "{shown} are more than the whole store may hold, {shown_2}",
                    shown=_shown(more),
                    shown_2=_shown(self.limit),
                )
            )
        if more > self._of_limit(usage, granted):
            raise NoRoom(
                Message(
                    "there is no room for {shown}: the store holds {shown_2} of {shown_3}; remove "
                    "files first",
                    shown=_shown(more),
                    shown_2=_shown(usage.stored + granted),
                    shown_3=_shown(self.limit),
                )
            )
        if more > _of_disk(usage, granted):
            raise NoRoom(
                Message(
                    "there is no room for {shown}: the disk has {shown_2} left, and "
                    "{kept_free:.0%} of it stay free; remove files first",
                    shown=_shown(more),
                    shown_2=_shown(usage.disk_free),
                    kept_free=KEPT_FREE,
                )
            )

    def _of_limit(self, usage: Usage, granted: int) -> int:
        return self.limit - usage.stored - granted


def _of_disk(usage: Usage, granted: int) -> int:
    unwritten = max(0, granted - usage.drafts)
    return usage.disk_free - unwritten - int(usage.disk * KEPT_FREE)


def _shown(size: int) -> str:
    return f"{size / MEGABYTE:,.1f} MB"
