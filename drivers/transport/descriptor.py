"""A file descriptor that the event loop watches: no thread, and an unplugged cable is seen at once."""

import asyncio
import contextlib
import os
import termios

from drivers.errors import LinkClosed, LinkTimeout
from drivers.transport.stream import Inbox

WRITE_STALL_S = 2.0
"""Seconds without one byte taken after which the device counts as no longer reading."""

CHUNK = 4096
"""Bytes read at once: a terminal of Linux never has more ready, and a larger buffer costs time."""


class Descriptor:
    """Feed an inbox from a non-blocking descriptor, and write to it. Its opener closes it."""

    def __init__(self, fd: int, name: str, inbox: Inbox) -> None:
        self.fd = self._fd = fd
        self._name, self._inbox = name, inbox
        self._loop = asyncio.get_running_loop()
        self._urgent = bytearray()
        self._ordinary = bytearray()
        self._moved: asyncio.Future[None] | None = None
        self._is_waiting_for_room = False
        self._error: LinkClosed | None = None
        os.set_blocking(fd, False)
        self._loop.add_reader(fd, self._readable)

    async def write(self, data: bytes) -> None:
        """Send all of `data`.

        Raises:
            LinkClosed: The other end is gone.
            LinkTimeout: The device has stopped reading. What it did not take is dropped, also in
                the kernel, and the link is lost: who opens it anew begins at a whole request.
        """
        if self._error is not None:
            raise self._error.unsent()
        self._ordinary += data
        self._flush()
        while self._ordinary:
            await self._until_it_moves()
        self._raise_if_closed()

    async def _until_it_moves(self) -> None:
        """Wait until a byte was taken, or the line failed; one that takes none for long is lost."""
        self._moved = self._loop.create_future()
        try:
            async with asyncio.timeout(WRITE_STALL_S):
                await self._moved
        except TimeoutError:
            self._fail("the device has stopped reading")
            self._flush_kernel()
            raise LinkTimeout(f"{self._name}: the device has stopped reading") from None
        finally:
            self._moved = None

    def _flush_kernel(self) -> None:
        """Take back what the kernel still holds: half a request must not go out some day later."""
        with contextlib.suppress(termios.error):  # a socket has no such thing; a lost port nothing
            termios.tcflush(self._fd, termios.TCOFLUSH)

    def drop(self) -> None:
        """Throw away what was to be sent and has not left the kernel. A line may end in its middle."""
        self._drop_output()
        self._flush_kernel()
        self._wake()

    def write_now(self, data: bytes) -> None:
        """Send before anything that still waits here. Raises LinkClosed."""
        self._raise_if_closed()
        self._urgent += data
        self._flush()
        self._raise_if_closed()

    async def stop(self) -> None:
        """Watch no longer."""
        self._drop_output()
        self._loop.remove_reader(self._fd)

    def _readable(self) -> None:
        try:
            data = os.read(self._fd, CHUNK)
        except BlockingIOError:
            return
        except OSError as error:
            self._fail(error.strerror or str(error))
            return
        if data:
            self._inbox.feed(data)
        else:
            self._fail("the other end went away")

    def _flush(self) -> None:
        while self._error is None and (waiting := self._urgent or self._ordinary):
            try:
                del waiting[: os.write(self._fd, waiting)]
            except BlockingIOError:
                self._is_waiting_for_room = True
                self._loop.add_writer(self._fd, self._flush)
                return
            except OSError as error:
                self._fail(error.strerror or str(error))
                return
            self._wake()
        self._forget_writer()

    def _fail(self, reason: str) -> None:
        self._error = LinkClosed(f"{self._name}: {reason}")
        self._drop_output()
        self._loop.remove_reader(self._fd)
        self._inbox.fail(self._error)
        self._wake()

    def _drop_output(self) -> None:
        self._urgent.clear()
        self._ordinary.clear()
        self._forget_writer()

    def _forget_writer(self) -> None:
        if self._is_waiting_for_room:
            self._is_waiting_for_room = False
            self._loop.remove_writer(self._fd)

    def _wake(self) -> None:
        if self._moved is not None and not self._moved.done():
            self._moved.set_result(None)

    def _raise_if_closed(self) -> None:
        if self._error is not None:
            raise self._error
