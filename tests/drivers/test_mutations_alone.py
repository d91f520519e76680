"""With its guard taken out, a line is harmed in a way that the suite of faults does not meet."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import pytest

from drivers.errors import DriverError
from drivers.protocol import gcode_history
from drivers.protocol.gcode_history import History
from drivers.protocol.scpi_dialogue import Dialogue
from drivers.protocol.scpi_wire import Scpi
from drivers.transport.link import Timeouts
from drivers.transport.memory import Loopback
from drivers.transport.modbus_rtu import RtuBus
from drivers.transport.turn import Turn
from tests.drivers.gcode_board import NAME, Board, wire
from tests.drivers.interrogation import Virtual
from tests.drivers.modbus_examples import frame as rtu_frame
from tests.drivers.modbus_line import QUICK as QUICK_BUS
from tests.drivers.modbus_line import WithoutEcho, rtu_line
from tests.drivers.test_mutations import Patch, nothing
from tests.drivers.virtual_time import run

SOON = Timeouts(turn=1.0, first_byte=0.3, next_byte=0.05, whole=0.5)


def turn_lets_everybody_speak(patch: Patch) -> None:
    async def take(
        _: Turn, exchange: Callable[[], Coroutine[Any, Any, Any]], *, within: float
    ) -> Any:
        return await exchange()

    patch.setattr(Turn, "take", take)


async def two_callers() -> list[str]:
    """Two that read at the same time: each must get what it asked for, and get it at all."""
    async with Virtual("siglent.spd1000x", "serial") as station:
        try:
            async with asyncio.timeout(60.0):
                for step in range(12):
                    station.bench.stir(step)
                    if await station.reconnect():
                        await station.read_at_once()
        except TimeoutError:
            return [*station.wrong, "one took the answer that the other waits for"]
        return station.wrong


def rtu_asks_no_stranger_for_an_echo(patch: Patch) -> None:
    patch.setattr(RtuBus, "_meet", nothing)


async def a_reply_owed_to_an_earlier_program() -> list[str]:
    """What the unit still says to a program that has ended: it fits our first question."""
    line = rtu_line(WithoutEcho(1, 100))
    loop = asyncio.get_running_loop()
    async with RtuBus(line, dice=random.Random(0)).unit(1) as unit:
        line._free[1] = loop.time() + 0.05
        loop.call_later(0.05, line.unasked, rtu_frame("04 02 0063"))
        found = await unit.fetch("input", 7, 1, QUICK_BUS)
    return [] if found == [7] else [f"register 7 is {found}"]


def scpi_does_not_wait_for_the_prompt(patch: Patch) -> None:
    patch.setattr(Dialogue, "_prompt", nothing)


class Prompting(Loopback):
    """An instrument that is ready again some time after its answer, says so, and is deaf before."""

    prompt = b"SCPI> "

    def __init__(self) -> None:
        super().__init__(self._answer)
        self.missed: list[bytes] = []
        self._is_ready = True

    def _answer(self, data: bytes) -> bytes:
        if not self._is_ready:
            self.missed.append(data)
            return b""
        self._is_ready = False
        asyncio.get_running_loop().call_later(0.1, self._ready)
        answers = {b"*IDN?\n": b"Maker,M1,SN7,1.0\n", b"SYST:ERR?\n": b'0,"No error"\n'}
        return answers.get(data, b"" if b"?" not in data else b"5\n")

    def _ready(self) -> None:
        self._is_ready = True
        self.inbox.feed(self.prompt)


async def a_message_before_the_prompt() -> list[str]:
    async with Prompting() as link:
        instrument = Scpi(link, SOON, prompt=link.prompt)
        with suppress(DriverError):
            await instrument.hello()
            await instrument.tell("OUTP", True)
            await instrument.ask("VOLT?")
        return [f"{data!r} was sent to an instrument that was not ready" for data in link.missed]


def scpi_asks_among_babble(patch: Patch) -> None:
    patch.setattr(Dialogue, "_fall_silent", nothing)


class Talkative(Loopback):
    """A socket over which an instrument says something every 0.3 s, besides its answers."""

    clears = True

    def __init__(self) -> None:
        super().__init__(lambda data: b"")
        self.asked = 0

    def send_now(self, data: bytes) -> None:
        super().send_now(data)
        answer = b"Maker,M1,SN7,1.0\n" if data == b"*IDN?\n" else b"5\n"
        asyncio.get_running_loop().call_later(0.1, self.inbox.feed, answer)

    async def resync(self, quiet: float) -> None:
        self.inbox.discard()

    async def talk(self) -> None:
        while True:
            await asyncio.sleep(0.3)
            self.inbox.feed(b"1.234\n")


async def an_instrument_that_talks_by_itself() -> list[str]:
    """Between the questions it is heard; an answer among what it says can't be told."""
    found = []
    async with Talkative() as link, asyncio.TaskGroup() as tasks:
        instrument = Scpi(link, Timeouts(first_byte=1.0, next_byte=0.4, whole=2.0))
        await instrument.hello()
        talk = tasks.create_task(link.talk())
        for _ in range(5):
            await asyncio.sleep(0.35)
            with suppress(DriverError):
                found.append(await instrument.ask("VOLT?"))
        talk.cancel()
    return [answer for answer in found if answer != "5"]


def gcode_lines_have_no_number(patch: Patch) -> None:
    patch.setattr(gcode_history, "frame", lambda _, line: f"{line}\n".encode("ascii"))


class Printer(Loopback):
    """A board that takes lines with a number and without, on a cable that spoils one of them."""

    def __init__(self, spoilt: bytes, becomes: bytes) -> None:
        self._board, self._spoilt, self._becomes = Board(), spoilt, becomes
        self.done: list[str] = []
        super().__init__(self._take)

    def _take(self, data: bytes) -> bytes:
        if self._spoilt in data:
            data, self._spoilt = data.replace(self._spoilt, self._becomes), b"\n\n\n"
        if re.search(rb"(^|\n)N\d+ ", data):
            said = self._board.handle(data)
            self.done = [line for line in self._board.taken if line.startswith("M140")]
            return said
        lines = [line for line in data.decode().split("\n") if line]
        self.done += [line for line in lines if line.startswith("M140")]
        return b"".join(_unnumbered(line) for line in lines)


def _unnumbered(line: str) -> bytes:
    if line == "M115":
        return f"{NAME}\nok\n".encode()
    return f"{line[5:]}\nok\n".encode() if line.startswith("M118") else b"ok\n"


async def a_line_that_was_spoilt_on_its_way() -> list[str]:
    async with Printer(b"M140 S60", b"M140 S90") as link:
        printer = wire(link)
        with suppress(DriverError):
            await printer.hello()
            await printer.command("M140 S60")
        return [line for line in link.done if line != "M140 S60"]


def gcode_sends_again_what_was_given_up(patch: Patch) -> None:
    patch.setattr(History, "void", lambda _history, _number: None)


async def a_line_that_was_given_up() -> list[str]:
    """Its sender was told that its outcome is unknown; a minute later it must not be done."""
    board = Board()
    async with Loopback(board.handle) as link:
        printer = wire(link)
        await printer.hello()
        taken, board_handle = len(board.taken), link._handle
        link._handle = lambda data: b""  # the cable is out
        with suppress(DriverError):
            await printer.command("M140 S60")
        link._handle = board_handle
        with suppress(DriverError):
            await printer.command("M105")
        return [line for line in board.taken[taken:] if line == "M140 S60"]


GUARDS = [
    (turn_lets_everybody_speak, two_callers),
    (rtu_asks_no_stranger_for_an_echo, a_reply_owed_to_an_earlier_program),
    (scpi_does_not_wait_for_the_prompt, a_message_before_the_prompt),
    (scpi_asks_among_babble, an_instrument_that_talks_by_itself),
    (gcode_lines_have_no_number, a_line_that_was_spoilt_on_its_way),
    (gcode_sends_again_what_was_given_up, a_line_that_was_given_up),
]


@pytest.mark.parametrize(("take_out", "harm"), GUARDS, ids=lambda it: it.__name__)
def test_without_its_guard_a_line_is_harmed(
    take_out: Callable[[Patch], None],
    harm: Callable[[], Coroutine[Any, Any, list[str]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert not run(harm()), "with it, there is none"
    take_out(monkeypatch)
    assert run(harm())
