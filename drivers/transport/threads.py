"""Threads for what can only block: opening a port, and pyserial's `rfc2217://`, which has no descriptor.

They are daemon threads of their own and not those of a pool: one hanging port holds up neither
another port nor the end of the process.
"""

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from functools import partial
from typing import Protocol, TypeVar

from drivers.errors import LinkClosed, LinkTimeout
from drivers.transport.stream import Inbox

T = TypeVar("T")
WRITE_STALL_S = 5.0


def _nothing(_: object) -> None:
    """Undo what leaves nothing behind."""


async def in_thread(work: Callable[[], T], name: str, undo: Callable[[T], object] = _nothing) -> T:
    """Run `work` in a thread. When nobody waits for its result any more, `undo` gets it there."""
    loop = asyncio.get_running_loop()
    result: asyncio.Future[T] = loop.create_future()
    withdraw = partial(_withdraw, undo, name)
    _start(name, partial(_carry_out, work, result, withdraw))
    try:
        return await result
    except asyncio.CancelledError:
        if _has_value(result):  # both came at the same time
            withdraw(result.result())
        raise


def _carry_out(
    work: Callable[[], T], result: asyncio.Future[T], withdraw: Callable[[T], None]
) -> None:
    """Runs in a thread; what comes of the work is told in the loop."""
    tell = result.get_loop().call_soon_threadsafe
    try:
        value = work()
    except Exception as error:  # noqa: BLE001 - whatever it was, the caller gets it
        with contextlib.suppress(RuntimeError):  # the loop has ended: nobody waits
            tell(_fail, result, error)
        return
    try:
        tell(_succeed, result, value, withdraw)
    except RuntimeError:  # the same
        withdraw(value)


def _succeed(result: asyncio.Future[T], value: T, withdraw: Callable[[T], None]) -> None:
    if result.cancelled():
        withdraw(value)
    else:
        result.set_result(value)


def _fail(result: asyncio.Future[T], error: Exception) -> None:
    if not result.cancelled():
        result.set_exception(error)


def _start(name: str, work: Callable[[], object]) -> None:
    threading.Thread(target=work, name=name, daemon=True).start()


def _withdraw(undo: Callable[[T], object], name: str, value: T) -> None:
    _start(f"undo {name}", partial(undo, value))


def _has_value(result: asyncio.Future[T]) -> bool:
    return result.done() and not result.cancelled() and result.exception() is None


class Port(Protocol):
    """The part of pyserial's Serial that blocks."""

    @property
    def in_waiting(self) -> int: ...
    def read(self, size: int = 1, /) -> bytes: ...
    def write(self, data: bytes, /) -> int | None: ...


class ThreadedPort:
    """Feed an inbox from a blocking port, and write to it: one thread for each direction.

    The port's reads must time out, several times a second, so that `stop` does not wait.
    """

    def __init__(self, port: Port, name: str, inbox: Inbox) -> None:
        self._port, self._name, self._inbox = port, name, inbox
        self._loop = asyncio.get_running_loop()
        self._outbox: queue.SimpleQueue[tuple[bytes, asyncio.Future[None] | None] | None] = (
            queue.SimpleQueue()
        )
        self._stopping = threading.Event()
        self._error: LinkClosed | None = None
        self._threads = [
            threading.Thread(target=self._read, name=f"read {name}", daemon=True),
            threading.Thread(target=self._write, name=f"write {name}", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    async def write(self, data: bytes) -> None:
        """Send all of `data`.

        Raises:
            LinkClosed: The other end is gone.
            LinkTimeout: It has stopped reading, and the link is lost: what still waits here must
                not go out some day later.
        """
        self._raise_if_closed()
        done: asyncio.Future[None] = self._loop.create_future()
        self._outbox.put((data, done))
        try:
            async with asyncio.timeout(WRITE_STALL_S):
                await done
        except TimeoutError:
            self._fail("the device has stopped reading")
            raise LinkTimeout(f"{self._name}: the device has stopped reading") from None
        self._raise_if_closed()

    def write_now(self, data: bytes) -> None:
        """Send without waiting. Raises LinkClosed."""
        self._raise_if_closed()
        self._outbox.put((data, None))

    async def stop(self) -> None:
        """End both threads."""
        self._stopping.set()
        self._outbox.put(None)
        await in_thread(self._join, f"stop {self._name}")

    def _join(self) -> None:
        for thread in self._threads:
            thread.join(WRITE_STALL_S)

    def _read(self) -> None:
        while not self._stopping.is_set():
            try:
                data = self._port.read(max(1, self._port.in_waiting))
            except Exception as error:  # noqa: BLE001 - pyserial: OSError, ValueError, TypeError
                self._in_loop(self._fail, str(error))
                return
            if data:
                self._in_loop(self._inbox.feed, data)

    def _write(self) -> None:
        while (item := self._outbox.get()) is not None:
            data, done = item
            try:
                if self._error is None:
                    self._port.write(data)
            except Exception as error:  # noqa: BLE001 - as above
                self._in_loop(self._fail, str(error))
            if done is not None:
                self._in_loop(_finish, done)

    def _in_loop(self, call: Callable[[T], None], argument: T) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended: nobody listens
            self._loop.call_soon_threadsafe(call, argument)

    def _fail(self, reason: str) -> None:
        self._error = LinkClosed(f"{self._name}: {reason}")
        self._inbox.fail(self._error)

    def _raise_if_closed(self) -> None:
        if self._error is not None:
            raise self._error


def _finish(done: asyncio.Future[None]) -> None:
    if not done.done():
        done.set_result(None)
