"""What a port tells of itself: who holds it, and how many errors its UART has counted."""

from __future__ import annotations

import fcntl
import os
import struct
import subprocess
import sys
import tty
from collections.abc import Iterator
from typing import Any

import pytest

from drivers.errors import BadReply, ConnectFailed, LinkTimeout
from drivers.transport import stream
from drivers.transport.holder import holders
from drivers.transport.line_errors import TIOCGICOUNT, LineErrors, line_errors
from drivers.transport.link import Timeouts
from drivers.transport.serial import SerialLink

SOON = Timeouts(first_byte=0.05, next_byte=0.05, whole=0.1)

HOLD = """
import fcntl, os, sys
port = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)
if sys.argv[2] == "lock":
    fcntl.flock(port, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def terminal() -> Iterator[tuple[int, str]]:
    """The instrument's end of a pseudo-terminal, and the path of ours."""
    master, slave = os.openpty()
    tty.setraw(slave)
    yield master, os.ttyname(slave)
    os.close(master)
    os.close(slave)


@pytest.fixture
def holder(terminal: tuple[int, str], how: str) -> Iterator[subprocess.Popen[bytes]]:
    """Another program that has the port open."""
    command = [sys.executable, "-c", HOLD, terminal[1], how]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield process


@pytest.mark.parametrize("how", ["lock"])
async def test_a_port_that_another_program_has_locked_names_that_program(
    terminal: tuple[int, str], holder: subprocess.Popen[bytes], how: str
) -> None:
    with pytest.raises(ConnectFailed) as refused:
        async with SerialLink(terminal[1], {}):
            pass
    with open(f"/proc/{holder.pid}/comm", encoding="utf-8") as comm:
        program = comm.read().strip()
    assert f"{program} (process {holder.pid}) holds the port: close it" in str(refused.value)


@pytest.mark.parametrize("how", ["open"])
def test_who_has_a_port_open_may_hold_it_where_nobody_has_locked_it(
    terminal: tuple[int, str], holder: subprocess.Popen[bytes], how: str
) -> None:
    assert f"(process {holder.pid})" in holders(terminal[1])


def test_this_program_itself_and_a_port_that_is_gone_are_nobody(terminal: tuple[int, str]) -> None:
    assert holders(terminal[1]) == ""
    assert holders("/dev/no-such-port") == ""


def test_a_pseudo_terminal_counts_no_errors(terminal: tuple[int, str]) -> None:
    assert line_errors(terminal[0]) is None


class Uart:
    """The counters of a UART, in place of those that a pseudo-terminal does not have."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.counts = [0] * 20
        self._others = fcntl.ioctl
        monkeypatch.setattr(fcntl, "ioctl", self._ioctl)

    def _ioctl(self, fd: int, request: int, *arguments: Any) -> Any:
        if request == TIOCGICOUNT:
            return struct.pack("20i", *self.counts)
        return self._others(fd, request, *arguments)


async def test_a_reply_that_does_not_come_is_blamed_on_the_errors_that_the_port_counted(
    terminal: tuple[int, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    uart = Uart(monkeypatch)
    uart.counts[6] = 5  # of before
    async with SerialLink(terminal[1], {}) as link:
        with pytest.raises(LinkTimeout) as quiet:
            await link.receive_until(b"\n", SOON)
        assert "the port counted" not in str(quiet.value)
        uart.counts[6:8] = [22, 1]
        said = "the port counted 17 framing errors, 1 overrun: are baud rate and parity right"
        with pytest.raises(LinkTimeout, match=said):
            await link.receive_exactly(1, SOON)
        with pytest.raises(LinkTimeout) as again:
            await link.receive_exactly(1, SOON)
        assert "the port counted" not in str(again.value), "said once"


async def test_babble_is_blamed_on_the_errors_that_the_port_counted(
    terminal: tuple[int, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "LONGEST_LINE", 10)
    uart = Uart(monkeypatch)
    async with SerialLink(terminal[1], {}) as link:
        uart.counts[8] = 3
        os.write(terminal[0], b"\x80" * 40)
        with pytest.raises(BadReply, match="the port counted 3 parity errors: are baud rate"):
            await link.receive_until(b"\n", Timeouts())


@pytest.mark.parametrize(
    ("errors", "sentence"),
    [
        (LineErrors(0, 0, 0, 0), ""),
        (LineErrors(0, 0, 2, 0), "the port counted 2 overruns: is the computer too busy"),
        (LineErrors(1, 0, 0, 4), "the port counted 1 framing error, 4 breaks: are baud rate"),
    ],
)
def test_the_counters_say_what_to_look_at(errors: LineErrors, sentence: str) -> None:
    assert errors.sentence().startswith(sentence)
    assert bool(errors.sentence()) is bool(sentence)


def test_counters_that_begin_again_at_zero_are_counted_on() -> None:
    before = LineErrors((1 << 32) - 2, 0, 0, 0)
    assert LineErrors(3, 0, 0, 0).since(before) == LineErrors(5, 0, 0, 0)
