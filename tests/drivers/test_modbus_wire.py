from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.driver import Driver
from drivers.errors import BadReply, DeviceError, DriverError, LinkTimeout, OutOfRange, WrongType
from drivers.protocol import modbus
from drivers.protocol.blocks import Block, RegisterRef, runs
from drivers.protocol.codec import Codec
from drivers.protocol.modbus import Modbus
from drivers.protocol.registers import BIT, F32, I16, U16
from drivers.transport.link import Bank, Timeouts
from drivers.transport.modbus import MOST_READ, ExceptionReply
from drivers.wire import Ref, Wire


class Memory:
    """Registers that are worth their address, with holes and faults, and a log of requests."""

    def __init__(self, holes: Sequence[int] = (), fault: DriverError | None = None) -> None:
        self.holes, self.fault = set(holes), fault
        self.refused: set[tuple[Bank, int, int]] = set()
        self.held: dict[tuple[Bank, int], int] = {}
        self.log: list[tuple[object, ...]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Nothing to close."""

    async def fetch(self, bank: Bank, start: int, count: int, timeouts: Timeouts) -> list[int]:
        self.log.append((bank, start, count))
        if self.fault:
            raise self.fault
        if self.holes & set(range(start, start + count)):
            raise ExceptionReply(1, 4, 2)
        return [self.held.get((bank, at), at) for at in range(start, start + count)]

    async def store(
        self, bank: Bank, start: int, values: Sequence[int], timeouts: Timeouts
    ) -> None:
        self.log.append((bank, start, *values))
        self.held.update({(bank, start + i): value for i, value in enumerate(values)})

    async def mask(self, at: int, and_mask: int, or_mask: int, timeouts: Timeouts) -> None:
        self.log.append(("mask", at, and_mask, or_mask))
        self.held["holding", at] = self.held.get(("holding", at), at) & and_mask | or_mask


def wire(memory: Memory, **traits: int) -> Modbus:
    return Modbus(memory, Modbus.timeouts, **traits)


def refs(*addresses: int, codec: Codec[Any] = U16, bank: Bank = "input") -> list[RegisterRef[Any]]:
    return [modbus.ref(address, codec, bank) for address in addresses]


banks = st.sampled_from(sorted(MOST_READ))
blocks = st.lists(st.builds(Block, banks, st.integers(0, 400), st.integers(1, 4)), max_size=30)


@given(blocks, st.integers(0, 20), st.integers(4, 125))
def test_runs_hold_each_block_whole_and_keep_to_the_limits(
    wanted: list[Block], gap: int, most: int
) -> None:
    limits = dict.fromkeys(MOST_READ, most)
    found = runs(wanted, gap, limits)
    for block in wanted:
        assert any(
            run.bank == block.bank and run.start <= block.start and block.stop <= run.stop
            for run in found
        )
    assert all(run.size <= most for run in found)
    assert len(found) <= len(set(wanted))
    asked = {(b.bank, at) for b in wanted for at in range(b.start, b.stop)}
    for run in found:
        idle = 0
        for at in range(run.start, run.stop):
            idle = 0 if (run.bank, at) in asked else idle + 1
            assert idle <= gap


def test_neighbours_share_a_request_and_a_gap_is_read_along_only_if_allowed() -> None:
    apart = [Block("input", 0, 2), Block("input", 2, 1), Block("input", 5, 1)]
    assert runs(apart) == [("input", 0, 3), ("input", 5, 1)]
    assert runs(apart, gap=2) == [("input", 0, 6)]
    assert runs([Block("input", 0, 1), Block("holding", 1, 1)], gap=9) == [
        ("holding", 1, 1),
        ("input", 0, 1),
    ]


def test_a_pair_of_registers_is_never_torn_between_two_requests() -> None:
    pairs = [Block("input", at, 2) for at in range(0, 260, 2)]
    assert [run.size for run in runs(pairs)] == [124, 124, 12]


async def test_values_come_back_in_the_order_of_the_question() -> None:
    memory = Memory()
    assert await wire(memory).read(refs(3, 1, 2, 9, 1)) == [3, 1, 2, 9, 1]
    assert memory.log == [("input", 1, 3), ("input", 9, 1)]


async def test_a_device_with_small_replies_is_asked_in_small_parts() -> None:
    memory = Memory()
    assert await wire(memory, most=4).read(refs(*range(10))) == [*range(10)]
    assert [entry[2] for entry in memory.log] == [4, 4, 2]


async def test_a_block_with_a_hole_is_split_and_the_split_remembered() -> None:
    memory = Memory(holes=[2])
    modbus_wire = wire(memory, gap=3)
    question = refs(1, 3, 8)
    assert await modbus_wire.read(question) == [1, 3, 8]
    assert len(memory.log) == 4, "the block, its parts, and the one beyond the gap"
    memory.log.clear()
    assert await modbus_wire.read(question) == [1, 3, 8]
    assert memory.log == [("input", 1, 1), ("input", 3, 1), ("input", 8, 1)]


async def test_a_register_that_does_not_exist_fails_alone() -> None:
    first, second, third = await wire(Memory(holes=[2])).read(refs(1, 2, 3))
    assert (first, third) == (1, 3)
    assert isinstance(second, ExceptionReply)


async def test_a_value_that_can_not_be_understood_fails_alone() -> None:
    memory = Memory()
    question = [*refs(1), modbus.ref(2, U16.as_enum({0: "off"})), *refs(3)]
    first, second, third = await wire(memory).read(question)
    assert (first, third) == (1, 3)
    assert isinstance(second, BadReply)
    assert len(memory.log) == 1


async def test_a_refusal_is_the_answer_of_each_value_in_its_request() -> None:
    busy = ExceptionReply(1, 4, 6)
    assert await wire(Memory(fault=busy)).read(refs(1, 2)) == [busy, busy]


@pytest.mark.parametrize("fault", [LinkTimeout("late"), BadReply("noise")])
async def test_a_failing_link_is_no_answer_at_all(fault: DriverError) -> None:
    with pytest.raises(type(fault)):
        await wire(Memory(fault=fault)).read(refs(1, 2))


async def test_a_ref_of_another_protocol_is_refused() -> None:
    with pytest.raises(WrongType):
        await wire(Memory()).read([Ref(str, str)])


class Rig(Driver[Modbus]):
    """A rig with one of everything."""

    flow = modbus.reading(0x10, F32, unit="1", doc="Flow.")
    level = modbus.reading(0x20, I16.times(0.1), bank="holding", unit="mm", doc="Level.")
    target = modbus.setting(0x30, I16.times(0.1), unit="Cel", low=-40, high=180, doc="Target.")
    remote = modbus.setting(
        0x40, I16.pointed(value=0, point=1, size=2), read_at=0x50, low=0, high=9, doc="Remote."
    )
    heating = modbus.switch(3, doc="Whether it heats.")
    door = modbus.status_bit(4, doc="Whether the door is open.")


async def test_a_driver_reads_and_writes_where_it_says() -> None:
    memory = Memory()
    rig = Rig.over(memory)
    await rig.target.write(25.3)
    assert await rig.target.read() == 25.3
    await rig.heating.write(True)
    assert await rig.heating.read() is True
    assert await rig.level.read() == 3.2
    assert await rig.door.read() is True
    assert memory.log == [
        ("holding", 0x30, 253),
        ("holding", 0x30, 1),
        ("coil", 3, 1),
        ("coil", 3, 1),
        ("holding", 0x20, 1),
        ("discrete", 4, 1),
    ]


async def test_the_decimal_point_is_asked_before_a_value_is_written() -> None:
    memory = Memory()
    memory.held = {("input", 0x50): 0, ("input", 0x51): 2}
    rig = Rig.over(memory)
    await rig.remote.write(1.25)
    assert memory.log == [("input", 0x50, 2), ("holding", 0x40, 125)]


@pytest.mark.parametrize("value", [25.05, 180.1, -40.1])
async def test_what_the_device_can_not_take_exactly_is_not_sent(value: float) -> None:
    memory = Memory()
    with pytest.raises(OutOfRange):
        await Rig.over(memory).target.write(value)
    assert memory.log == []


async def test_many_values_are_read_in_few_requests() -> None:
    memory = Memory()
    values = await Rig.over(memory).read(["flow", "level", "target", "heating", "door"])
    assert list(values) == ["flow", "level", "target", "heating", "door"]
    assert not any(isinstance(value, DeviceError) for value in values.values())
    assert len(memory.log) == 5


async def test_it_is_a_wire_without_a_greeting() -> None:
    same: Wire = wire(Memory())
    assert await same.hello() == ""
    assert same.carried_by == "registers"
    assert modbus.ref(1, BIT) != modbus.ref(1, BIT), "refs of different fields are different"
