"""What a codec of registers is, and one that gives no value while a register beside it forbids it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from drivers.errors import DeviceError

T = TypeVar("T")


class Codec(ABC, Generic[T]):
    """A value of type `kind` in `size` neighbouring registers or bits."""

    kind: type[T]
    size: int
    asks: bool = False
    """Whether `pack` needs what the registers hold at present."""

    @abstractmethod
    def unpack(self, registers: Sequence[int]) -> T:
        """Return the value. Raises BadReply or DeviceError."""

    @abstractmethod
    def pack(self, value: T, held: Sequence[int] = ()) -> list[int]:
        """Return the registers to write. Raises OutOfRange, or DeviceError because of `held`."""

    @property
    def decoder(self) -> Callable[[Sequence[int]], T]:
        """What does as `unpack`, and may be quicker where it is made once and called often."""
        return self.unpack

    def refusing(self, at: int, reasons: Mapping[int, str]) -> Refusing[T]:
        """Give no value while the register at offset `at` holds one of these numbers."""
        return Refusing(self, at, reasons)


@dataclass(frozen=True)
class Refusing(Codec[T]):
    """A codec that gives and takes no value while a register beside it says so."""

    inner: Codec[T]
    at: int
    reasons: Mapping[int, str]
    asks: bool = True

    @property
    def kind(self) -> type[T]:  # type: ignore[override]
        return self.inner.kind

    @property
    def size(self) -> int:  # type: ignore[override]
        return self.inner.size

    def unpack(self, registers: Sequence[int]) -> T:
        self._check(registers)
        return self.inner.unpack(registers)

    def pack(self, value: T, held: Sequence[int] = ()) -> list[int]:
        self._check(held)
        return self.inner.pack(value, held)

    def _check(self, registers: Sequence[int]) -> None:
        if registers[self.at] in self.reasons:
            raise DeviceError(self.reasons[registers[self.at]])
