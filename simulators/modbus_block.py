"""A device without meaning: a block of registers, for tests of truth and of throughput."""

from __future__ import annotations

from functools import partial

from simulators.modbus_registers import Cell, RegisterMap

__all__ = ["BlockDevice"]


class BlockDevice:
    """Registers 0 to `count` - 1, holding and input, each worth its own address until written.

    A value read at the wrong address, or taken for the answer to another request, shows itself.
    Coils and discrete inputs of the same addresses hold the lowest bit of the address. Only
    coils and holding registers can be written; the inputs never change.
    """

    takes_broadcast = True

    def __init__(self, address: int, count: int) -> None:
        if not 1 <= count <= 0x10000:
            raise ValueError(f"a block has 1 to 65536 registers, not {count}")
        self.address = address
        self.holding_registers = list(range(count))
        self.coils = [i & 1 for i in range(count)]
        self._registers = RegisterMap(
            coils=_writable(self.coils),
            discrete_inputs={i: Cell(partial(int, i & 1)) for i in range(count)},
            input_registers={i: Cell(partial(int, i)) for i in range(count)},
            holding_registers=_writable(self.holding_registers),
        )

    def answer(self, pdu: bytes) -> bytes:
        """Carry out one request PDU."""
        return self._registers.answer(pdu)

    def advance(self, dt: float) -> None:
        """Time does not change a block."""


def _writable(values: list[int]) -> dict[int, Cell]:
    return {
        i: Cell(partial(values.__getitem__, i), partial(values.__setitem__, i))
        for i in range(len(values))
    }
