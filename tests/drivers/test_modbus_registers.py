from __future__ import annotations

import math
from enum import Enum
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from drivers.errors import BadReply, DeviceError, OutOfRange, WrongType
from drivers.protocol.registers import (
    ACTIVE_LOW,
    BIT,
    F32,
    F64,
    I16,
    I32,
    I64,
    U16,
    U32,
    U64,
    Number,
    Order,
    text,
)

ORDERS: list[Order] = ["ABCD", "CDAB", "BADC", "DCBA"]
WHOLE = [U16, I16, U32, I32, U64, I64]
words = st.integers(0, 0xFFFF)


class Mode(Enum):
    OFF = 0
    HEAT = 1
    COOL = 7


@pytest.mark.parametrize("codec", WHOLE)
@pytest.mark.parametrize("order", ORDERS)
@given(data=st.data())
def test_registers_of_a_whole_number_survive_the_round_trip(
    codec: Number[int], order: Order, data: st.DataObject
) -> None:
    ordered = codec.ordered(order)
    registers = data.draw(st.lists(words, min_size=codec.size, max_size=codec.size))
    assert ordered.pack(ordered.unpack(registers)) == registers


@pytest.mark.parametrize("order", ORDERS)
@given(value=st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_floats_survive_the_round_trip(order: Order, value: float) -> None:
    assert F32.ordered(order).unpack(F32.ordered(order).pack(value)) == value
    assert F64.ordered(order).unpack(F64.ordered(order).pack(value)) == value


@pytest.mark.parametrize(
    ("order", "registers"),
    [
        ("ABCD", [0x4148, 0x0000]),
        ("CDAB", [0x0000, 0x4148]),
        ("BADC", [0x4841, 0x0000]),
        ("DCBA", [0x0000, 0x4841]),
    ],
)
def test_the_four_orders_of_twelve_and_a_half(order: Order, registers: list[int]) -> None:
    assert F32.ordered(order).pack(12.5) == registers
    assert F32.ordered(order).unpack(registers) == 12.5


@given(st.integers(-32768, 32767), st.sampled_from([1.0, 0.1, 0.01, 0.001, 0.5, 10.0]))
def test_scaled_numbers_survive_the_round_trip(raw: int, scale: float) -> None:
    codec = I16.times(scale)
    registers = [raw & 0xFFFF]
    assert codec.pack(codec.unpack(registers)) == registers


def test_a_scaled_number_is_the_decimal_that_the_device_shows() -> None:
    assert [I16.times(0.1).unpack([raw]) for raw in (3, 253, 1111)] == [0.3, 25.3, 111.1]
    assert I16.times(0.1).pack(0.1 + 0.2) == [3], "float rounding is no other step"


@given(st.floats(-3000, 3000))
def test_a_value_between_two_steps_is_refused_and_not_rounded(value: float) -> None:
    tenths = value * 10
    assume(abs(tenths - round(tenths)) > 1e-4)
    with pytest.raises(OutOfRange, match=r"not a multiple of 0\.1"):
        I16.times(0.1).pack(value)


@pytest.mark.parametrize(
    ("codec", "value"),
    [
        (U16, -1),
        (U16, 65536),
        (I16, 32768),
        (I16.times(0.1), 3276.8),
        (I16.times(0.1), -3276.9),
        (U32, 1 << 32),
        (F32, 1e39),
        (F32, math.nan),
        (F64, math.inf),
        (I16, math.inf),
    ],
)
def test_what_does_not_fit_is_refused_and_not_wrapped(codec: Number[Any], value: float) -> None:
    with pytest.raises(OutOfRange):
        codec.pack(value)


@pytest.mark.parametrize("registers", [[0x7FC0, 0], [0x7F80, 0], [0xFF80, 0]])
def test_a_float_that_is_no_number_is_a_fault_and_no_value(registers: list[int]) -> None:
    with pytest.raises(DeviceError, match="instead of a number"):
        F32.unpack(registers)


def test_a_sentinel_is_the_reason_why_there_is_no_value() -> None:
    codec = I16.sentinels({31000: "sensor open", -30000: "too cold"}).times(0.1)
    with pytest.raises(DeviceError, match="sensor open"):
        codec.unpack([31000])
    with pytest.raises(DeviceError, match="too cold"):
        codec.unpack([-30000 & 0xFFFF])
    assert codec.unpack([30999]) == 3099.9


def test_an_enum_takes_its_numbers_and_no_others() -> None:
    codec = U16.as_enum(Mode)
    assert [codec.unpack([number]) for number in (0, 1, 7)] == [Mode.OFF, Mode.HEAT, Mode.COOL]
    assert codec.pack(Mode.COOL) == [7]
    with pytest.raises(BadReply, match="2, which is none of 0, 1, 7"):
        codec.unpack([2])


def test_a_table_of_names_serves_as_an_enum() -> None:
    codec = U16.as_enum({0: "off", 7: "cool"})
    assert codec.unpack([7]).name == "cool"
    assert codec.pack(codec.unpack([7])) == [7]
    assert [member.name for member in codec.kind] == ["off", "cool"]


def test_bits() -> None:
    assert [BIT.unpack([bit]) for bit in (0, 1)] == [False, True]
    assert [ACTIVE_LOW.unpack([bit]) for bit in (0, 1)] == [True, False]
    assert ACTIVE_LOW.pack(True) == [0]
    assert [U16.bit(9).unpack([1 << at]) for at in (8, 9, 10)] == [False, True, False]
    with pytest.raises(WrongType, match="bit 9"):
        U16.bit(9).pack(True)


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=8))
def test_text_survives_the_round_trip(value: str) -> None:
    assert text(4).unpack(text(4).pack(value)) == value


def test_text_that_is_none_or_too_long_is_refused() -> None:
    with pytest.raises(BadReply, match="not ASCII"):
        text(1).unpack([0x4107])
    with pytest.raises(BadReply, match="not ASCII"):
        text(1).unpack([0x41E9])
    for value in ("abc", "é"):
        with pytest.raises(OutOfRange):
            text(1).pack(value)


def test_the_device_says_where_the_decimal_point_is() -> None:
    codec = I16.pointed(value=0, point=1, size=2)
    assert codec.asks
    assert [codec.unpack([2534, point]) for point in range(4)] == [2534.0, 253.4, 25.34, 2.534]
    assert codec.pack(25.3, [0, 1]) == [253]
    assert codec.pack(-25.3, [0, 2]) == [-2530 & 0xFFFF]
    with pytest.raises(OutOfRange, match="not a multiple of 1,"):
        codec.pack(25.3, [0, 0])
    with pytest.raises(BadReply, match="4 decimals"):
        codec.unpack([2534, 4])


def test_a_register_beside_the_value_can_forbid_it() -> None:
    codec = I16.pointed(value=0, point=1, size=3).refusing(2, {1: "it shows °F"})
    assert codec.unpack([253, 1, 0]) == 25.3
    with pytest.raises(DeviceError, match="°F"):
        codec.unpack([253, 1, 1])
    with pytest.raises(DeviceError, match="°F"):
        codec.pack(25.3, [253, 1, 1])
