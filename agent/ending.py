"""How long the end of the agent waits for its parts."""

import asyncio
from collections.abc import Collection
from typing import Any


class Patience:
    """Waits for the parts of an agent, one after the other, and for none once it is hurried."""

    def __init__(self) -> None:
        self._is_hurried = False
        self._limit: asyncio.Timeout | None = None

    def hurry(self) -> None:
        """Wait for nothing any more, also not for what is being waited for now."""
        self._is_hurried = True
        if self._limit is not None:
            self._limit.reschedule(asyncio.get_running_loop().time())

    async def wait(self, tasks: Collection[asyncio.Task[Any]], seconds: float) -> None:
        """Wait that long for all of these, whatever becomes of each."""
        if not tasks or self._is_hurried:
            return
        try:
            async with asyncio.timeout(seconds) as self._limit:
                await asyncio.wait(tasks)
        except TimeoutError:
            return
        finally:
            self._limit = None


def cancelled(tasks: Collection[asyncio.Task[Any]]) -> Collection[asyncio.Task[Any]]:
    """The same tasks, told to end."""
    for task in tasks:
        task.cancel()
    return tasks
