"""Devices that never stop talking: every wait ends, a stop gets through, and memory has a bound."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final

import pytest

from drivers.errors import BadReply, ConnectFailed, DriverError, LinkClosed, LinkTimeout
from drivers.protocol.gcode_lines import Lines
from drivers.protocol.grbl import Grbl
from drivers.protocol.scpi_dialogue import Dialogue, Traits
from drivers.transport import stream
from drivers.transport.link import Timeouts
from drivers.transport.memory import Loopback
from drivers.transport.modbus_rtu import RtuBus
from drivers.transport.modbus_tcp import TcpBus
from drivers.transport.stream import Inbox
from tests.drivers.gcode_board import wire as gcode_wire
from tests.drivers.virtual_time import run

QUICK = Timeouts(turn=5.0, first_byte=0.1, next_byte=0.02, whole=0.5)
A_WHILE_S: Final = 60.0


class Babbler(Loopback):
    """Says `words` every `pause` seconds, whatever is asked; 0 is whenever the loop comes round."""

    def __init__(self, words: bytes, pause: float) -> None:
        super().__init__(lambda data: b"")
        self._words, self._pause = words, pause
        self._open_still = True

    async def _open(self) -> None:
        await super()._open()
        self._say()

    async def _close(self) -> None:
        await super()._close()
        self._open_still = False

    def _say(self) -> None:
        if not self._open_still:
            return
        self.inbox.feed(self._words)
        loop = asyncio.get_running_loop()
        if self._pause:
            loop.call_later(self._pause, self._say)
        else:  # virtual time would stand still
            loop._clock.now += 1e-4  # type: ignore[attr-defined]
            loop.call_soon(self._say)


async def ends(work: Awaitable[object], link: Babbler) -> None:
    """Fail when the work outlasts any time-out, cancelled or not."""
    async with asyncio.TaskGroup() as tasks:
        asked = tasks.create_task(outcome(work))
        await asyncio.wait([asked], timeout=A_WHILE_S)
        done = asked.done()
        link._open_still = False  # else a wait without end would outlast the test
    assert done, f"it still went on after {A_WHILE_S:g} s"
    assert isinstance(asked.result(), DriverError)


async def outcome(work: Awaitable[object]) -> object:
    try:
        return await work
    except DriverError as error:
        return error


def check(
    words: bytes, pause: float, ask: Callable[[Babbler], Coroutine[Any, Any, object]]
) -> None:
    async def scenario() -> None:
        async with Babbler(words, pause) as link:
            await ends(ask(link), link)

    run(scenario())


@pytest.mark.parametrize("pause", [0.0, 0.05, 0.2])
@pytest.mark.parametrize(
    "words", [b"<Idle|MPos:1.000,2.000,3.000|FS:0,0>\r\n", b"[MSG:Check Limits]\r\n", b"ok\r\n"]
)
def test_a_controller_that_reports_by_itself_is_no_endless_wait(words: bytes, pause: float) -> None:
    check(words, pause, lambda link: Grbl(link, QUICK, boot=0.05).hello())


@pytest.mark.parametrize("pause", [0.0, 0.005, 0.05])
@pytest.mark.parametrize("words", [b"T:20.0 /0.0 B:20.0 /0.0\n", b"\n", b"Resend: 1\n", b"wait\n"])
def test_a_printer_that_talks_without_a_pause_is_no_endless_wait(
    words: bytes, pause: float
) -> None:
    check(words, pause, lambda link: gcode_wire(link, QUICK).hello())


@pytest.mark.parametrize("pause", [0.0, 0.005])
def test_a_printer_that_begins_to_babble_ends_a_line_and_its_fence(pause: float) -> None:
    async def ask(link: Babbler) -> None:
        lines = Lines(link, QUICK, lambda: "1", lambda reply: None)
        await lines.settle()
        await lines.get_in_step()

    check(b"T:20.0 /0.0 B:20.0 /0.0\n", pause, ask)


def test_an_instrument_that_says_something_now_and_then_does_not_hold_a_stop_up() -> None:
    async def scenario() -> None:
        async with Babbler(b"1.0\n", 0.09) as link:
            dialogue = Dialogue(link, QUICK, Traits())
            dialogue._identity = "Maker,M1,SN7,1.0"
            began = asyncio.get_running_loop().time()
            with pytest.raises(ConnectFailed, match="other lines came"):
                await dialogue.resync()
            assert asyncio.get_running_loop().time() - began < 2 * QUICK.whole
            link._open_still = False

    run(scenario())


def test_old_modbus_frames_without_end_are_a_time_out() -> None:
    frame = bytes.fromhex("ffff 0000 0005 01 04 02 0000")
    check(frame, 0.0, lambda link: _fetch(TcpBus(link)))


def test_frames_of_a_unit_in_doubt_without_end_are_a_time_out() -> None:
    async def ask(link: Babbler) -> None:
        bus = RtuBus(link)
        bus.standing(2).in_doubt = True
        bus._keep_silence = _nothing  # type: ignore[method-assign]
        await _fetch(bus)

    check(bytes.fromhex("02 04 02 00 00 fd 30"), 0.0, ask)


async def _nothing(timeouts: Timeouts, longer: float = 0.0) -> bytes:
    """A line that falls silent for just long enough."""
    return b""


async def _fetch(bus: TcpBus | RtuBus) -> list[int]:
    async with bus.unit(1) as unit:
        return await unit.fetch("input", 1, 1, QUICK)


class TestInbox:
    async def test_what_nobody_reads_is_not_kept_for_ever(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(stream, "MOST_UNREAD", 1000)
        inbox = Inbox()
        for _ in range(11):
            inbox.feed(b"x\n" * 50)
        for _ in range(2):
            with pytest.raises(LinkClosed, match="1100 bytes came that nobody asked for"):
                await inbox.until(b"\n", QUICK)
            inbox.feed(b"x\n" * 50)
        assert inbox.discard() == b""

    def test_a_reply_in_endless_pieces_ends_at_whole(self) -> None:
        async def read() -> None:
            inbox = Inbox()
            loop = asyncio.get_running_loop()

            def more() -> None:
                inbox.feed(b"x")
                if loop.time() < A_WHILE_S:
                    loop.call_later(1e-3, more)
                    loop.call_soon(lambda: None)

            more()
            with pytest.raises((LinkTimeout, BadReply)):
                await inbox.until(b"\n", QUICK)
            assert loop.time() == pytest.approx(QUICK.whole, abs=0.01)

        run(read())
