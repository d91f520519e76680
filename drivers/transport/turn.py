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
from drivers.transport.attempt import beforehand
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
        self._is_taken = False
        # Lists, which take nothing while nobody waits: a deque has 0.7 KiB from the start.
        self._urgent: list[asyncio.Future[None]] = []  # places of who stops a device
        self._queue: list[asyncio.Future[None]] = []  # and of all others
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
        if self._is_taken:
            await self._queue_up(within)
        self._is_taken = True
        try:
            return await Exchange(self._exchange(exchange))
        finally:
            self._hand_over()

    @property
    def is_wanted(self) -> bool:
        """Whether anybody waits for the link: who has it for long should give way between two steps."""
        return bool(self._urgent or self._queue)

    def begin(self) -> bool:
        """Take the turn where that needs no waiting and no resynchronisation; `end` gives it back.

        For an exchange that waits once at most, for what takes no cancellation. The link is in
        doubt until `trust`.
        """
        if self._is_taken or not self._in_step:
            return False
        self._is_taken, self._in_step = True, False
        return True

    def trust(self) -> None:
        """Say that the reply to an exchange that was begun is whole, and the right one."""
        self._in_step = True

    async def go_on(self, exchange: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run what is left of an exchange that was begun and needs more than one wait."""
        self._in_step = True  # nothing came of it yet that would need a resynchronisation
        return await Exchange(self._exchange(exchange))

    def end(self) -> None:
        """Give the turn back that `begin` took."""
        self._hand_over()

    async def _queue_up(self, within: float) -> None:
        """Wait until one's place is called; the turn is then one's own already."""
        queue = self._urgent if _IS_URGENT.get() else self._queue
        place = asyncio.get_running_loop().create_future()
        queue.append(place)
        try:
            async with asyncio.timeout(within):
                await place
        except BaseException as error:
            if place in queue:
                queue.remove(place)
            elif not place.cancelled():  # called in the very moment of giving up
                self._hand_over()
            if isinstance(error, TimeoutError):
                raise TurnTimeout(f"the link was busy for {within:g} s") from None
            raise

    def _hand_over(self) -> None:
        """Call the next place. The turn is never free meanwhile, so that nobody can push in."""
        for queue in (self._urgent, self._queue):
            while queue:
                place = queue.pop(0)
                if not place.done():  # its owner may have given up, and not come to say so
                    place.set_result(None)
                    return
        self._is_taken = False

    async def _exchange(self, exchange: Callable[[], Coroutine[Any, Any, T]]) -> T:
        if not self._in_step:
            self.resyncs += 1
            with beforehand():
                await self._resync()
        self._in_step = False
        try:
            reply = await exchange()
        except DeviceError:  # a refusal is a whole reply
            self._in_step = True
            raise
        self._in_step = True
        return reply
