"""Bytes over TCP: raw instrument sockets, terminal servers, gateways."""

import asyncio
import errno
import socket
from collections.abc import Mapping
from typing import Final

from drivers.errors import ConnectFailed, LinkClosed, LinkTimeout
from drivers.transport.stream import Inbox, StreamLink

REASONS: Final[Mapping[int, str]] = {
    errno.ECONNREFUSED: "nothing listens there: is the device on, and the port right?",
    errno.EHOSTUNREACH: "there is no way to this host: is it on, and in this network?",
    errno.ENETUNREACH: "there is no way to this network: is the cable plugged in?",
    socket.EAI_NONAME: "nobody knows this host name: is it spelled right?",
}
"""What a person does about an error of the operating system."""
CONNECT_S = 3.0
RECEIVE: Final = 2048
"""Bytes taken from the kernel at once; most replies have less than a hundred."""
WRITE_STALL_S = 2.0


class TcpLink(StreamLink):
    """A TCP connection. Back in step means another connection: an old reply dies with the old one."""

    clears = True

    def __init__(self, host: str, port: int) -> None:
        super().__init__(f"tcp://{host}:{port}")
        self._host, self._port = host, port
        self._wire: _Wire | None = None

    async def send(self, data: bytes) -> None:
        """Send, and wait while the other end reads slower than we write.

        Raises:
            LinkClosed: The connection is gone.
            LinkTimeout: The device has stopped reading.
        """
        wire = self._connected()
        self.recorder.sent(data)
        wire.transport.write(data)
        if wire.paused is not None:
            try:
                async with asyncio.timeout(WRITE_STALL_S):
                    await wire.paused
            except TimeoutError:
                wire.transport.abort()
                raise LinkTimeout(f"{self.name}: the device has stopped reading") from None
            if wire.transport.is_closing():  # it also stops waiting when the connection is lost
                raise LinkClosed(f"{self.name}: the connection was lost")

    @property
    def is_calm(self) -> bool:
        """See StreamLink."""
        wire = self._wire
        if wire is None or wire.paused is not None or wire.transport.is_closing():
            return False
        return self.inbox.is_calm

    def send_now(self, data: bytes) -> None:
        """Send past every queue of ours; the kernel keeps the order of bytes."""
        transport = self._connected().transport
        self.recorder.sent(data)
        transport.write(data)

    async def resync(self, quiet: float) -> None:
        """Close, and open again. Raises ConnectFailed."""
        self.recorder.noted("getting back in step: connecting anew")
        await self._close()
        # What the old connection still brings goes to the old inbox.
        self.inbox = Inbox(self.recorder)
        await self._open()

    def _connected(self) -> "_Wire":
        if self._wire is None or self._wire.transport.is_closing():
            raise LinkClosed(f"{self.name}: the connection is closed").unsent()
        return self._wire

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(CONNECT_S):
                _, self._wire = await loop.create_connection(
                    lambda: _Wire(self), self._host, self._port
                )
        except TimeoutError:
            raise ConnectFailed(f"{self.name}: no answer within {CONNECT_S:g} s") from None
        except OSError as error:
            raise ConnectFailed(f"{self.name}: {_advice(error)}") from error
        except UnicodeError as error:  # of the codec for names of hosts
            raise ConnectFailed(f"{self.name}: this is no name of a host ({error})") from error

    async def _close(self) -> None:
        if self._wire is not None:
            self._wire.is_leaving = True
            self._wire.transport.abort()  # nothing of ours is worth waiting for
            await self._wire.closed
            self._wire = None


class _Wire(asyncio.BufferedProtocol):
    """What the loop calls when bytes come, when the other end is slow, and at the end.

    It has a buffer of its own, because asyncio would make one of 256 KiB for every reply, which
    the allocator gets from the kernel and returns to it: that takes longer than the exchange.
    """

    transport: asyncio.Transport

    def __init__(self, link: TcpLink) -> None:
        self._link = link
        self._inbox = link.inbox
        self._arrived = memoryview(bytearray(RECEIVE))
        self.is_leaving = False
        """Whether we close the connection, and not the device."""
        self.paused: asyncio.Future[None] | None = None
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]  # TCP's is a Transport
        raw = transport.get_extra_info("socket")
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._arrived

    def buffer_updated(self, nbytes: int) -> None:
        self._inbox.feed(bytes(self._arrived[:nbytes]))

    def pause_writing(self) -> None:
        self.paused = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        if self.paused is not None and not self.paused.done():
            self.paused.set_result(None)
        self.paused = None

    def connection_lost(self, exc: Exception | None) -> None:
        lost = LinkClosed(f"{self._link.name}: {exc or 'the device closed the connection'}")
        self._inbox.fail(lost, by_us=self.is_leaving)
        if self.paused is not None and not self.paused.done():
            self.paused.set_result(None)
        if not self.closed.done():
            self.closed.set_result(None)


def _advice(error: OSError) -> str:
    known = REASONS.get(error.errno or 0)
    return known or (error.strerror or str(error)).lower()
