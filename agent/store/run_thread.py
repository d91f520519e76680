"""The thread that writes run folders, and how long anybody waits for it."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final, TypeVar

from agent.errors import AgentError
from agent.languages.message import Message
from agent.store.run_files import not_recorded
from agent.store.store_errors import DiskFailed
from agent.store.worker import Jobs, Worker

T = TypeVar("T")
LATE_S: Final = 5.0
"""How long a slow disk may hold up a step."""

log = logging.getLogger("labkeeper")


class RunThread:
    """One thread for all run folders. What is handed in is done in its order."""

    def __init__(self) -> None:
        self._worker = Worker("runs", _each)
        self._is_begun = False

    async def done(self, work: Callable[[], T], what: str) -> T:
        """Wait until it is done, however long that takes. Raises NotRecorded for an OSError."""
        self._begin()
        return await self._worker.done(work, what)

    async def soon(self, work: Callable[[], T], what: str) -> T:
        """Wait until it is done, for LATE_S at most; it is done all the same. Raises NotRecorded."""
        return await self.waited(self.begun(work, what), what)

    def begun(self, work: Callable[[], T], what: str) -> "asyncio.Future[T]":
        """Hand it in at once; the future tells how it ended."""
        self._begin()
        return self._worker.begun(work, what)

    async def waited(self, begun: "asyncio.Future[T]", what: str) -> T:
        """Wait for what was handed in, for LATE_S at most. Raises NotRecorded."""
        try:
            async with asyncio.timeout(LATE_S):
                return await begun
        except TimeoutError:
            raise DiskFailed(
                Message(
                    "not recorded: {what}: the disk did not take it within {late_s:g} s",
                    what=what,
                    late_s=LATE_S,
                )
            ) from None

    def later(self, work: Callable[[], object], what: str) -> None:
        """Have it done without waiting. A failure is logged."""
        self._begin()
        self._worker.done_unawaited(work, what)

    async def end(self) -> None:
        """Take nothing more, and wait until everything is done."""
        await self._worker.end()

    def _begin(self) -> None:
        if not self._is_begun:
            self._is_begun = True
            self._worker.begin()


def _each(works: Jobs) -> None:
    """Do each by itself: what one folder meets is no affair of another's."""
    for work in works:
        try:
            work.result = work.work()
        except OSError as error:
            work.error = not_recorded(work.what, error)
        except AgentError as error:
            work.error = error
        except Exception as error:  # a defect of ours; whoever waits for it gets it
            log.exception("%s", work.what)
            work.error = DiskFailed(
                Message("not recorded: {what}: {error}", what=work.what, error=error)
            )
