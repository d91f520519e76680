"""What is asked for together: blocks are cut where the device refuses, and values never torn."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, Self

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.protocol import modbus
from drivers.protocol.blocks import Block, RegisterRef, Run, halves
from drivers.protocol.modbus import Modbus
from drivers.protocol.registers import F32, F64, I32, I64, U16, U32, U64, Number, Order
from drivers.transport.link import Bank, Timeouts
from drivers.transport.modbus import ExceptionReply
from drivers.transport.modbus_rtu import RtuBus
from drivers.transport.modbus_tcp import TcpBus
from simulators.modbus_block import BlockDevice
from tests.drivers.modbus_line import QUICK, rtu_line, tcp_line
from tests.drivers.virtual_time import run

WIDE: dict[str, Number[Any]] = {
    "I": U32, "i": I32, "Q": U64, "q": I64, "f": F32, "d": F64
}  # fmt: skip
ORDERS: list[Order] = ["ABCD", "CDAB", "BADC", "DCBA"]


class Holed:
    """Registers worth their address; it refuses every request with a hole in it, or too long."""

    def __init__(self, holes: Sequence[int], most: int = 125) -> None:
        self.holes, self.most = set(holes), most
        self.refused: set[tuple[Bank, int, int]] = set()
        self.log: list[tuple[int, int]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Nothing to close."""

    async def fetch(self, bank: Bank, start: int, count: int, timeouts: Timeouts) -> list[int]:
        self.log.append((start, count))
        if count > self.most:
            raise ExceptionReply(1, 4, 3)
        if self.holes & set(range(start, start + count)):
            raise ExceptionReply(1, 4, 2)
        return [*range(start, start + count)]

    async def store(
        self, bank: Bank, start: int, values: Sequence[int], timeouts: Timeouts
    ) -> None:
        raise NotImplementedError

    async def mask(self, at: int, and_mask: int, or_mask: int, timeouts: Timeouts) -> None:
        raise NotImplementedError


def refs(addresses: Sequence[int]) -> list[RegisterRef[Any]]:
    return [modbus.ref(address, U16) for address in addresses]


def asked_of(device: Holed) -> list[tuple[int, int]]:
    log, device.log = device.log, []
    return log


@given(
    st.lists(st.integers(0, 60), min_size=1, max_size=40, unique=True),
    st.sets(st.integers(0, 60), max_size=8),
    st.integers(0, 5),
)
async def test_whatever_is_missing_the_others_come_and_the_second_time_without_a_search(
    wanted: list[int], holes: set[int], gap: int
) -> None:
    device = Holed([*holes])
    wire = Modbus(device, QUICK, gap=gap)
    question = refs(wanted)
    for attempt in range(2):
        values = await wire.read(question)
        for address, value in zip(wanted, values, strict=True):
            assert isinstance(value, ExceptionReply) if address in holes else value == address
        asked = asked_of(device)
        if attempt:
            in_vain = [block for block in asked if holes & set(range(block[0], sum(block)))]
            assert in_vain == sorted((hole, 1) for hole in holes & set(wanted))


async def test_one_missing_register_of_many_costs_few_requests_and_stays_found() -> None:
    device = Holed([37])
    wire = Modbus(device, QUICK)
    question = refs(range(64))
    await wire.read(question)
    assert len(asked_of(device)) <= 2 * 6 + 1, "twice the logarithm, where one by one takes 65"
    await wire.read(question)
    assert len(asked_of(device)) <= 7


async def test_what_was_found_out_serves_other_questions_and_the_next_connection() -> None:
    device = Holed([5])
    await Modbus(device, QUICK, gap=2).read(refs([4, 6]))
    asked_of(device)
    again = Modbus(device, QUICK, gap=2)
    assert await again.read(refs([3, 4, 6, 7])) == [3, 4, 6, 7]
    assert asked_of(device) == [(3, 2), (6, 2)]


async def test_a_device_that_gives_few_registers_at_once_is_asked_for_fewer() -> None:
    device = Holed([], most=10)
    wire = Modbus(device, QUICK)
    assert await wire.read(refs(range(32))) == [*range(32)]
    asked_of(device)
    assert await wire.read(refs(range(32))) == [*range(32)]
    assert max(count for _, count in asked_of(device)) <= 10


def test_a_device_that_refused_while_it_started_is_asked_for_all_at_once_again() -> None:
    link = Holed([2, 3, 4])
    wire = Modbus(link, QUICK)
    asked = [modbus.ref(address, U16) for address in (2, 3, 4)]

    async def scenario() -> None:
        assert all(isinstance(value, ExceptionReply) for value in await wire.read(asked))
        link.holes.clear()
        for _ in range(2):
            assert await wire.read(asked) == [2, 3, 4]
        link.log.clear()
        assert await wire.read(asked) == [2, 3, 4]

    run(scenario())
    assert link.log == [(2, 3)]


def test_a_gap_is_cut_before_values_are() -> None:
    members = tuple(enumerate(refs([0, 1, 2, 3, 4, 9])))
    first, second = halves(Run(Block("input", 0, 10), members))
    assert (first.block, second.block) == (("input", 0, 5), ("input", 9, 1))
    first, second = halves(first)
    assert (first.block, second.block) in {
        (("input", 0, 2), ("input", 2, 3)),
        (("input", 0, 3), ("input", 3, 2)),
    }


@pytest.mark.parametrize("bus", [RtuBus, TcpBus])
def test_a_unit_that_connects_anew_is_not_found_out_again(bus: type[RtuBus | TcpBus]) -> None:
    class Gapped(BlockDevice):
        def answer(self, pdu: bytes) -> bytes:
            if pdu[0] == 4:
                start, count = struct.unpack_from(">HH", pdu, 1)
                asked.append((start, count))
                if start <= 5 < start + count:
                    return bytes([0x84, 2])
            return super().answer(pdu)

    asked: list[tuple[int, int]] = []
    device = Gapped(1, 100)
    shared = bus(rtu_line(device) if bus is RtuBus else tcp_line(device))

    async def connection() -> list[Any]:
        asked.clear()
        async with shared.unit(1) as unit:
            return await Modbus(unit, QUICK, gap=3).read(refs([4, 6]))

    async def scenario() -> None:
        assert await connection() == [4, 6]
        assert asked == [(4, 3), (4, 1), (6, 1)]
        assert await connection() == [4, 6]
        assert asked == [(4, 1), (6, 1)]

    run(scenario())


class Restless(BlockDevice):
    """Between two requests every register takes another value, the same in all of them."""

    def answer(self, pdu: bytes) -> bytes:
        now = (self.holding_registers[0] + 0x0101) & 0x3FFF  # below the exponents without a number
        self.holding_registers[:] = [now] * len(self.holding_registers)
        return super().answer(pdu)


@given(
    codecs=st.lists(st.sampled_from(sorted(WIDE)), min_size=1, max_size=40),
    order=st.sampled_from(ORDERS),
    most=st.integers(4, 125),
    gap=st.integers(0, 3),
)
def test_a_value_of_several_registers_is_never_half_old(
    codecs: list[str], order: Order, most: int, gap: int
) -> None:
    question: list[RegisterRef[Any]] = []
    address = 0
    for code in codecs:
        codec = WIDE[code].ordered(order)
        question.append(modbus.ref(address, codec, "holding"))
        address += codec.size
    device = Restless(1, address)

    async def scenario() -> list[Any]:
        async with RtuBus(rtu_line(device)).unit(1) as unit:
            return await Modbus(unit, QUICK, gap=gap, most=most).read(question)

    for ref, value in zip(question, run(scenario()), strict=True):
        words = ref.codec.pack(value)
        assert len(set(words)) == 1, f"{words} are of different moments"


LAID_OUT = {
    "ABCD": bytes(range(1, 9)),
    "DCBA": bytes(range(8, 0, -1)),
    "CDAB": bytes([7, 8, 5, 6, 3, 4, 1, 2]),
    "BADC": bytes([2, 1, 4, 3, 6, 5, 8, 7]),
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("code", sorted(WIDE))
def test_the_bytes_of_32_and_64_bits_lie_as_the_order_says(order: Order, code: str) -> None:
    codec = WIDE[code]
    size = struct.calcsize(code)
    laid_out = bytes(number for number in LAID_OUT[order] if number <= size)
    (value,) = struct.unpack(f">{code}", bytes(range(1, size + 1)))
    registers = list(struct.unpack(f">{size // 2}H", laid_out))
    assert codec.ordered(order).unpack(registers) == value
    assert codec.ordered(order).pack(value) == registers
