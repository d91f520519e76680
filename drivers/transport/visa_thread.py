"""The thread in which one instrument's VISA calls are made, one after the other."""

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any, Protocol

from drivers.transport.visa_calls import Answer, Call
from drivers.transport.visa_session import Session

Job = tuple[Callable[[], Any], "Future[Any]"]


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


class CallThread:
    """A daemon thread: neither a pool nor the end of the process waits for a call that hangs.

    A thread that hangs can't be ended; it holds up nobody but its own instrument.
    """

    def __init__(self, name: str, session: Session) -> None:
        self._session = session
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    async def call(self, call: Call, within: float) -> Answer:
        promise: Future[Answer] = Future()
        self._jobs.put((partial(self._session.answer, call), promise))
        result = asyncio.wrap_future(promise)
        try:
            await asyncio.wait([result], timeout=within)
            if not result.done():
                raise CallStuck
            return result.result()
        finally:
            result.cancel()  # nobody waits any more; without effect on one that is done

    async def end(self) -> None:
        """Let the thread close the session as soon as it can, and end. Does not wait."""
        self._jobs.put((self._session.close, Future()))
        self._jobs.put(None)

    def _run(self) -> None:
        while (entry := self._jobs.get()) is not None:
            job, promise = entry
            if promise.set_running_or_notify_cancel():
                try:
                    promise.set_result(job())
                except BaseException as error:  # noqa: BLE001 - whatever it is, the caller gets it
                    promise.set_exception(error)
