"""The threads in which the agent waits for its disk: few, its own, and with a bound for those who wait.

A disk that hangs gives back none of the threads that ask it for something. Were they those in which
everything else that blocks is done, such as finding a name on the network, the agent could soon connect
to no device any more. So the disk has threads of its own, which belong to the loop as its executor
does, and whoever comes when they and the places before them are taken is refused at once.
"""

from __future__ import annotations

import asyncio
import errno
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from threading import Thread
from typing import Any, Final, ParamSpec, TypeVar

from agent.errors import AgentError
from agent.languages.message import Message

P = ParamSpec("P")
T = TypeVar("T")

MOST_THREADS: Final = 16
"""Requests that may be at the disk together."""
MOST_WAITING: Final = 32
"""Requests that may wait for one of these threads; a further one is refused."""
WAITS_S: Final = 10.0
"""How long one of them waits; then it is refused as well."""
ITS: Final = "labkeeper_disk_threads"


class DiskBusy(AgentError, OSError):
    """The disk has not answered so many that nobody else may wait for it: nothing was asked of it.

    It is an `OSError` as well, so that whoever takes the word of the disk takes this one.
    """

    exit_code = 3

    def __str__(self) -> str:
        """The sentence, without the number that an OSError puts before it."""
        return str(self.strerror)


class DiskThreads:
    """A thread for each request, so that one that hangs is nobody else's. They keep no process alive."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._taken = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def done(self, work: Callable[[], T]) -> T:
        """Wait until it is done; it is done although the caller goes away, once it has begun.

        Raises:
            DiskBusy: It was not begun.
        """
        await self._admitted()
        future: asyncio.Future[T] = self._loop.create_future()
        inside = partial(copy_context().run, work)
        try:
            Thread(target=self._do, args=[inside, future], name=ITS, daemon=True).start()
        except RuntimeError as error:  # the machine gives this process no thread more
            self._given_back()
            raise DiskBusy(errno.EAGAIN, str(error)) from error
        return await future

    async def _admitted(self) -> None:
        """Wait for a thread, if one may still be waited for. Raises DiskBusy."""
        if self._taken < MOST_THREADS:
            self._taken += 1
            return
        if len(self._waiting) >= MOST_WAITING:
            raise _busy()
        turn: asyncio.Future[None] = self._loop.create_future()
        self._waiting.append(turn)
        try:
            async with asyncio.timeout(WAITS_S):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():
                self._given_back()  # it had its turn in the moment in which it gave up
            else:
                with suppress(ValueError):
                    self._waiting.remove(turn)
            if isinstance(error, TimeoutError):
                raise _busy() from None
            raise

    def _do(self, work: Callable[[], T], future: asyncio.Future[T]) -> None:
        result, error = None, None
        try:
            result = work()
        except BaseException as raised:  # noqa: BLE001 - whoever waits for it gets it
            error = raised
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._told, future, result, error)

    def _told(
        self, future: asyncio.Future[Any], result: object, error: BaseException | None
    ) -> None:
        self._given_back()
        if future.done():
            return  # whoever waited has gone
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)

    def _given_back(self) -> None:
        """Give a thread's place to whoever waits for one."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._taken -= 1


async def at_disk_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Do in a thread what reads or writes the disk, as `asyncio.to_thread` does for all else.

    Raises:
        DiskBusy: Too many wait for the disk already. It is an OSError.
    """
    loop = asyncio.get_running_loop()
    threads: DiskThreads | None = getattr(loop, ITS, None)
    if threads is None:
        threads = DiskThreads(loop)
        setattr(loop, ITS, threads)
    return await threads.done(partial(work, *args, **kwargs))


def _busy() -> DiskBusy:
    text = Message(
        "the disk does not answer, and {waiting} requests wait for it already: this one was not begun. "
        "Devices are watched and can be stopped; ask again when the disk answers",
        waiting=MOST_THREADS + MOST_WAITING,
    )
    return DiskBusy(errno.EBUSY, text)
