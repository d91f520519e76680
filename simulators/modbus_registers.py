"""What a Modbus device answers: the data model and functions of the application protocol.

Source: "MODBUS Application Protocol Specification V1.1b3", sections 4.3, 6 and 7; the order in
which a request is checked is that of the state diagrams of section 6.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

__all__ = ["ALL_FUNCTIONS", "Cell", "ExceptionCode", "Refusal", "RegisterMap"]

MAX_READ_BITS: Final = 2000
MAX_READ_REGISTERS: Final = 125
MAX_WRITE_BITS: Final = 1968
MAX_WRITE_REGISTERS: Final = 123
ALL_FUNCTIONS: Final = frozenset({1, 2, 3, 4, 5, 6, 8, 15, 16, 22})
"""The functions that `RegisterMap` knows. A device that has fewer says which."""

_COIL_OFF: Final = 0x0000
_COIL_ON: Final = 0xFF00
_RETURN_QUERY_DATA: Final = 0


class ExceptionCode(IntEnum):
    """The exception codes that a simulated device may answer with (V1.1b3 section 7)."""

    ILLEGAL_FUNCTION = 0x01
    ILLEGAL_DATA_ADDRESS = 0x02
    ILLEGAL_DATA_VALUE = 0x03
    SERVER_DEVICE_FAILURE = 0x04
    SERVER_DEVICE_BUSY = 0x06
    GATEWAY_TARGET_FAILED_TO_RESPOND = 0x0B


class Refusal(Exception):
    """A request that the device does not carry out, with the code it answers instead."""

    def __init__(self, code: ExceptionCode) -> None:
        super().__init__(code.name)
        self.code = code


@dataclass(frozen=True)
class Cell:
    """One coil, input or register: how the device reads it and, if it can, writes it.

    A bit is 0 or 1, a register 0 to 65535. Either function may raise `Refusal`.
    """

    read: Callable[[], int]
    write: Callable[[int], None] | None = None


Table = Mapping[int, Cell]
"""Cells by their protocol address, from 0 (the manuals' 40001 is 0)."""

_EMPTY: Final[Table] = {}


class RegisterMap:
    """Answers requests from four tables of cells.

    A cell that is missing, and a write to a cell that cannot be written, is exception 2. Where
    a later one of several written values is refused, the earlier ones stay written.
    """

    def __init__(
        self,
        *,
        coils: Table = _EMPTY,
        discrete_inputs: Table = _EMPTY,
        input_registers: Table = _EMPTY,
        holding_registers: Table = _EMPTY,
        functions: frozenset[int] = ALL_FUNCTIONS,
    ) -> None:
        self._coils = coils
        self._holding = holding_registers
        services: dict[int, Callable[[bytes], bytes]] = {
            1: lambda body: _read_bits(coils, body),
            2: lambda body: _read_bits(discrete_inputs, body),
            3: lambda body: _read_registers(holding_registers, body),
            4: lambda body: _read_registers(input_registers, body),
            5: self._write_coil,
            6: self._write_register,
            8: _diagnose,
            15: self._write_coils,
            16: self._write_registers,
            22: self._mask_write,
        }
        self._services = {code: services[code] for code in functions}

    def answer(self, pdu: bytes) -> bytes:
        """Carry out a request of at least one byte; return the response or exception PDU."""
        function, body = pdu[0], pdu[1:]
        try:
            if function not in self._services:
                raise Refusal(ExceptionCode.ILLEGAL_FUNCTION)
            return bytes([function]) + self._services[function](body)
        except Refusal as refusal:
            return bytes([function | 0x80, refusal.code])

    def _write_coil(self, body: bytes) -> bytes:
        address, value = _words(body, 2)
        if value not in (_COIL_OFF, _COIL_ON):
            raise Refusal(ExceptionCode.ILLEGAL_DATA_VALUE)
        _write_all(self._coils, address, [int(value == _COIL_ON)])
        return body

    def _write_register(self, body: bytes) -> bytes:
        address, value = _words(body, 2)
        _write_all(self._holding, address, [value])
        return body

    def _write_coils(self, body: bytes) -> bytes:
        address, quantity, data = _counted(body)
        if not 1 <= quantity <= MAX_WRITE_BITS or len(data) != (quantity + 7) // 8:
            raise Refusal(ExceptionCode.ILLEGAL_DATA_VALUE)
        packed = int.from_bytes(data, "little")
        _write_all(self._coils, address, [packed >> i & 1 for i in range(quantity)])
        return body[:4]

    def _write_registers(self, body: bytes) -> bytes:
        address, quantity, data = _counted(body)
        if not 1 <= quantity <= MAX_WRITE_REGISTERS:
            raise Refusal(ExceptionCode.ILLEGAL_DATA_VALUE)
        _write_all(self._holding, address, _words(data, quantity))
        return body[:4]

    def _mask_write(self, body: bytes) -> bytes:
        address, and_mask, or_mask = _words(body, 3)
        (cell,) = _cells(self._holding, address, 1)
        masked = (cell.read() & and_mask) | (or_mask & ~and_mask & 0xFFFF)
        _write_all(self._holding, address, [masked])
        return body


def _read_bits(table: Table, body: bytes) -> bytes:
    cells = _cells(table, *_range(body, MAX_READ_BITS))
    packed = sum(cell.read() << i for i, cell in enumerate(cells))
    count = (len(cells) + 7) // 8
    return bytes([count]) + packed.to_bytes(count, "little")


def _read_registers(table: Table, body: bytes) -> bytes:
    cells = _cells(table, *_range(body, MAX_READ_REGISTERS))
    values = [cell.read() for cell in cells]
    return struct.pack(f">B{len(values)}H", 2 * len(values), *values)


def _diagnose(body: bytes) -> bytes:
    sub_function, _data = _words(body, 2)
    if sub_function != _RETURN_QUERY_DATA:
        raise Refusal(ExceptionCode.ILLEGAL_FUNCTION)
    return body


def _range(body: bytes, most: int) -> tuple[int, int]:
    start, quantity = _words(body, 2)
    if not 1 <= quantity <= most:
        raise Refusal(ExceptionCode.ILLEGAL_DATA_VALUE)
    return start, quantity


def _counted(body: bytes) -> tuple[int, int, bytes]:
    """Address, quantity and data of a multiple write whose byte count is true."""
    if len(body) < 5 or len(body) != 5 + body[4]:
        raise Refusal(ExceptionCode.ILLEGAL_DATA_VALUE)
    address, quantity = struct.unpack_from(">HH", body)
    return address, quantity, body[5:]


def _words(body: bytes, count: int) -> tuple[int, ...]:
    if len(body) != 2 * count:
        raise Refusal(ExceptionCode.ILLEGAL_DATA_VALUE)
    return struct.unpack(f">{count}H", body)


def _cells(table: Table, start: int, quantity: int) -> list[Cell]:
    addresses = range(start, start + quantity)
    if any(address not in table for address in addresses):
        raise Refusal(ExceptionCode.ILLEGAL_DATA_ADDRESS)
    return [table[address] for address in addresses]


def _write_all(table: Table, start: int, values: Sequence[int]) -> None:
    """Write neighbouring cells, and none of them if one does not exist or cannot be written."""
    writes = [cell.write for cell in _cells(table, start, len(values))]
    if None in writes:
        raise Refusal(ExceptionCode.ILLEGAL_DATA_ADDRESS)
    for write, value in zip(writes, values, strict=True):
        if write is not None:
            write(value)
