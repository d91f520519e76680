"""Serial lines over real pseudo-terminals, and over the two kinds of gateway."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import re
import subprocess
import sys
import termios
import threading
import tty
from collections.abc import AsyncIterator, Iterator

import pytest
import serial
import serial.rfc2217
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.errors import ConnectFailed, LinkClosed, LinkTimeout
from drivers.transport import descriptor
from drivers.transport.link import Timeouts
from drivers.transport.serial import SerialLink, _reason
from drivers.transport.stream import Inbox
from drivers.transport.threads import in_thread

pytestmark = pytest.mark.lab
QUICK = Timeouts(first_byte=2.0, next_byte=2.0, whole=2.0)


class Terminal:
    """The device's end of a pseudo-terminal."""

    def __init__(self) -> None:
        self.master, self.slave = os.openpty()
        tty.setraw(self.slave)
        os.set_blocking(self.master, False)
        self.path = os.ttyname(self.slave)

    def unplug(self) -> None:
        for fd in (self.master, self.slave):
            with contextlib.suppress(OSError):
                os.close(fd)

    async def read(self, count: int) -> bytes:
        got = b""
        while len(got) < count:
            with contextlib.suppress(BlockingIOError):
                got += os.read(self.master, count - len(got))
            await asyncio.sleep(0.001)
        return got


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    made = Terminal()
    yield made
    made.unplug()


@pytest.fixture
async def link(terminal: Terminal) -> AsyncIterator[SerialLink]:
    async with SerialLink(terminal.path, {}) as opened:
        yield opened


def descriptor_of(link: SerialLink) -> int:
    assert link._port is not None
    number: int = link._port.fileno()
    return number


async def test_bytes_go_both_ways(terminal: Terminal, link: SerialLink) -> None:
    await link.send(b"M105\n")
    assert await terminal.read(5) == b"M105\n"
    os.write(terminal.master, b"ok T:20\nrest")
    assert await link.receive_until(b"\n", QUICK) == b"ok T:20"
    assert await link.receive_exactly(4, QUICK) == b"rest"


@settings(max_examples=20)
@given(pieces=st.lists(st.binary(min_size=1, max_size=50), min_size=1, max_size=20))
async def test_every_byte_arrives_once_and_in_order_in_pieces_of_any_size(
    pieces: list[bytes],
) -> None:
    terminal = Terminal()
    try:
        async with SerialLink(terminal.path, {}) as link:
            for piece in pieces:
                os.write(terminal.master, piece)
                await asyncio.sleep(0)
            whole = b"".join(pieces)
            assert await link.receive_exactly(len(whole), QUICK) == whole
    finally:
        terminal.unplug()


async def test_the_line_is_configured_as_the_address_says(terminal: Terminal) -> None:
    options = {"baudrate": "9600", "bytesize": "7", "parity": "E", "stopbits": "2"}
    async with SerialLink(terminal.path, options) as link:
        _, _, cflag, _, ispeed, ospeed, _ = termios.tcgetattr(descriptor_of(link))
        assert ispeed == ospeed == termios.B9600
        assert cflag & termios.CSTOPB


async def test_without_options_it_is_115200_8n1(link: SerialLink) -> None:
    _, _, cflag, _, ispeed, _, _ = termios.tcgetattr(descriptor_of(link))
    assert ispeed == termios.B115200
    assert cflag & termios.CSIZE == termios.CS8
    assert not cflag & (termios.PARENB | termios.CSTOPB)


@pytest.mark.parametrize(("dtr", "drops_on_close"), [("on", True), ("leave", False)])
async def test_leaving_dtr_alone_keeps_it_up_when_the_port_closes(
    terminal: Terminal, dtr: str, drops_on_close: bool
) -> None:
    settings = termios.tcgetattr(terminal.slave)
    settings[2] |= termios.HUPCL
    termios.tcsetattr(terminal.slave, termios.TCSANOW, settings)
    async with SerialLink(terminal.path, {"dtr": dtr}) as link:
        cflag = termios.tcgetattr(descriptor_of(link))[2]
        assert bool(cflag & termios.HUPCL) == drops_on_close


async def test_dtr_is_dropped_where_the_address_says_so(terminal: Terminal) -> None:
    async with SerialLink(terminal.path, {"dtr": "off"}) as link:
        assert link._port is not None
        assert (link._port.dtr, link._port.rts) == (False, False)


async def test_an_unplugged_cable_is_seen_at_once(terminal: Terminal, link: SerialLink) -> None:
    asyncio.get_running_loop().call_soon(terminal.unplug)
    with pytest.raises(LinkClosed):
        await asyncio.wait_for(link.receive_until(b"\n", Timeouts(first_byte=20, whole=20)), 1.0)
    with pytest.raises(LinkClosed):
        await link.send(b"more")
    with pytest.raises(LinkClosed):
        link.send_now(b"!")


async def test_a_second_program_is_refused_with_a_sentence(
    terminal: Terminal, link: SerialLink
) -> None:
    with pytest.raises(ConnectFailed, match="another program holds the port"):
        await SerialLink(terminal.path, {}).__aenter__()
    await link.send(b"still mine")


async def test_the_port_is_free_again_after_closing(terminal: Terminal) -> None:
    for _ in range(3):
        async with SerialLink(terminal.path, {}) as link:
            await link.send(b"x")
            assert await terminal.read(1) == b"x"


async def test_a_closed_link_says_so(terminal: Terminal) -> None:
    async with SerialLink(terminal.path, {}) as link:
        pass
    with pytest.raises(LinkClosed, match="closed"):
        await link.send(b"x")


@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        ("/dev/does-not-exist", "there is no such port"),
        ("/dev/null", "this is not a serial port"),
        ("socket://127.0.0.1:9", "refused"),
    ],
)
async def test_a_port_that_cannot_be_opened_says_why(place: str, sentence: str) -> None:
    with pytest.raises(ConnectFailed, match=sentence):
        await SerialLink(place, {}).__aenter__()


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (PermissionError(errno.EACCES, "denied"), "add the agent's user to the group dialout"),
        (OSError(errno.EBUSY, "busy"), "another program holds the port"),
        (serial.SerialException(errno.EAGAIN, "could not lock"), "another program holds the port"),
        (ValueError("Invalid baud rate: 4000001"), "can't do these settings.*4000001"),
        (termios.error(errno.EIO, "I/O"), "unplug it and plug it in again"),
    ],
)
def test_an_error_of_the_system_becomes_a_sentence_that_helps(
    error: Exception, sentence: str
) -> None:
    assert re.search(sentence, _reason(error))
    wrapped = serial.SerialException("could not configure port")  # as pyserial often does
    wrapped.__context__ = error
    if not isinstance(error, ValueError):
        assert _reason(wrapped) == _reason(error)


async def test_a_device_that_stops_reading_is_a_time_out(
    link: SerialLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(descriptor, "WRITE_STALL_S", 0.05)
    with pytest.raises(LinkTimeout, match="stopped reading"):
        await link.send(b"x" * 1_000_000)


async def test_a_device_that_stops_reading_has_lost_the_link_and_gets_no_half_request_later(
    terminal: Terminal, link: SerialLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(descriptor, "WRITE_STALL_S", 0.05)
    flushed: list[tuple[int, int]] = []
    monkeypatch.setattr(termios, "tcflush", lambda fd, queue: flushed.append((fd, queue)))
    with pytest.raises(LinkTimeout) as stalled:
        await link.send(b"x" * 1_000_000)
    assert stalled.value.sent, "some of it was, and nobody knows how much"
    assert flushed == [(descriptor_of(link), termios.TCOFLUSH)]
    with pytest.raises(LinkClosed, match="stopped reading"):
        await link.send(b"y")
    with pytest.raises(LinkClosed, match="stopped reading"):
        await link.receive_until(b"\n", QUICK)


async def test_urgent_bytes_go_before_those_that_wait(terminal: Terminal, link: SerialLink) -> None:
    asyncio.get_running_loop().call_soon(link.send_now, b"!")
    async with asyncio.TaskGroup() as group:
        reading = group.create_task(terminal.read(200_001), name="read")
        await link.send(b"x" * 200_000)
    got = reading.result()
    assert got.count(b"!") == 1
    assert got.index(b"!") < 100_000


async def test_no_child_process_inherits_the_port(link: SerialLink) -> None:
    assert not os.get_inheritable(descriptor_of(link))


async def test_silence_ends_a_resynchronisation_and_throws_old_bytes_away(
    terminal: Terminal, link: SerialLink
) -> None:
    os.write(terminal.master, b"old reply\n")
    await link.resync(0.05)
    assert link.discard() == b""


async def test_a_result_that_nobody_waits_for_is_undone() -> None:
    gate, undone = threading.Event(), threading.Event()

    def work() -> str:
        gate.wait(5.0)
        return "a port"

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await in_thread(work, "open", undo=lambda value: undone.set())
    gate.set()
    async with asyncio.timeout(5.0):
        while not undone.is_set():
            await asyncio.sleep(0.001)


def test_a_program_that_does_not_ask_is_kept_out_too() -> None:
    """TIOCEXCL: root may always enter, so the flag itself is looked at."""
    code = (
        "import asyncio, fcntl, os, struct, sys\n"
        "from drivers.transport.serial import SerialLink\n"
        "async def main():\n"
        "    m, s = os.openpty()\n"
        "    async with SerialLink(os.ttyname(s), {}) as link:\n"
        "        flag = fcntl.ioctl(link._port.fileno(), 0x80045440, struct.pack('i', 0))\n"
        "        print(struct.unpack('i', flag)[0])\n"
        "    print(struct.unpack('i', fcntl.ioctl(s, 0x80045440, struct.pack('i', 0)))[0])\n"
        "asyncio.run(main())\n"
    )  # 0x80045440 is TIOCGEXCL
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["1", "0"]


async def test_an_inbox_that_failed_still_hands_out_what_came_before() -> None:
    inbox = Inbox()
    inbox.feed(b"last words\n")
    inbox.fail(LinkClosed("gone"))
    assert await inbox.until(b"\n", QUICK) == b"last words"
    with pytest.raises(LinkClosed):
        await inbox.until(b"\n", QUICK)
