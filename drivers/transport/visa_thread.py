"""The thread in which one instrument's VISA calls are made, one after the other."""

import asyncio
import queue
import threading
from contextlib import suppress
from typing import Protocol

from drivers.transport.exchange import Wait
from drivers.transport.visa_calls import Answer, Call
from drivers.transport.visa_session import Session


class CallStuck(Exception):
    """A call has not returned. Where it was made can't be used any more."""


class Caller(Protocol):
    """Where an instrument's calls are made, beside the event loop."""

    @property
    def is_alive(self) -> bool:
        """Whether it has not ended: it works, waits for work, or hangs."""

    async def call(self, call: Call, within: float) -> Answer:
        """Return or raise what the session does; CallStuck after `within` seconds."""

    async def end(self) -> None:
        """Close the session if that can be done, and end. Raises nothing."""


class Job:
    """One call on its way through the thread. `ended` wakes who waits for it, if he still does."""

    __slots__ = ("answer", "call", "ended", "error", "is_dropped")

    def __init__(self, call: Call, ended: Wait) -> None:
        self.call, self.ended = call, ended
        self.answer: Answer | None = None
        self.error: BaseException | None = None
        self.is_dropped = False
        """Whether nobody waits any more: a call that has not begun is then not made."""


class CallThread:
    """A daemon thread: neither a pool nor the end of the process waits for a call that hangs.

    A thread that hangs can't be ended; it holds up nobody but its own instrument.
    """

    def __init__(self, name: str, session: Session) -> None:
        self._session = session
        self._loop = asyncio.get_running_loop()
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    async def call(self, call: Call, within: float) -> Answer:
        job = Job(call, Wait(loop=self._loop))
        alarm = self._loop.call_later(within, job.ended.end)
        self._jobs.put(job)
        try:
            await job.ended
        finally:
            job.is_dropped = True
            alarm.cancel()
        if job.error is not None:
            raise job.error
        if job.answer is None:
            raise CallStuck
        return job.answer

    async def end(self) -> None:
        """Let the thread close the session as soon as it can, and end. Does not wait."""
        self._jobs.put(None)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            if not job.is_dropped:
                self._carry_out(job)
        with suppress(Exception):  # whatever it says, the session is not used again
            self._session.close()

    def _carry_out(self, job: Job) -> None:
        try:
            job.answer = self._session.answer(job.call)
        except BaseException as error:  # noqa: BLE001 - whatever it is, the caller gets it
            job.error = error
        with suppress(RuntimeError):  # the loop has ended: nobody waits
            self._loop.call_soon_threadsafe(job.ended.end)
