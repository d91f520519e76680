"""Real pseudo-terminals that are as slow as a serial line, in both directions."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from simulators.control import ControlServer
from simulators.marlin import BoardOptions, MarlinPrinter
from simulators.serial_line import Incoming
from simulators.serve import PtyServer
from tests.simulators.echo import Echo, until
from tests.simulators.marlin_host import numbered

pytestmark = pytest.mark.lab


class Sink:
    """Hears, and says nothing."""

    def __init__(self) -> None:
        self.heard = b""
        self.openings = 0

    def opened(self) -> bytes:
        self.openings += 1
        return b""

    def handle(self, data: bytes) -> bytes:
        self.heard += data
        return b""

    def advance(self, dt: float) -> bytes:
        return b""


@contextlib.contextmanager
def opened(path: Path) -> Iterator[int]:
    fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        yield fd
    finally:
        os.close(fd)


@contextlib.asynccontextmanager
async def paced(tmp_path: Path, baud: int) -> AsyncIterator[tuple[Sink, PtyServer, Incoming]]:
    sink = Sink()
    async with PtyServer(sink, tmp_path / "port", baud=baud) as server:
        assert server.line is not None
        yield sink, server, server.line


async def test_what_a_program_writes_at_once_arrives_at_the_baud_rate(tmp_path: Path) -> None:
    data = b"G1 X100.000 Y100.000 E12.34567 F3000.0000\n" * 100
    async with paced(tmp_path, 115_200) as (sink, server, line):
        with opened(server.path) as port:
            began = time.monotonic()
            os.write(port, data)
            await until(lambda: len(sink.heard) == len(data))
            assert time.monotonic() - began >= len(data) / 11_520 - 0.001
        assert sink.heard == data
        assert line.share == pytest.approx(1.0, abs=0.01)
        assert line.idle_seconds == 0.0


async def test_a_program_that_writes_more_than_line_and_terminal_hold_has_to_wait(
    tmp_path: Path,
) -> None:
    async with paced(tmp_path, 115_200) as (_, server, _):
        with opened(server.path) as port:
            taken = 0
            with contextlib.suppress(BlockingIOError):
                while taken < 1_000_000:
                    taken += os.write(port, b"x" * 1000)
            assert taken < 64_000
            with pytest.raises(BlockingIOError):
                os.write(port, b"x")
            async with asyncio.timeout(5.0):
                writable = asyncio.Event()
                asyncio.get_running_loop().add_writer(port, writable.set)
                await writable.wait()
                asyncio.get_running_loop().remove_writer(port)
            assert os.write(port, b"y") == 1


async def test_both_directions_are_slow_at_the_same_time(tmp_path: Path) -> None:
    echo = Echo()
    async with PtyServer(echo, tmp_path / "port", baud=9600) as server:
        with opened(server.path) as port:
            await until(lambda: echo.greetings == 1)
            began = time.monotonic()
            os.write(port, b"x" * 95 + b"\n")
            heard = b""
            while not heard.endswith(b"X\n"):
                await asyncio.sleep(0.001)
                with contextlib.suppress(BlockingIOError):
                    heard += os.read(port, 1000)
            assert time.monotonic() - began >= 2 * 96 / 960 - 0.001


async def test_what_was_written_before_the_port_was_closed_still_arrives(tmp_path: Path) -> None:
    async with paced(tmp_path, 115_200) as (sink, server, _):
        with opened(server.path) as port:
            os.write(port, b"M112\n" * 20)
        await until(lambda: sink.heard == b"M112\n" * 20)


async def test_the_next_program_has_a_connection_of_its_own_while_old_bytes_are_under_way(
    tmp_path: Path,
) -> None:
    async with paced(tmp_path, 9600) as (sink, server, _):
        with opened(server.path) as port:
            os.write(port, b"old\n" * 1000)
            await until(lambda: len(sink.heard) > 40)
        await until(lambda: server._was_closed)
        with opened(server.path) as port:
            await until(lambda: sink.openings == 2)
            assert sink.heard == b"old\n" * 1000
            os.write(port, b"new\n")
            await until(lambda: sink.heard.endswith(b"new\n"))


async def test_it_is_told_when_certain_bytes_arrived(tmp_path: Path) -> None:
    async with paced(tmp_path, 9600) as (sink, server, line):
        with opened(server.path) as port:
            line.forget(b"M112")
            began = time.monotonic()
            os.write(port, b"G1 X10\n" * 10 + b"M112\n" + b"G1 X20\n")
            await until(lambda: sink.heard.endswith(b"G1 X20\n"))
            assert line.seen_at is not None
            assert began + 75 / 960 - 0.001 <= line.seen_at <= time.monotonic()
            line.forget()
            assert line.counts()["seen_at"] is None


async def test_a_paced_line_is_asked_through_the_control_port(tmp_path: Path) -> None:
    async with paced(tmp_path, 115_200) as (sink, server, _):
        control = ControlServer({"printer1": server})

        async def ask(**request: object) -> dict[str, Any]:
            return await control.answer(json.dumps({"device": "printer1"} | request).encode())

        with opened(server.path) as port:
            assert await ask(do="line", seek="b") == {"ok": True}
            os.write(port, b"a\nb\n")
            await until(lambda: sink.heard == b"a\nb\n")
            told = await ask(do="line")
        assert told["bytes"] == 4
        assert told["seen_at"] == pytest.approx(told["last_at"])
    async with PtyServer(Sink(), tmp_path / "quick") as quick:
        told = await ControlServer({"x": quick}).answer(b'{"device": "x", "do": "line"}')
        assert told["error"] == "this line has no speed, and counts nothing"


async def test_a_deaf_line_carries_nothing_until_it_listens_again(tmp_path: Path) -> None:
    async with paced(tmp_path, 115_200) as (sink, server, _):
        with opened(server.path) as port:
            await until(lambda: sink.openings == 1)
            server.deafen()
            os.write(port, b"a\nb\n")
            await asyncio.sleep(0.05)
            assert sink.heard == b""
            server.listen()
            await until(lambda: sink.heard == b"a\nb\n")


async def test_an_idle_line_costs_next_to_nothing(tmp_path: Path) -> None:
    async with paced(tmp_path, 250_000) as (sink, server, _):
        with opened(server.path):
            await until(lambda: sink.openings == 1)
            before = time.process_time()
            await asyncio.sleep(0.5)
            assert time.process_time() - before < 0.1


async def stream(port: int, lines: list[bytes], window: int) -> None:
    """Keep `window` lines under way, and count what comes back."""
    sent, acknowledged, heard = 0, 0, b""
    readable = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(port, readable.set)
    async with asyncio.timeout(10.0):
        while acknowledged < len(lines):
            while sent < min(len(lines), acknowledged + window):
                os.write(port, lines[sent])
                sent += 1
            await readable.wait()
            readable.clear()
            with contextlib.suppress(BlockingIOError):
                heard += os.read(port, 4096)
            *whole, heard = heard.split(b"\n")
            acknowledged += sum(line.startswith(b"ok") for line in whole)
            assert not any(line.startswith(b"Resend") for line in whole)
    loop.remove_reader(port)


async def test_a_window_of_lines_fills_the_line_and_one_line_at_a_time_does_not(
    tmp_path: Path,
) -> None:
    shares = []
    for window in (1, 3, 3, 3):  # a busy machine sends too late, and then the line waits
        options = BoardOptions(baud=115_200, resets_on_open=False, emergency_parser=False)
        printer = MarlinPrinter(options)
        commands = [f"M73 P{n % 100} R10 {'.' * 20}" for n in range(150)]
        lines = [numbered(n, command) for n, command in enumerate(commands, 1)]
        async with PtyServer(printer, tmp_path / "port", baud=115_200) as server:
            with opened(server.path) as port:
                await stream(port, lines, window)
        assert printer.received == commands
        assert server.line is not None
        assert printer.tally.share == pytest.approx(server.line.share, abs=0.01)
        assert 0.0 < printer.tally.starved <= server.line.idle_seconds + 0.001
        shares.append(printer.tally.share)
    assert shares[0] < 0.9
    assert max(shares[1:]) > shares[0]
