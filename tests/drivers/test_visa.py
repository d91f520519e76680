"""VISA through pyvisa-py, over real sockets and ptys; and what a library does that misbehaves."""

from __future__ import annotations

import asyncio
import os
import pty
import socket
import threading
import tty
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from drivers.errors import BadAddress, ConnectFailed, LinkClosed, LinkTimeout
from drivers.power.siglent_spd1000x import Spd1000x
from drivers.transport.link import Timeouts
from drivers.transport.visa import VisaLink
from simulators.serve import TcpServer
from simulators.siglent_spd1000x import SiglentSpd1168x

SOON = Timeouts(turn=2.0, first_byte=0.15, next_byte=0.1, whole=0.5)


@asynccontextmanager
async def answering(
    handle: Callable[[asyncio.StreamWriter, bytes], Any],
) -> AsyncIterator[str]:
    """A raw instrument socket on this machine, as a VISA resource."""
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                await handle(writer, line)
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield socket_resource(server.sockets[0].getsockname()[1])
        server.close()
        await asyncio.sleep(0.01)


def socket_resource(port: int) -> str:
    return f"TCPIP0::127.0.0.1::{port}::SOCKET"


async def echo(writer: asyncio.StreamWriter, line: bytes) -> None:
    writer.write(b"answer to " + line)


@pytest.mark.lab
async def test_a_line_comes_back_without_its_end() -> None:
    async with answering(echo) as resource, VisaLink(resource) as link:
        await link.send(b"*IDN?\n")
        assert await link.receive_until(b"\n", SOON) == b"answer to *IDN?"
