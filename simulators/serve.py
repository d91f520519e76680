"""Puts instruments on connectors: loopback TCP ports here, pseudo-terminals in `terminal`."""

from __future__ import annotations

import asyncio
import random
import socket
from typing import Protocol, Self, cast

from simulators.faults import Disconnect, Faults
from simulators.instrument import Instrument
from simulators.player import TICK_S, Player
from simulators.terminal import Address, PtyServer

__all__ = ["PtyServer", "Server", "TcpServer"]


class Server(Protocol):
    """What every connector offers to whoever plays tricks on it."""

    faults: Faults
    player: Player

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *_: object) -> None: ...

    def address(self) -> Address:
        """Return where it is: ``{"tcp": (host, port)}`` or ``{"pty": path}``."""
        ...

    async def start(self) -> None:
        """Bring the connector back; nothing happens if it is there."""
        ...

    async def stop(self) -> None:
        """Take the connector away, with whoever uses it; the instrument lives on."""
        ...

    def disconnect(self) -> None:
        """Drop whoever uses the connector, in the middle of what it is being told."""
        ...

    def deafen(self) -> None:
        """Read no more from the connector, so that what is sent to it piles up in the sender."""
        ...

    def listen(self) -> None:
        """Read again, after `deafen`."""
        ...


class TcpServer:
    """An instrument on a loopback TCP port, with one client: the newest connection wins.

    `port` 0 takes a free port; `port` then tells which. `stop` and `start` kill and revive the
    server on that same port, while the instrument lives on. Raises `OSError` at `start` when the
    port is taken.
    """

    def __init__(
        self,
        instrument: Instrument,
        faults: Faults | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tick: float = TICK_S,
        speed: float = 1.0,
    ) -> None:
        self.instrument = instrument
        self.faults = faults or Faults(random.Random(0))
        self.host, self.port = host, port
        self.player = Player(instrument, self.faults, self._deliver, tick=tick, speed=speed)
        self._listener: asyncio.Server | None = None
        self._transport: asyncio.Transport | None = None
        self._deaf = False

    async def __aenter__(self) -> Self:
        self.player.start()
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
        self.player.stop()

    def address(self) -> Address:
        """Return ``{"tcp": (host, port)}``."""
        return {"tcp": (self.host, self.port)}

    async def start(self) -> None:
        """Listen; nothing happens if it listens already."""
        if self._listener is None:
            loop = asyncio.get_running_loop()
            made = await loop.create_server(lambda: _TcpWire(self), self.host, self.port)
            self._listener = made
            self.port = made.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Drop the client and listen no more."""
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.close()
        self.disconnect()
        if listener is not None:
            await listener.wait_closed()

    def disconnect(self) -> None:
        """Drop the client, in the middle of what it is being told; it may come back."""
        self.player.disconnected()
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.close()

    def deafen(self) -> None:
        """Read no more, from this client and from those that come."""
        self._deaf = True
        if self._transport is not None:
            self._transport.pause_reading()

    def listen(self) -> None:
        """Read again, and first what has piled up."""
        self._deaf = False
        if self._transport is not None:
            self._transport.resume_reading()

    def took(self, transport: asyncio.Transport) -> None:
        """Take a new client in place of the one before."""
        self.disconnect()
        self._transport = transport
        if self._deaf:
            transport.pause_reading()
        self.player.connected()

    def heard(self, transport: asyncio.Transport, data: bytes) -> None:
        """Take bytes, unless they come from a client that has been replaced."""
        if transport is self._transport:
            self.player.hear(data)

    def lost(self, transport: asyncio.Transport) -> None:
        """See a client go."""
        if transport is self._transport:
            self._transport = None
            self.player.disconnected()

    def _deliver(self, piece: bytes | Disconnect) -> None:
        if isinstance(piece, Disconnect):
            self.disconnect()
        elif self._transport is not None:
            self._transport.write(piece)


class _TcpWire(asyncio.Protocol):
    """One accepted connection of a `TcpServer`."""

    def __init__(self, server: TcpServer) -> None:
        self._server = server
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._server.took(self._transport)

    def data_received(self, data: bytes) -> None:
        self._server.heard(self._transport, data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.lost(self._transport)
