"""Serial lines behind a network: raw sockets and RFC 2217."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import serial
import serial.rfc2217

from drivers.errors import LinkClosed
from drivers.transport.link import Timeouts
from drivers.transport.serial import SerialLink

pytestmark = pytest.mark.lab
QUICK = Timeouts(first_byte=2.0, next_byte=2.0, whole=2.0)


async def test_a_raw_socket_gateway_carries_the_same_bytes() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(100):
            writer.write(data)
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, SerialLink(f"socket://127.0.0.1:{port}", {}) as link:
        await link.send(b"hello\n")
        assert await link.receive_until(b"\n", QUICK) == b"hello"


@pytest.fixture
def gateway() -> Iterator[Callable[[], tuple[int, socket.socket]]]:
    """A server of RFC 2217 with an echo behind it, made of pyserial's own parts."""
    listener = socket.create_server(("127.0.0.1", 0))
    accepted: list[socket.socket] = []

    def serve() -> None:
        connection, _ = listener.accept()
        accepted.append(connection)
        port: Any = serial.serial_for_url("loop://", timeout=0.01)
        answers: Any = connection.makefile("wb", buffering=0)
        manager = serial.rfc2217.PortManager(port, answers)
        with answers, contextlib.suppress(OSError):
            while data := connection.recv(1024):
                port.write(b"".join(manager.filter(data)))
                if back := port.read(port.in_waiting):
                    connection.sendall(b"".join(manager.escape(back)))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield lambda: (listener.getsockname()[1], accepted[0] if accepted else listener)
    for each in (*accepted, listener):
        each.close()
    thread.join(5.0)


@pytest.mark.filterwarnings("ignore:set(Daemon|Name):DeprecationWarning")  # in pyserial 3.5
async def test_an_rfc2217_gateway_carries_the_same_bytes_and_its_end_is_seen(
    gateway: Callable[[], tuple[int, socket.socket]],
) -> None:
    port, _ = gateway()
    async with SerialLink(f"rfc2217://127.0.0.1:{port}", {"baudrate": "9600"}) as link:
        await link.send(b"hello\n")
        assert await link.receive_until(b"\n", QUICK) == b"hello"
        link.send_now(b"\xff!\n")
        assert await link.receive_until(b"\n", QUICK) == b"\xff!"
        gateway()[1].shutdown(socket.SHUT_RDWR)
        with pytest.raises(LinkClosed):
            await link.receive_until(b"\n", QUICK)
