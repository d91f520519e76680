"""How long the end of the agent waits for its parts."""

import asyncio
import logging
import os
from collections.abc import Collection
from typing import Any, NoReturn

from agent.store.database import Database
from agent.store.store_errors import RecordingEnded

log = logging.getLogger("labkeeper")


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


async def until_it_fails(database: Database) -> None:
    """End the agent when no later success of the disk could be believed. Raises RecordingEnded."""
    raise RecordingEnded(await database.failed())


def end_the_process(code: int) -> NoReturn:
    """End it now: an exchange can't be cut, and a thread that hangs can't be ended.

    Where the loop ends earlier, as it does nearly always, this is never called.
    """
    tasks = sorted(task.get_name() for task in asyncio.all_tasks())
    log.warning("ended without waiting any longer for %s", ", ".join(tasks) or "a thread")
    os._exit(code)
