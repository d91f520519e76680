"""Some bits of a holding register as a value of their own, to set without touching the others.

Source: MODBUS Application Protocol Specification V1.1b3, 6.16 "Mask Write Register": the unit
itself makes the register (now AND and_mask) OR (or_mask AND NOT and_mask).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from drivers.errors import OutOfRange
from drivers.protocol.codec import Codec

T = TypeVar("T")

REGISTER_BITS: Final = 16


@dataclass(frozen=True)
class BitField(Codec[T]):
    """`width` bits from bit `first`, 0 being the least significant, taken as `inner` takes a register.

    Raises:
        ValueError: Such bits are not in one register, or `inner` is wider than one.
    """

    inner: Codec[T]
    first: int
    width: int
    by_mask: bool = True
    """Whether the unit changes the bits itself (function 22); else the register is rewritten."""
    size: int = 1

    def __post_init__(self) -> None:
        if not (self.first >= 0 and 1 <= self.width <= REGISTER_BITS - self.first):
            raise ValueError(f"{self.width} bits from bit {self.first} are not in one register")
        if self.inner.size != 1 or self.inner.asks:
            raise ValueError("a bit field holds what fits into one register by itself")

    @property
    def kind(self) -> type[T]:  # type: ignore[override]
        return self.inner.kind

    @property
    def asks(self) -> bool:  # type: ignore[override]
        return not self.by_mask

    @property
    def highest(self) -> int:
        """The largest number that the bits hold."""
        return (1 << self.width) - 1

    def unpack(self, registers: Sequence[int]) -> T:
        return self.inner.unpack([registers[0] >> self.first & self.highest])

    def pack(self, value: T, held: Sequence[int] = ()) -> list[int]:
        and_mask, or_mask = self.masks(value)
        return [held[0] & and_mask | or_mask]

    def masks(self, value: T) -> tuple[int, int]:
        """The AND mask, 0 in these bits alone, and the OR mask with the value. Raises OutOfRange."""
        (raw,) = self.inner.pack(value)
        if raw > self.highest:
            raise OutOfRange(f"{value} does not fit into {self.width} bits")
        return 0xFFFF ^ self.highest << self.first, raw << self.first
