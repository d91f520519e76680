"""The thread in which one instrument's VISA calls are made, one after the other."""

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")
Job = tuple[Callable[[], Any], "Future[Any]"]


class CallStuck(Exception):
    """A call has not returned. Its thread can't be ended; it is a daemon and holds up nobody."""


class CallThread:
    """A daemon thread: neither a pool nor the end of the process waits for a call that hangs."""

    def __init__(self, name: str) -> None:
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """Whether the thread has not ended: it works, waits for work, or hangs."""
        return self._thread.is_alive()

    async def call(self, job: Callable[[], T], within: float) -> T:
        """Run `job` in the thread, and return or raise what it does; CallStuck after `within` s."""
        promise: Future[T] = Future()
        self._jobs.put((job, promise))
        result = asyncio.wrap_future(promise)
        try:
            await asyncio.wait([result], timeout=within)
            if not result.done():
                raise CallStuck
            return result.result()
        finally:
            result.cancel()  # nobody waits any more; without effect on one that is done

    def end(self, job: Callable[[], object]) -> None:
        """Let the thread do this last job, as soon as it can, and end. Does not wait."""
        self._jobs.put((job, Future()))
        self._jobs.put(None)

    def _run(self) -> None:
        while (entry := self._jobs.get()) is not None:
            job, promise = entry
            if promise.set_running_or_notify_cancel():
                try:
                    promise.set_result(job())
                except BaseException as error:  # noqa: BLE001 - whatever it is, the caller gets it
                    promise.set_exception(error)
