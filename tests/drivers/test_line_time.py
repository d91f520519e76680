"""RS-485 adapters that echo what they send, and replies that begin before their request has left."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import BadReply, DriverError, LinkClosed, LinkTimeout
from drivers.transport.address import Address
from drivers.transport.line_time import Collision, Echoed, Timed
from drivers.transport.lines import Lines
from drivers.transport.link import Bank
from drivers.transport.modbus_bus import Unit
from drivers.transport.modbus_rtu import RtuBus
from simulators.modbus import RtuBus as Wires
from simulators.modbus_block import BlockDevice
from tests.drivers.modbus_examples import frame
from tests.drivers.modbus_line import QUICK, Line, WithoutEcho
from tests.drivers.virtual_time import run

CHARACTER = 11 / 9600
LARGE = BlockDevice(1, 0x1000)


class EchoingLine(Line):
    """A line whose adapter hands back what it sends, spoiled as the test wants it."""

    spoil: Callable[[bytes], bytes] = staticmethod(lambda data: data)

    def send_now(self, data: bytes) -> None:
        if self._is_open:
            self._deliver(asyncio.get_running_loop().time(), self.spoil(data))
        super().send_now(data)


def echoing(*units: BlockDevice) -> EchoingLine:
    return EchoingLine(Wires(units or (LARGE,)).handle)


@pytest.mark.parametrize("device", [BlockDevice(1, 0x1000), WithoutEcho(1, 0x1000)])
def test_with_the_option_an_echoing_adapter_is_as_good_as_any(device: BlockDevice) -> None:
    async def scenario() -> RtuBus:
        bus = RtuBus(Echoed(echoing(device), CHARACTER), baudrate=9600)
        async with bus.unit(1) as unit:
            assert await unit.fetch("input", 0x208, 3, QUICK) == [0x208, 0x209, 0x20A]
            await unit.store("holding", 7, [70], QUICK)
            await unit.mask(7, 0xFFFE, 1, QUICK)
            assert await unit.fetch("holding", 7, 1, QUICK) == [71]
        return bus

    counters = run(scenario()).counters
    assert (counters.timeouts, counters.bad_replies, counters.discarded) == (0, 0, 0)


def test_with_the_option_a_dead_unit_is_dead_although_its_write_comes_back() -> None:
    async def scenario() -> None:
        line = echoing()
        line.dead.add(1)
        async with RtuBus(Echoed(line, CHARACTER)).unit(1) as unit:
            with pytest.raises(LinkTimeout):
                await unit.store("holding", 7, [70], QUICK)

    run(scenario())


@given(st.integers(0, 7), st.integers(1, 255))
def test_an_echo_that_differs_in_one_byte_is_a_collision_and_nothing_is_believed(
    at: int, flip: int
) -> None:
    def collided(data: bytes) -> bytes:
        return data if data[1] == 8 else data[:at] + bytes([data[at] ^ flip]) + data[at + 1 :]

    async def scenario() -> RtuBus:
        line = echoing()
        line.spoil = collided
        bus = RtuBus(Echoed(line, CHARACTER))
        async with bus.unit(1) as unit:
            with pytest.raises(Collision, match="another master speaks"):
                await unit.store("holding", 7, [70], QUICK)
            with pytest.raises(Collision):
                await unit.fetch("input", 7, 1, QUICK)
            line.spoil = lambda data: data
            assert await unit.fetch("input", 7, 1, QUICK) == [7]
        return bus

    counters = run(scenario()).counters
    assert counters.bad_replies == 2
    assert counters.intrusions >= 2


def test_with_the_option_an_adapter_that_does_not_echo_is_named() -> None:
    async def scenario() -> None:
        line = Line(Wires([BlockDevice(1, 100)]).handle)
        line.dead.add(1)
        async with Echoed(line, CHARACTER) as link:
            with pytest.raises(LinkTimeout, match="echo=on, and of 8 bytes sent 0 came back"):
                await link.send(frame("04 0008 0001"))

    run(scenario())


READS = st.tuples(
    st.sampled_from(["input", "holding", "coil", "discrete"]),
    st.integers(0, 0xFFF - 125),
    st.integers(1, 125),
)


@given(READS)
def test_without_the_option_an_echoing_adapter_is_refused_and_never_read(
    read: tuple[Bank, int, int],
) -> None:
    refused_by_name(lambda unit: unit.fetch(*read, QUICK), echoing())


@given(READS)
def test_without_the_option_an_echo_is_no_unit_though_all_units_are_dead(
    read: tuple[Bank, int, int],
) -> None:
    line = echoing()
    line.dead.add(1)
    refused_by_name(lambda unit: unit.fetch(*read, QUICK), line)


def refused_by_name(ask: Callable[[Unit], asyncio.Future[object] | object], line: Line) -> None:
    async def scenario() -> None:
        async with RtuBus(line).unit(1) as unit:
            with pytest.raises(LinkClosed, match=r"adapter echoes .* echo=on to the addr"):
                await ask(unit)  # type: ignore[misc]

    run(scenario())


def test_bits_that_happen_to_be_their_own_request_are_not_believed_either() -> None:
    asked = frame("01 0308 0011")

    async def scenario() -> None:
        answers = {1: asked, 8: frame("88 01")}
        line = Line(lambda data: answers[data[1]])
        async with RtuBus(line).unit(1) as unit:
            with pytest.raises(LinkClosed, match="echo=on"):
                await unit.fetch("coil", 0x308, 17, QUICK)

    run(scenario())


def test_registers_that_look_like_the_beginning_of_their_request_are_values() -> None:
    async def scenario() -> None:
        device = BlockDevice(1, 0x1000)
        device.holding_registers[0x208] = 0x0800
        async with RtuBus(Line(Wires([device]).handle)).unit(1) as unit:
            assert await unit.fetch("holding", 0x208, 1, QUICK) == [0x0800]

    run(scenario())


def reply_after(seconds: float, link: type[Line] = Line) -> Line:
    class Prompt(link):  # type: ignore[misc,valid-type]
        def send_now(self, data: bytes) -> None:
            loop = asyncio.get_running_loop()
            if data[1] == 4:
                self._deliver(loop.time() + seconds, frame("04 02 0063"))
            else:
                super().send_now(data)

    return Prompt(Wires([WithoutEcho(1, 100)]).handle)


@pytest.mark.parametrize("seconds", [0.0, 3 * CHARACTER, 6 * CHARACTER])
def test_a_reply_that_begins_before_its_request_can_have_left_is_old(seconds: float) -> None:
    async def scenario() -> RtuBus:
        bus = RtuBus(Timed(reply_after(seconds), CHARACTER), baudrate=9600)
        async with bus.unit(1) as unit:
            with pytest.raises(LinkTimeout):
                await unit.fetch("input", 8, 1, QUICK)
            with pytest.raises((LinkTimeout, BadReply)):
                await unit.fetch("input", 9, 1, QUICK)
        return bus

    assert run(scenario()).counters.discarded >= 7


@pytest.mark.parametrize("seconds", [7 * CHARACTER, 8 * CHARACTER, 0.09])
def test_a_reply_as_early_as_can_be_is_believed(seconds: float) -> None:
    async def scenario() -> None:
        async with RtuBus(Timed(reply_after(seconds), CHARACTER), baudrate=9600).unit(1) as unit:
            assert await unit.fetch("input", 8, 1, QUICK) == [0x63]

    run(scenario())


def test_a_line_that_is_not_said_to_be_a_uart_may_be_as_fast_as_it_is() -> None:
    async def scenario() -> None:
        async with RtuBus(reply_after(0.0), baudrate=9600).unit(1) as unit:
            assert await unit.fetch("input", 8, 1, QUICK) == [0x63]

    run(scenario())


@pytest.mark.parametrize(
    ("options", "kind"), [("echo=on", Echoed), ("uart=on", Timed), ("echo=on&uart=on", Echoed)]
)
def test_the_address_says_what_the_adapter_does(options: str, kind: type[object]) -> None:
    unit = Lines().link(Address.parse(f"modbus+rtu:///dev/ttyUSB0?baudrate=9600&{options}"))
    assert isinstance(unit, Unit)
    assert isinstance(unit.bus.link, kind)


def test_neither_is_assumed() -> None:
    unit = Lines().link(Address.parse("modbus+rtu:///dev/ttyUSB0?echo=off&uart=off"))
    assert isinstance(unit, Unit)
    assert not isinstance(unit.bus.link, Echoed | Timed)


def test_a_link_lost_in_the_middle_of_an_echo_is_lost() -> None:
    async def scenario() -> None:
        line = Line(lambda _: b"")
        async with Echoed(line, CHARACTER) as link:
            asyncio.get_running_loop().call_later(0.01, line.cut)
            with pytest.raises(DriverError):
                await link.send(b"abc")

    run(scenario())
