"""One exchange at a time, whole or not at all, and never a step behind.

A request whose reply was not fully read leaves the rest of it on the wire, where the next
request would take it for its own. Three rules keep a link in step:

* An exchange, once begun, runs to its reply or to its own time-out. Cancelling the caller
  takes effect after it, so that a stopped job can still make its device safe.
* An exchange that does not end with a whole reply leaves the link in doubt. Before anything
  else is asked the link gets back in step, and what arrives meanwhile is thrown away.
* A link that can't be brought back in step stays in doubt: the next one tries again.

Who stops a device goes before all who wait, and so waits for one exchange at most.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, TypeVar

from drivers.errors import DeviceError, TurnTimeout
from drivers.transport.exchange import Exchange

T = TypeVar("T")
_IS_URGENT: Final = ContextVar("is_urgent", default=False)


@contextmanager
def urgent() -> Iterator[None]:
    """Let every exchange that this task asks for meanwhile go before those that wait for their turn."""
    token = _IS_URGENT.set(True)
    try:
        yield
    finally:
        _IS_URGENT.reset(token)


class Turn:
    """The right to speak on a link. `resync` brings the link back in step, or raises LinkError."""

    def __init__(self, resync: Callable[[], Awaitable[None]]) -> None:
        self._resync = resync
        self._lock = asyncio.Lock()
        self._waiting = self._urgent = 0
        self._calm = asyncio.Event()  # set when the last urgent one has its turn
        self._in_step = True
        self.resyncs = 0

    def doubt(self) -> None:
        """Say that a reply, though whole, did not look like an answer to its request."""
        self._in_step = False

    async def take(self, exchange: Callable[[], Coroutine[Any, Any, T]], *, within: float) -> T:
        """Wait up to `within` seconds for the link, then run the exchange on it.

        Raises:
            TurnTimeout: The link was not free in time; nothing was sent.
            DriverError: What the exchange or the resynchronisation raised.
        """
        await self._acquire(within)
        try:
            return await Exchange(self._exchange(exchange))
        finally:
            self._lock.release()

    async def _acquire(self, within: float) -> None:
        # Just released, the lock is free although others are first in the queue for it.
        if not (self._lock.locked() or self._waiting):
            await self._lock.acquire()  # the usual case, without the cost of a timer
            return
        self._waiting += 1
        try:
            async with asyncio.timeout(within):
                await (self._go_first() if _IS_URGENT.get() else self._queue_up())
        except TimeoutError:
            raise TurnTimeout(f"the link was busy for {within:g} s") from None
        finally:
            self._waiting -= 1

    async def _queue_up(self) -> None:
        await self._lock.acquire()
        while self._urgent:  # let it pass; all do, in their order
            self._lock.release()
            self._calm.clear()
            await self._calm.wait()
            await self._lock.acquire()

    async def _go_first(self) -> None:
        self._urgent += 1
        try:
            await self._lock.acquire()
        finally:
            self._urgent -= 1
            if not self._urgent:
                self._calm.set()

    async def _exchange(self, exchange: Callable[[], Coroutine[Any, Any, T]]) -> T:
        if not self._in_step:
            self.resyncs += 1
            await self._resync()
        self._in_step = False
        try:
            reply = await exchange()
        except DeviceError:  # a refusal is a whole reply
            self._in_step = True
            raise
        self._in_step = True
        return reply
