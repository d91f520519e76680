"""How values lie in Modbus registers and bits: codecs, pure and without I/O.

    U16 I16 U32 I32 U64 I64 F32 F64     numbers; `.times(0.1)`, `.ordered("CDAB")`
    I16.sentinels({31000: "…"})         raw numbers that are not values but reasons for none
    U16.as_enum(Mode), U16.bit(9)       one of several states; one bit of many
    I16.pointed(value=0, point=1, …)    a number whose decimal point another register holds
    BIT, ACTIVE_LOW                     coils and discrete inputs
    text(10)                            ASCII, two characters to a register

`unpack` raises BadReply for what can't be such a value, and DeviceError where the device says
that it has none. `pack` raises OutOfRange for what the registers can't hold exactly.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from fractions import Fraction
from functools import cached_property
from typing import Any, Final, Literal, TypeVar, cast

from drivers.errors import BadReply, DeviceError, OutOfRange, WrongType
from drivers.protocol.codec import Codec

N = TypeVar("N", bound=float)
E = TypeVar("E", bound=Enum)

Order = Literal["ABCD", "CDAB", "BADC", "DCBA"]
"""The bytes of a 32-bit value as they arrive; ABCD has the most significant first."""

ROUNDING: Final = Fraction(1, 10**9)
"""How far, relatively, float arithmetic may have moved a value off the device's steps."""


@dataclass(frozen=True)
class Number(Codec[N]):
    """An integer or IEEE 754 number by its struct code, times `scale`."""

    code: str
    kind: type[N]
    size: int
    order: Order = "ABCD"
    scale: Fraction = Fraction(1)
    faults: Mapping[int, str] = field(default_factory=dict)

    def times(self, scale: float) -> Number[float]:
        """Count in steps of `scale`: `I16.times(0.1)` reads 253 as 25.3."""
        return Number(self.code, float, self.size, self.order, Fraction(str(scale)), self.faults)

    def ordered(self, order: Order) -> Number[N]:
        """Use another order of words and bytes."""
        return replace(self, order=order)

    def sentinels(self, faults: Mapping[int, str]) -> Number[N]:
        """Take these raw numbers for the reason why there is no value."""
        return replace(self, faults=faults)

    def as_enum(self, choices: type[E] | Mapping[int, str]) -> Choice[Enum]:
        """Take the number for one of an Enum's values, or of these names."""
        if isinstance(choices, Mapping):
            kind = Enum("Choice", {name: number for number, name in choices.items()})  # type: ignore[misc]
            return Choice(self, cast("type[Enum]", kind))
        return Choice(self, choices)

    def bit(self, number: int) -> RegisterBit:
        """Take one bit of the register, 0 being the least significant."""
        return RegisterBit(number)

    def pointed(self, *, value: int, point: int, size: int, most: int = 3) -> Pointed:
        """A number at offset `value` with as many decimals as offset `point` says, up to `most`."""
        return Pointed(self, value, point, size, most)

    def unpack(self, registers: Sequence[int]) -> N:
        raw = self._raw(registers)
        if raw in self.faults:
            raise DeviceError(self.faults[raw])
        if not math.isfinite(raw):
            raise DeviceError(f"the device reports {raw} instead of a number")
        if self._ratio is None:
            return cast(N, raw)
        times, over = self._ratio
        return cast(N, raw * times / over)

    @property
    def decoder(self) -> Callable[[Sequence[int]], N]:
        """Without the steps of `unpack` that a whole number with no sentinels does not need."""
        raw, ratio = self._raw, self._ratio
        if self.faults or self.code in "fd":
            return self.unpack
        if ratio is None:
            return raw
        times, over = ratio
        if self._is_straight and self.code == "H":  # the two commonest in one step
            return lambda registers: registers[0] * times / over  # type: ignore[return-value]
        if self._is_straight and self.code == "h":
            return lambda registers: ((registers[0] ^ 0x8000) - 0x8000) * times / over  # type: ignore[return-value]
        return lambda registers: raw(registers) * times / over

    @cached_property
    def _ratio(self) -> tuple[float, float] | None:
        """The scale to be multiplied and divided by; a Fraction's own are slow to reach.

        Whole numbers are divided once, so that 253 tenths are 25.3 and nothing beside it.
        """
        if self.scale == 1:
            return None
        if self.code in "fd":
            return float(self.scale), 1.0
        return self.scale.numerator, self.scale.denominator

    @property
    def _is_straight(self) -> bool:
        """Whether it is one register as it arrives."""
        return self.size == 1 and self.order == "ABCD"

    @cached_property
    def _raw(self) -> Callable[[Sequence[int]], Any]:
        """The number in the registers, without a detour by bytes for the two commonest kinds."""
        if self._is_straight and self.code == "H":
            return lambda registers: registers[0]
        if self._is_straight and self.code == "h":
            return lambda registers: (registers[0] ^ 0x8000) - 0x8000
        whole = struct.Struct(f">{self.code}")
        return lambda registers: whole.unpack(_swapped(registers, self.order))[0]

    def pack(self, value: N, held: Sequence[int] = ()) -> list[int]:
        if not math.isfinite(value):
            raise OutOfRange(f"{value} is not a number that can be sent")
        exact = Fraction(str(value)) / self.scale
        raw = float(exact) if self.code in "fd" else self._whole(value, exact)
        try:
            packed = struct.pack(f">{self.code}", raw)
        except (struct.error, OverflowError):
            raise OutOfRange(f"{value:.10g} does not fit into {16 * self.size} bits") from None
        words = struct.unpack(f">{self.size}H", packed)
        return list(struct.unpack(f">{self.size}H", _swapped(words, self.order)))

    def _whole(self, value: float, exact: Fraction) -> int:
        nearest = round(exact)
        if abs(exact - nearest) > ROUNDING * max(1, abs(nearest)):
            step = float(self.scale)
            raise OutOfRange(f"{value:.10g} is not a multiple of {step:.10g}, the device's step")
        return nearest


@dataclass(frozen=True)
class Choice(Codec[E]):
    """A number that stands for one member of an Enum."""

    number: Number[Any]
    kind: type[E]

    @property
    def size(self) -> int:  # type: ignore[override]
        return self.number.size

    def unpack(self, registers: Sequence[int]) -> E:
        raw = self.number.unpack(registers)
        try:
            return self.kind(raw)
        except ValueError:
            known = ", ".join(str(member.value) for member in self.kind)
            raise BadReply(f"the device reports {raw}, which is none of {known}") from None

    def pack(self, value: E, held: Sequence[int] = ()) -> list[int]:
        return self.number.pack(value.value)


@dataclass(frozen=True)
class Pointed(Codec[float]):
    """A number whose decimals the device decides, read together with it and so never apart."""

    number: Number[Any]
    value: int
    point: int
    size: int
    most: int
    kind: type[float] = float
    asks: bool = True

    def unpack(self, registers: Sequence[int]) -> float:
        own = registers[self.value : self.value + self.number.size]
        return self._scaled(registers).unpack(own)

    def pack(self, value: float, held: Sequence[int] = ()) -> list[int]:
        return self._scaled(held).pack(value)

    def _scaled(self, held: Sequence[int]) -> Number[float]:
        digits = held[self.point]
        if digits > self.most:
            raise BadReply(f"the device reports {digits} decimals; 0 to {self.most} are possible")
        return self._by_decimals[digits]

    @cached_property
    def _by_decimals(self) -> list[Number[float]]:
        return [self.number.times(10.0**-digits) for digits in range(self.most + 1)]


@dataclass(frozen=True)
class Bit(Codec[bool]):
    """A coil or discrete input; `active_low` ones are off when they are 1."""

    active_low: bool = False
    kind: type[bool] = bool
    size: int = 1

    def unpack(self, registers: Sequence[int]) -> bool:
        return bool(registers[0]) != self.active_low

    def pack(self, value: bool, held: Sequence[int] = ()) -> list[int]:
        return [int(value != self.active_low)]


@dataclass(frozen=True)
class RegisterBit(Codec[bool]):
    """One bit of a register, to read: writing it would write its neighbours too."""

    number: int
    kind: type[bool] = bool
    size: int = 1

    def unpack(self, registers: Sequence[int]) -> bool:
        return bool(registers[0] >> self.number & 1)

    def pack(self, value: bool, held: Sequence[int] = ()) -> list[int]:
        raise WrongType(f"bit {self.number} of a register can't be set by itself")


@dataclass(frozen=True)
class Text(Codec[str]):
    """ASCII, the first character in the high byte, filled up with NUL or spaces."""

    size: int
    kind: type[str] = str

    def unpack(self, registers: Sequence[int]) -> str:
        data = struct.pack(f">{self.size}H", *registers).rstrip(b"\0 ")
        spelled = data.replace(b"\0", b" ").decode("ascii", "replace")
        if not spelled.isascii() or not spelled.isprintable():
            raise BadReply(f"{data!r} is not ASCII text")
        return spelled

    def pack(self, value: str, held: Sequence[int] = ()) -> list[int]:
        if not value.isascii() or len(value) > 2 * self.size:
            raise OutOfRange(f"{value!r} is not ASCII of at most {2 * self.size} characters")
        data = value.encode("ascii").ljust(2 * self.size, b"\0")
        return list(struct.unpack(f">{self.size}H", data))


def text(size: int) -> Text:
    """ASCII over `size` registers."""
    return Text(size)


def _swapped(registers: Sequence[int], order: Order) -> bytes:
    """Return the bytes of these registers with the most significant first."""
    words = registers[::-1] if order in {"CDAB", "DCBA"} else registers
    layout = "<" if order in {"BADC", "DCBA"} else ">"
    return struct.pack(f"{layout}{len(words)}H", *words)


U16: Final = Number("H", int, 1)
I16: Final = Number("h", int, 1)
U32: Final = Number("I", int, 2)
I32: Final = Number("i", int, 2)
U64: Final = Number("Q", int, 4)
I64: Final = Number("q", int, 4)
F32: Final = Number("f", float, 2)
F64: Final = Number("d", float, 4)
BIT: Final = Bit()
ACTIVE_LOW: Final = Bit(active_low=True)
