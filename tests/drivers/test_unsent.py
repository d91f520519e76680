"""A write of which not one byte was handed over is told as not sent, whatever the link suffers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from drivers.errors import DriverError, LinkClosed, LinkTimeout
from drivers.protocol.scpi_wire import Scpi, ScpiRef
from drivers.transport.line_time import Collision, Echoed
from drivers.transport.memory import Loopback
from drivers.transport.modbus_rtu import RtuBus
from drivers.transport.modbus_tcp import TcpBus
from tests.drivers.gcode_board import Board, wire
from tests.drivers.modbus_line import PROMPT, QUICK, TOO_LATE, Line, rtu_line, tcp_line
from tests.drivers.virtual_time import run


async def failure(work: Awaitable[object]) -> DriverError:
    with pytest.raises(DriverError) as raised:
        await work
    return raised.value


@pytest.mark.parametrize("bus", [lambda: RtuBus(rtu_line()), lambda: TcpBus(tcp_line())])
def test_a_write_to_a_bus_that_is_known_to_be_lost(bus: Callable[[], RtuBus | TcpBus]) -> None:
    async def scenario() -> None:
        made = bus()
        async with made.unit(1) as unit:
            await unit.fetch("input", 1, 1, QUICK)
            made.link.cut()  # type: ignore[attr-defined]  # a Line
            with pytest.raises(LinkClosed):
                await unit.fetch("input", 1, 1, QUICK)
            assert not (await failure(unit.store("holding", 1, [2], QUICK))).sent

    run(scenario())


def test_a_first_write_to_a_unit_that_can_t_even_be_greeted() -> None:
    line = rtu_line()

    async def scenario() -> None:
        async with RtuBus(line).unit(1) as unit:
            line.cut()
            assert not (await failure(unit.store("holding", 1, [2], QUICK))).sent

    run(scenario())


def test_a_write_that_waited_for_a_fence_on_a_line_that_was_lost() -> None:
    line = rtu_line(fates=[PROMPT, PROMPT, TOO_LATE])

    async def scenario() -> None:
        async with RtuBus(line).unit(1) as unit:
            await _falls_into_doubt(unit.fetch)
            line.cut()
            told = await failure(unit.store("holding", 1, [2], QUICK))
            assert isinstance(told, LinkClosed)
            assert not told.sent

    run(scenario())


async def _falls_into_doubt(fetch: Callable[..., Awaitable[object]]) -> None:
    await fetch("input", 1, 1, QUICK)
    with pytest.raises(LinkTimeout):
        await fetch("input", 2, 1, QUICK)


class _Jammed(Line):
    """A line with an adapter that echoes; while `jam` is set somebody else sends as well."""

    jam = False

    def send_now(self, data: bytes) -> None:
        self.unasked(bytes(byte ^ 0x55 for byte in data) if self.jam else data)
        super().send_now(data)


def test_a_write_that_waited_for_a_fence_in_a_collision() -> None:
    line = _Jammed(rtu_line()._handle, [PROMPT, PROMPT, TOO_LATE])

    async def scenario() -> None:
        async with RtuBus(Echoed(line, 1e-4)).unit(1) as unit:
            await _falls_into_doubt(unit.fetch)
            line.jam = True
            told = await failure(unit.store("holding", 1, [2], QUICK))
            assert isinstance(told, Collision)
            assert not told.sent

    run(scenario())
    assert not line.requests(6)


class _Lost(Loopback):
    """A link that tells of each message after the end that it was not sent, as a port does."""

    is_lost = False

    def send_now(self, data: bytes) -> None:
        if self.is_lost:
            raise LinkClosed("the port is closed").unsent()
        super().send_now(data)


async def test_a_line_that_was_sent_is_not_told_as_unsent_when_its_fence_can_t_be() -> None:
    board = Board()
    async with _Lost(board.handle) as link:
        printer = wire(link)
        await printer.hello()

        def last_words(_: bytes) -> bytes:
            link.is_lost = True
            return b""

        board.spoil = last_words
        assert (await failure(printer.command("M140 S60"))).sent
    assert "M140 S60" in board.taken


async def test_a_setting_that_was_sent_is_not_told_as_unsent_when_it_can_t_be_read_back() -> None:
    def answer(data: bytes) -> bytes:
        if data == b"VOLT 5\n":
            link.is_lost = True
        return b""

    ref = ScpiRef(float, "{:g}".format, "VOLT?", "VOLT", confirm=True)
    async with _Lost(answer) as link:
        assert (await failure(Scpi(link, QUICK, ask_errors=False).write(ref, 5.0))).sent
