"""A thread that does what it is handed, in order, and takes all that waits at once."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, Final, Generic, TypeVar

from agent.errors import AgentError
from agent.languages.message import Message
from agent.store.store_errors import RecordingEnded

T = TypeVar("T")

log = logging.getLogger("labkeeper")

QUIET_S: Final = 0.002
"""Without a job for so long, the thread does what is to be done afterwards."""
MOST_UNFINISHED: Final = 20
"""Goes after which it does that in any case."""
MOST_AT_ONCE: Final = 1000
"""Jobs in one go: some 20 ms of work, so that the first of them does not wait for long."""


@dataclass(eq=False, slots=True)
class Job(Generic[T]):
    """Something to do, what it is called if it fails, who waits for it, and how it ended."""

    work: Callable[[], T]
    what: str
    future: "asyncio.Future[T]"
    result: T | None = None
    error: Exception | None = None


Jobs = list[Job[Any]]


class Worker:
    """One thread. `do` must end every job of its list; `afterwards` runs when they were told.

    It waits for a moment in which nothing is asked: whoever was told has the processor first, and
    what they ask next is not kept waiting.

    What was handed in is done, whether or not somebody still waits for it.
    """

    def __init__(
        self,
        name: str,
        do: Callable[[Jobs], None],
        afterwards: Callable[[], None] | None = None,
    ) -> None:
        self._do, self._afterwards = do, afterwards
        self._unfinished = 0
        """Goes since what is to be done afterwards was done."""
        self._queue: SimpleQueue[Job[Any] | None] = SimpleQueue()
        # A disk that hangs must not keep the process from ending.
        self._thread = Thread(target=self._run, name=name, daemon=True)
        self._is_open = False

    def begin(self) -> None:
        """Start the thread; it tells the loop that runs now."""
        self._loop = asyncio.get_running_loop()
        self._over = asyncio.Event()
        self._is_open = True
        self._thread.start()

    async def done(self, work: Callable[[], T], what: str) -> T:
        """Wait until the thread has done it; return or raise what it did.

        Raises:
            RecordingEnded: It has ended.
        """
        return await self._handed(work, what)

    def begun(self, work: Callable[[], T], what: str) -> "asyncio.Future[T]":
        """Hand it in at once, in the order of the calls; the future tells how it ended.

        Raises:
            RecordingEnded: It has ended.
        """
        return self._handed(work, what)

    def done_unawaited(self, work: Callable[[], object], what: str) -> None:
        """Have it done without waiting for it. A failure is logged, and nothing is raised."""
        try:
            self._handed(work, what).add_done_callback(told)
        except RecordingEnded as error:
            log.warning("%s", error)

    async def end(self) -> None:
        """Take nothing more, and wait until everything that was handed in is done."""
        if self._is_open:
            self._is_open = False
            self._queue.put(None)
            await self._over.wait()

    def _handed(self, work: Callable[[], T], what: str) -> "asyncio.Future[T]":
        if not self._is_open:
            raise RecordingEnded(Message("too late for {what}: the database is closed", what=what))
        job = Job(work, what, self._loop.create_future())
        self._queue.put(job)
        return job.future

    def _run(self) -> None:
        is_last = False
        while not is_last:
            jobs, is_last = self._taken()
            if jobs:
                self._end_all(jobs)
                self._loop.call_soon_threadsafe(_tell, jobs)
                self._unfinished += 1
        self._finish()
        self._loop.call_soon_threadsafe(self._over.set)

    def _end_all(self, jobs: Jobs) -> None:
        try:
            self._do(jobs)
        except Exception as error:
            log.exception("a defect of labkeeper, in %s", self._thread.name)
            for job in jobs:  # a thread that has died would leave them waiting for ever
                job.error = error

    def _finish(self) -> None:
        if self._afterwards is None or not self._unfinished:
            return
        self._unfinished = 0
        try:
            self._afterwards()
        except Exception:
            log.exception("a defect of labkeeper, after %s", self._thread.name)

    def _taken(self) -> tuple[Jobs, bool]:
        """Wait for a job, then take all that wait by now; and whether they are the last."""
        jobs: Jobs = []
        waiting = self._next()
        while waiting is not None:
            jobs.append(waiting)
            if len(jobs) == MOST_AT_ONCE:
                return jobs, False
            try:
                waiting = self._queue.get_nowait()
            except Empty:
                return jobs, False
        return jobs, True

    def _next(self) -> Job[Any] | None:
        """The next job; what is to be done afterwards is done before a long wait."""
        if self._afterwards is not None and 0 < self._unfinished < MOST_UNFINISHED:
            with suppress(Empty):
                return self._queue.get(timeout=QUIET_S)
        self._finish()
        return self._queue.get()


def fail(jobs: Jobs, kind: type[AgentError], why: str) -> None:
    """End every one of them with an error that says what was not recorded."""
    for job in jobs:
        job.error = kind(Message("not recorded: {what}: {why}", what=job.what, why=why))


def _tell(jobs: Jobs) -> None:
    """Tell everyone at once how it ended: waking the loop for each would take longer than the work."""
    for job in jobs:
        if job.future.done():
            continue  # whoever waited has gone
        if job.error is not None:
            job.future.set_exception(job.error)
        else:
            job.future.set_result(job.result)


def told(future: "asyncio.Future[Any]") -> None:
    """Log the failure of what nobody waits for."""
    if not future.cancelled() and (error := future.exception()) is not None:
        log.warning("%s", error)
