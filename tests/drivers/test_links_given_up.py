"""Links whose caller goes away at the worst moment: nothing stays open, and no thread is left."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import termios
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import serial

from drivers.errors import ConnectFailed, DriverError, LinkClosed, LinkTimeout
from drivers.transport import modbus_bus, threads, visa, visa_process, visa_session
from drivers.transport.address import Address
from drivers.transport.lines import Lines
from drivers.transport.memory import Loopback
from drivers.transport.modbus_tcp import TcpBus
from drivers.transport.serial import SerialLink
from drivers.transport.stream import Inbox
from drivers.transport.tcp import TcpLink
from drivers.transport.threads import ThreadedPort, in_thread
from drivers.transport.visa import VisaLink
from tests.drivers.test_visa_library import FakeLibrary, until, usb


async def test_a_unit_that_leaves_in_a_hurry_is_still_counted_out() -> None:
    """It is cancelled while another unit, at the same door, waits for the link to open."""
    gate = asyncio.Event()
    link = SlowLink(gate)
    bus = TcpBus(link)
    gate.set()
    first = bus.unit(1)
    await first.__aenter__()
    link.lose(bus)
    gate.clear()
    async with asyncio.TaskGroup() as tasks:
        second = tasks.create_task(bus.unit(2).__aenter__())
        await asyncio.sleep(0)
        leaving = tasks.create_task(first.__aexit__())
        await asyncio.sleep(0)
        leaving.cancel()
        await asyncio.wait([leaving])
        gate.set()
    await second.result().__aexit__()
    assert not link._is_open, "the last unit has left, and the link is closed"


class SlowLink(Loopback):
    """Opens when its gate does."""

    def __init__(self, gate: asyncio.Event) -> None:
        super().__init__(lambda data: b"")
        self._gate = gate

    async def _open(self) -> None:
        await self._gate.wait()
        await super()._open()

    def lose(self, bus: modbus_bus.Bus) -> None:
        bus._is_open = False


async def test_a_result_that_comes_together_with_the_cancellation_is_undone() -> None:
    undone = threading.Event()
    loop = asyncio.get_running_loop()
    wake_up = loop.call_soon_threadsafe
    async with asyncio.TaskGroup() as tasks:
        opening = tasks.create_task(in_thread(lambda: "a port", "open", lambda _: undone.set()))

        def with_cancellation(callback: Callable[..., object], *args: Any) -> asyncio.Handle:
            def both() -> None:  # the result is there, and the task has not seen it yet
                callback(*args)
                opening.cancel()

            return wake_up(both)

        loop.call_soon_threadsafe = with_cancellation  # type: ignore[assignment]
    assert opening.cancelled()
    await until(undone.is_set)


async def test_a_port_is_closed_even_if_nobody_waits_for_its_threads() -> None:
    port = HangingPort()
    link = SerialLink("rfc2217://unused", {})
    link._port = port  # type: ignore[assignment]
    link._line = ThreadedPort(port, "port", link.inbox)
    async with asyncio.TaskGroup() as tasks:
        leaving = tasks.create_task(link.__aexit__())
        await asyncio.sleep(0.01)
        leaving.cancel()
    await until(port.closed.is_set)
    port.free.set()


async def test_what_a_gateway_did_not_take_in_time_does_not_go_out_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(threads, "WRITE_STALL_S", 0.05)
    port, inbox = DeafPort(), Inbox()
    line = ThreadedPort(port, "port", inbox)
    with pytest.raises(LinkTimeout, match="stopped reading"):
        await line.write(b"OUTP ON\n")
    with pytest.raises(LinkClosed, match="stopped reading"):
        await line.write(b"VOLT 5\n")
    port.free.set()
    await line.stop()
    assert port.taken == [b"OUTP ON\n"]


async def test_what_still_waits_behind_it_does_not_go_out_either(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(threads, "WRITE_STALL_S", 0.05)
    port = DeafPort()
    line = ThreadedPort(port, "port", Inbox())
    async with asyncio.TaskGroup() as tasks:
        stalled = tasks.create_task(_failed(line.write(b"OUTP ON\n")))
        await until(port.is_asked.is_set)
        line.write_now(b"VOLT 5\n")
    assert isinstance(stalled.result(), LinkTimeout)
    port.free.set()
    await line.stop()
    assert port.taken == [b"OUTP ON\n"]


async def _failed(work: Awaitable[None]) -> Exception | None:
    try:
        await work
    except DriverError as error:
        return error
    return None


class DeafPort:
    """A port that takes what is written only when it is let."""

    in_waiting = 0

    def __init__(self) -> None:
        self.free, self.is_asked = threading.Event(), threading.Event()
        self.taken: list[bytes] = []

    def read(self, size: int = 1, /) -> bytes:
        self.free.wait(0.05)
        return b""

    def write(self, data: bytes, /) -> int:
        self.is_asked.set()
        self.free.wait(5.0)
        self.taken.append(data)
        return len(data)


class HangingPort:
    """A port whose reads return only when they are let."""

    in_waiting = 0

    def __init__(self) -> None:
        self.free, self.closed = threading.Event(), threading.Event()

    def fileno(self) -> int:
        raise ValueError("a gateway has no descriptor")

    def read(self, size: int = 1, /) -> bytes:
        self.free.wait(5.0)
        return b""

    def write(self, data: bytes, /) -> int:
        return len(data)

    def close(self) -> None:
        self.closed.set()


@pytest.mark.parametrize(
    "error", [termios.error(5, "Input/output error"), NotImplementedError("custom baud rate")]
)
async def test_whatever_a_port_raises_while_it_opens_is_one_of_our_errors(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def refuse(*args: object, **settings: object) -> None:
        raise error

    monkeypatch.setattr(serial, "serial_for_url", refuse)
    with pytest.raises(ConnectFailed):
        async with SerialLink("/dev/ttyUSB0", {}):
            pass


async def test_a_name_that_no_host_can_have_fails_to_connect() -> None:
    with pytest.raises(ConnectFailed, match=r"a\.\.b"):
        async with TcpLink("a..b", 5025):
            pass


class TestVisa:
    async def test_leaving_in_a_hurry_still_closes_the_instrument(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        library, free = FakeLibrary(), threading.Event()
        closed = threading.Event()
        monkeypatch.setattr(library, "close", closed.set)
        monkeypatch.setattr(library, "write_raw", lambda data: free.wait(5.0) and len(data))
        link = usb(monkeypatch, library)
        await link.__aenter__()
        async with asyncio.TaskGroup() as tasks:
            sending = tasks.create_task(link.send(b"A\n"))
            await asyncio.sleep(0.01)
            leaving = tasks.create_task(link.__aexit__())
            await asyncio.sleep(0.01)
            for task in (sending, leaving):
                task.cancel()
        free.set()
        await until(closed.is_set)
        with pytest.raises(LinkClosed):
            await link.send(b"B\n")

    @pytest.mark.lab
    async def test_a_library_that_hangs_gets_no_thread_more_however_often_it_is_tried(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(visa, "GRACE_S", 0.0)
        monkeypatch.setattr(visa, "GPIB_OPEN_S", 0.05)
        free = threading.Event()
        monkeypatch.setattr(visa_session, "opened", lambda resource, library: free.wait(20.0))
        lines, address = Lines(), Address.parse("visa://GPIB0::7::INSTR")
        threads = threading.active_count()
        for _ in range(3):
            link = lines.link(address)
            assert isinstance(link, VisaLink)
            with pytest.raises(ConnectFailed):
                await link.__aenter__()
        await until(lambda: threading.active_count() == threads + 1)
        free.set()
        await until(lambda: threading.active_count() == threads)


@pytest.mark.lab
async def test_a_connection_ends_with_its_last_unit() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        lines, port = Lines(), server.getsockname()[1]
        one, two = (
            lines.link(Address.parse(f"modbus+tcp://127.0.0.1:{port}?unit={n}")) for n in (1, 2)
        )
        async with one:
            async with two:
                pass
            peer, _ = server.accept()
            peer.setblocking(False)
            with peer:
                with pytest.raises(BlockingIOError):
                    peer.recv(1)
                await one.__aexit__()
                await until(lambda: peer.recv(1) == b"")
                await one.__aenter__()


async def test_a_process_that_ended_in_the_very_moment_it_is_killed_is_no_error() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""], start_new_session=True)  # noqa: ASYNC220
    await asyncio.to_thread(ended.wait)
    visa_process.CallProcess(ended).kill()
