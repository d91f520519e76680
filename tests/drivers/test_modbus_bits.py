"""Bits of a register that are settings of their own: changed by the unit itself, in one request."""

from __future__ import annotations

import asyncio
from enum import Enum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.driver import Driver
from drivers.errors import BadReply, DeviceError, LinkTimeout, OutOfRange, Unfinished
from drivers.protocol import modbus
from drivers.protocol.bit_field import BitField
from drivers.protocol.modbus import Modbus
from drivers.protocol.registers import ACTIVE_LOW, U16, U32
from drivers.transport.memory import Loopback
from drivers.transport.modbus import mask_request
from drivers.transport.modbus_bus import Bus, Unit
from drivers.transport.modbus_rtu import RtuBus
from drivers.transport.modbus_tcp import TcpBus
from simulators.modbus_block import BlockDevice
from tests.drivers.modbus_examples import frame
from tests.drivers.modbus_line import LOST, QUICK, Line, rtu_line, tcp_line
from tests.drivers.virtual_time import run

CONTROL = 0x102


class Mode(Enum):
    OFF = 0
    HEAT = 1
    COOL = 5


class Rig(Driver[Modbus]):
    """A rig that is switched by the bits of two registers."""

    fan = modbus.bit(CONTROL, 3, doc="Whether the fan runs.")
    valve = modbus.bit(CONTROL, 15, ACTIVE_LOW, doc="Whether the valve is open.")
    mode = modbus.bits(CONTROL, 4, 3, U16.as_enum(Mode), doc="What it does.")
    level = modbus.bits(CONTROL, 8, 4, U16, doc="Level.")
    lamp = modbus.bit(CONTROL + 1, 0, by_mask=False, doc="Whether the lamp is lit.")
    horn = modbus.bit(CONTROL + 1, 1, by_mask=False, doc="Whether the horn sounds.")


def bus_of(line: Line, *, tcp: bool) -> Bus:
    return TcpBus(line) if tcp else RtuBus(line)


def line_of(device: BlockDevice, *, tcp: bool) -> Line:
    return tcp_line(device) if tcp else rtu_line(device)


@pytest.mark.parametrize("tcp", [False, True])
@given(before=st.integers(0, 0xFFFF), on=st.booleans(), number=st.integers(0, 15))
def test_one_bit_is_set_and_no_other(before: int, on: bool, number: int, *, tcp: bool) -> None:
    device = BlockDevice(1, 0x200)
    device.holding_registers[CONTROL] = before
    line = line_of(device, tcp=tcp)
    ref = modbus.bit(CONTROL, number, doc="A bit.").ref

    async def scenario() -> None:
        async with bus_of(line, tcp=tcp).unit(1) as unit:
            wire = Modbus(unit, QUICK)
            await wire.write(ref, on)
            assert await wire.read([ref]) == [on]

    run(scenario())
    assert device.holding_registers[CONTROL] == before & ~(1 << number) | on << number
    assert len(line.requests(22)) == 1
    assert not line.requests(6), "nothing else was written"


@given(
    before=st.integers(0, 0xFFFF), first=st.integers(0, 15), width=st.integers(1, 16), data=st.data()
)  # fmt: skip
def test_a_field_of_bits_is_set_and_no_bit_beside_it(
    before: int, first: int, width: int, data: st.DataObject
) -> None:
    if first + width > 16:
        with pytest.raises(ValueError, match="not in one register"):
            BitField(U16, first, width)
        return
    field = BitField(U16, first, width)
    value = data.draw(st.integers(0, (1 << width) - 1))
    and_mask, or_mask = field.masks(value)
    after = (before & and_mask) | (or_mask & ~and_mask & 0xFFFF)  # as V1.1b3, 6.16 has it
    assert field.unpack([after]) == value
    assert after & and_mask == before & and_mask
    assert field.pack(value, [before]) == [after], "the same by rewriting"


def test_the_masks_of_the_specifications_example() -> None:
    assert mask_request(1, 4, 0xF2, 0x25).pdu == bytes.fromhex("16 0004 00F2 0025")
    device = BlockDevice(1, 8)
    device.holding_registers[4] = 0x12
    assert device.answer(bytes.fromhex("16 0004 00F2 0025")) == bytes.fromhex("16 0004 00F2 0025")
    assert device.holding_registers[4] == 0x17


@pytest.mark.parametrize("masks", [(-1, 0), (0x10000, 0), (0, -1), (0, 0x10000)])
def test_masks_that_are_no_16_bits_are_refused(masks: tuple[int, int]) -> None:
    with pytest.raises(OutOfRange):
        mask_request(1, 4, *masks)


async def test_a_driver_sets_states_and_numbers_in_bits() -> None:
    device = BlockDevice(1, 0x200)
    device.holding_registers[CONTROL] = 0
    async with RtuBus(rtu_line(device)).unit(1) as unit:
        rig = Rig.over(unit)
        await rig.mode.write(Mode.COOL)
        await rig.level.write(9)
        await rig.valve.write(False)
        await rig.fan.write(True)
        assert device.holding_registers[CONTROL] == 0x8000 | 9 << 8 | 5 << 4 | 1 << 3
        assert await rig.read(["mode", "level", "valve", "fan"]) == {
            "mode": Mode.COOL, "level": 9, "valve": False, "fan": True
        }  # fmt: skip
        with pytest.raises(OutOfRange, match="16"):
            await rig.level.write(16)


def test_what_does_not_fit_into_the_bits_is_no_declaration() -> None:
    with pytest.raises(ValueError, match="one register"):
        modbus.bits(CONTROL, 0, 16, U32, doc="Two registers.")
    with pytest.raises(OutOfRange, match="2 bits"):
        BitField(U16, 0, 2).masks(4)


@pytest.mark.parametrize(
    "reply",
    ["16 0102 FFF7 0000", "16 0103 FFF7 0008", "16 0102 FFFF 0008", "06 0102 0008", "16 0102 FFF7"],
)
def test_a_mask_write_confirmed_otherwise_is_not_confirmed(reply: str) -> None:
    answers = {8: frame("88 01"), 22: frame(reply)}

    async def scenario() -> None:
        async with RtuBus(Loopback(lambda asked: answers[asked[1]])).unit(1) as unit:
            with pytest.raises((BadReply, LinkTimeout)):
                await unit.mask(CONTROL, 0xFFF7, 8, QUICK)

    run(scenario())


def test_a_mask_write_without_an_answer_is_not_repeated() -> None:
    line = rtu_line(BlockDevice(1, 0x200))

    async def scenario() -> None:
        async with RtuBus(line).unit(1) as unit:
            rig = Rig.over(unit, timeouts={"first_byte": 0.1, "whole": 0.5})
            assert await rig.fan.read() is False
            line.fates = iter([LOST])
            with pytest.raises(LinkTimeout):
                await rig.fan.write(True)

    run(scenario())
    assert len(line.requests(22)) == 1


def test_two_of_ours_never_undo_each_other_where_the_register_is_rewritten() -> None:
    device = BlockDevice(1, 0x200)
    device.holding_registers[CONTROL + 1] = 0xFF00

    async def scenario() -> None:
        async with RtuBus(rtu_line(device)).unit(1) as unit:
            rig = Rig.over(unit)
            await asyncio.gather(rig.lamp.write(True), rig.horn.write(True))

    run(scenario())
    assert device.holding_registers[CONTROL + 1] == 0xFF03


def refusing(code: int, functions: frozenset[int]) -> BlockDevice:
    class Refusing(BlockDevice):
        def answer(self, pdu: bytes) -> bytes:
            if pdu[0] in functions:
                return bytes([pdu[0] | 0x80, code])
            return super().answer(pdu)

    return Refusing(1, 0x200)


@pytest.mark.parametrize("function", [6, 16, 22])
def test_a_write_that_was_accepted_and_goes_on_is_neither_done_nor_refused(function: int) -> None:
    line = rtu_line(refusing(5, frozenset({function})))

    async def write(unit: Unit) -> None:
        if function == 22:
            await unit.mask(CONTROL, 0, 0, QUICK)
        else:
            await unit.store("holding", CONTROL, [1] if function == 6 else [1, 2], QUICK)

    async def scenario() -> None:
        async with RtuBus(line).unit(1) as unit:
            with pytest.raises(Unfinished, match="has taken the change and not finished it"):
                await write(unit)
            assert await unit.fetch("holding", 1, 1, QUICK) == [1], "and the line is in step"

    run(scenario())
    assert len(line.requests(function)) == 1
    assert Unfinished.sent


def test_a_busy_device_says_that_it_has_not_begun() -> None:
    async def scenario() -> None:
        async with RtuBus(rtu_line(refusing(6, frozenset({6})))).unit(1) as unit:
            with pytest.raises(DeviceError, match="has not begun this one; ask again later"):
                await unit.store("holding", CONTROL, [1], QUICK)

    run(scenario())
