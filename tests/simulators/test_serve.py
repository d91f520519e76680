"""Real sockets in front of an instrument."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from simulators.faults import Fault
from simulators.serve import TcpServer
from tests.simulators.echo import Client, Echo, until

pytestmark = pytest.mark.lab


@contextlib.asynccontextmanager
async def socket_client(server: TcpServer) -> AsyncIterator[Client]:
    reader, writer = await asyncio.open_connection(server.host, server.port)
    try:
        yield Client(lambda: reader.read(1000), writer.write)
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
async def tcp(echo: Echo) -> AsyncIterator[TcpServer]:
    async with TcpServer(echo) as server:
        yield server


async def test_a_tcp_client_is_greeted_and_answered(tcp: TcpServer) -> None:
    async with socket_client(tcp) as client:
        client.write(b"ab\ncd\n")
        assert [await client.line() for _ in range(3)] == [b"hello 1", b"AB", b"CD"]


async def test_time_runs_for_an_instrument_that_nobody_uses(tcp: TcpServer, echo: Echo) -> None:
    await until(lambda: echo.age > 0.05)


async def test_what_an_instrument_says_by_itself_arrives(tcp: TcpServer, echo: Echo) -> None:
    echo.news = b"nobody hears this\n"
    await until(lambda: not echo.news)
    async with socket_client(tcp) as client:
        assert await client.line() == b"hello 1"
        echo.news = b"news\n"
        assert await client.line() == b"news"


async def test_the_newest_connection_wins(tcp: TcpServer) -> None:
    async with socket_client(tcp) as old:
        assert await old.line() == b"hello 1"
        async with socket_client(tcp) as new:
            assert await new.line() == b"hello 2"
            assert await old.line() == b""
            new.write(b"still here\n")
            assert await new.line() == b"STILL HERE"


async def test_a_server_comes_back_on_the_same_port(tcp: TcpServer) -> None:
    port = tcp.port
    async with socket_client(tcp) as client:
        assert await client.line() == b"hello 1"
        await tcp.stop()
        assert await client.line() == b""
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(tcp.host, port)
    await tcp.start()
    assert tcp.port == port
    async with socket_client(tcp) as client:
        assert await client.line() == b"hello 2"


async def test_a_late_reply_is_not_overtaken_by_the_next(tcp: TcpServer) -> None:
    async with socket_client(tcp) as client:
        assert await client.line() == b"hello 1"
        tcp.faults.add(Fault(kind="delay", next=1, seconds=0.1))
        client.write(b"first\n")
        await until(lambda: tcp.faults.counts["delay"] == 1)
        client.write(b"second\n")
        asked = asyncio.get_running_loop().time()
        assert [await client.line(), await client.line()] == [b"FIRST", b"SECOND"]
        assert asyncio.get_running_loop().time() - asked > 0.05


async def test_a_disconnect_drops_the_link_in_mid_reply(tcp: TcpServer) -> None:
    async with socket_client(tcp) as client:
        assert await client.line() == b"hello 1"
        tcp.faults.add(Fault(kind="disconnect", next=1, keep=2))
        client.write(b"abcdef\n")
        assert await client.rest() == b"AB"


async def test_a_late_reply_does_not_reach_the_next_connection(tcp: TcpServer) -> None:
    tcp.faults.add(Fault(kind="delay", probability=1.0, seconds=0.05))
    async with socket_client(tcp):
        await until(lambda: tcp.faults.counts["delay"] == 1)
    tcp.faults.clear()
    async with socket_client(tcp) as client:
        assert await client.line() == b"hello 2"
        await asyncio.sleep(0.1)  # longer than the greeting of the first one was late
        client.write(b"x\n")
        assert await client.line() == b"X"


async def test_a_hung_instrument_neither_hears_nor_speaks(tcp: TcpServer, echo: Echo) -> None:
    async with socket_client(tcp) as client:
        assert await client.line() == b"hello 1"
        tcp.faults.hang()
        client.write(b"lost")
        age = echo.age
        await until(lambda: echo.age > age + 0.05)
        tcp.faults.clear()
        client.write(b"back\n")
        assert await client.line() == b"BACK"


async def test_a_taken_port_is_refused(tcp: TcpServer, echo: Echo) -> None:
    other = TcpServer(echo, port=tcp.port)
    with pytest.raises(OSError, match="address already in use"):
        await other.start()
