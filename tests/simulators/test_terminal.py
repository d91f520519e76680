"""Real pseudo-terminals in front of an instrument."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from simulators.faults import Fault
from simulators.serve import PtyServer
from tests.simulators.echo import Client, Echo, until

pytestmark = pytest.mark.lab


@contextlib.asynccontextmanager
async def terminal_client(path: Path) -> AsyncIterator[Client]:
    fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)

    async def read() -> bytes:
        ready = asyncio.Event()
        asyncio.get_running_loop().add_reader(fd, ready.set)
        try:
            await ready.wait()
            return os.read(fd, 1000)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            return b""  # the other end is gone
        finally:
            asyncio.get_running_loop().remove_reader(fd)

    unsent = bytearray()

    def send() -> None:
        """Hand over what the terminal has room for now, and the rest when it has room again."""
        with contextlib.suppress(BlockingIOError):
            del unsent[: os.write(fd, unsent)]
        if unsent:
            asyncio.get_running_loop().add_writer(fd, send)
        else:
            asyncio.get_running_loop().remove_writer(fd)

    def write(data: bytes) -> None:
        unsent.extend(data)
        send()

    try:
        yield Client(read, write)
    finally:
        asyncio.get_running_loop().remove_writer(fd)
        os.close(fd)


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
async def pty(echo: Echo, tmp_path: Path) -> AsyncIterator[PtyServer]:
    async with PtyServer(echo, tmp_path / "port") as server:
        yield server


async def test_a_terminal_is_raw_and_its_opening_is_seen(pty: PtyServer) -> None:
    async with terminal_client(pty.path) as client:
        assert await client.line() == b"hello 1"
        client.write(b"\x03\x04\x18\r?\n")  # a cooked terminal would eat or change these
        assert await client.line() == b"\x03\x04\x18\r?"


async def test_each_opening_is_a_new_connection_without_old_bytes(
    pty: PtyServer, echo: Echo
) -> None:
    async with terminal_client(pty.path) as client:
        assert await client.line() == b"hello 1"
        client.write(b"unread\nhalf a line")
        await until(lambda: echo.heard == b"half a line")
    echo.news = b"said to a closed port\n"
    await until(lambda: not echo.news)
    async with terminal_client(pty.path) as client:
        assert await client.line() == b"hello 2"
        client.write(b"new\n")
        assert await client.line() == b"NEW"


async def test_a_closed_terminal_does_not_spin_the_loop(pty: PtyServer) -> None:
    async with terminal_client(pty.path) as client:
        await client.line()
    before = time.process_time()
    await asyncio.sleep(0.5)  # a loop that spins would use all of it
    assert time.process_time() - before < 0.25


async def test_unplugging_ends_the_program_and_takes_the_name_away(pty: PtyServer) -> None:
    async with terminal_client(pty.path) as client:
        assert await client.line() == b"hello 1"
        await pty.unplug()
        assert await client.line() == b""
    assert not os.path.lexists(pty.path)
    await pty.plug()
    async with terminal_client(pty.path) as client:
        assert await client.line() == b"hello 2"


async def test_a_terminal_that_drops_comes_back_under_its_name(pty: PtyServer) -> None:
    async with terminal_client(pty.path) as client:
        assert await client.line() == b"hello 1"
        before = os.readlink(pty.path)
        pty.faults.add(Fault(kind="disconnect", next=1, keep=2))
        client.write(b"abcdef\n")
        assert (await client.rest()) in (b"AB", b"")  # a terminal may lose what was under way
        await until(lambda: os.readlink(pty.path) != before)
    async with terminal_client(pty.path) as client:
        assert await client.line() == b"hello 2"


async def test_dropping_twice_at_once_leaves_the_newest_terminal(pty: PtyServer) -> None:
    for _ in range(5):
        pty.disconnect()
    await pty.plug()
    async with terminal_client(pty.path) as client:
        assert await client.line() == b"hello 1"


async def test_a_slow_line_takes_its_time(echo: Echo, tmp_path: Path) -> None:
    async with PtyServer(echo, tmp_path / "slow", baud=9600) as slow:
        async with terminal_client(slow.path) as client:
            assert await client.line() == b"hello 1"
            asked = asyncio.get_running_loop().time()
            client.write(b"x" * 191 + b"\n")
            assert await client.line() == b"X" * 191
            assert asyncio.get_running_loop().time() - asked > 0.19  # 192 bytes at 960 a second


async def test_a_program_that_does_not_read_loses_nothing(pty: PtyServer) -> None:
    lines = [b"%05d" % number * 20 for number in range(300)]  # more than a terminal holds
    async with terminal_client(pty.path) as client:
        assert await client.line() == b"hello 1"
        for line in lines:
            client.write(line + b"\n")
        assert [await client.line() for _ in lines] == lines


async def test_nothing_is_left_behind(echo: Echo, tmp_path: Path) -> None:
    open_before = len(os.listdir("/proc/self/fd"))
    async with PtyServer(echo, tmp_path / "port") as server:
        server.disconnect()
    assert list(tmp_path.iterdir()) == []
    assert len(os.listdir("/proc/self/fd")) == open_before


async def test_a_terminal_that_was_left_exclusive_is_replaced(
    pty: PtyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = []

    def busy(*arguments: object) -> int:
        refused.append(arguments)
        raise OSError(errno.EBUSY, "Device or resource busy")

    async with terminal_client(pty.path) as client:
        assert await client.line() == b"hello 1"
        monkeypatch.setattr("simulators.terminal.os.open", busy)
    await until(lambda: len(refused) == 1)
    monkeypatch.undo()
    await pty.plug()  # the link to the new terminal is made by then
    async with terminal_client(pty.path) as client:
        assert await client.line() == b"hello 2"
