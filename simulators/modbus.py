"""The slave side of Modbus on a serial line (RTU) and on TCP, from the specifications.

Sources: "MODBUS Application Protocol Specification V1.1b3" (functions, limits, exceptions),
"MODBUS over Serial Line Specification and Implementation Guide V1.02" (RTU frame, CRC,
broadcast), "MODBUS Messaging on TCP/IP Implementation Guide V1.0b" (MBAP header). It is written
by hand, so that it is a second reading beside the library that the drivers frame with.

Not simulated: the silence before a frame (3.5 characters), and the pauses inside one.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import Final, Protocol

from simulators.modbus_registers import ExceptionCode

__all__ = ["RtuBus", "TcpGateway", "Unit", "crc16"]

SILENCE: Final = 0.020
"""Seconds without a byte after which a receiver forgets what it has; 3.5 characters at 2400 baud
are 16 ms, and no faster line needs longer."""

# Bytes of a whole RTU request, address and CRC included, by function code (V1.1b3 section 6).
# Diagnostics (8) has a variable data field in the specification; every sub-function but the echo
# is defined with one word, and one word is what masters send.
_FIXED_LENGTH: Final = {
    **dict.fromkeys((1, 2, 3, 4, 5, 6, 8), 8),
    **dict.fromkeys((7, 11, 12, 17), 4),
    22: 10,
    24: 6,
    43: 7,
}
# Where the byte count stands in an RTU request that has one; data and CRC follow it.
_BYTE_COUNT_AT: Final = {15: 6, 16: 6, 20: 2, 21: 2, 23: 10}
_MINIMUM_FRAME: Final = 4
_MAXIMUM_FRAME: Final = 256

_MBAP: Final = struct.Struct(">HHHB")
_MBAP_LENGTHS: Final = range(2, 255)


class Unit(Protocol):
    """One addressed device behind a bus or a gateway: it answers requests, and time changes it."""

    @property
    def address(self) -> int:
        """Station address, 1 to 247 on a serial line, 0 to 255 on TCP."""
        ...

    @property
    def takes_broadcast(self) -> bool:
        """Whether it carries out writes that are sent to address 0."""
        ...

    def answer(self, pdu: bytes) -> bytes:
        """Carry out one request (function code and data) and return the PDU of the response."""
        ...

    def advance(self, dt: float) -> None:
        """Let `dt` seconds pass."""
        ...


class RtuBus:
    """An RS-485 line with one or many units, as seen from the master's end of the wire.

    A frame with a bad CRC is not answered, and what follows it is ignored until the line has
    been silent for `SILENCE`: that is how a receiver finds the beginning of a frame again.
    """

    def __init__(self, units: Sequence[Unit]) -> None:
        self._units = _by_address(units, range(1, 248))
        self._received = bytearray()
        self._garbled = False
        self._silent_for = 0.0

    def opened(self) -> bytes:
        """Forget a half-received frame; a slave says nothing by itself."""
        self._forget()
        return b""

    def handle(self, data: bytes) -> bytes:
        """Take bytes off the line in pieces of any size; return the frames that answer them."""
        self._silent_for = 0.0
        if not self._garbled:
            self._received += data
        return b"".join(self._answer(frame) for frame in self._frames())

    def advance(self, dt: float) -> bytes:
        """Let `dt` seconds without a byte pass, for the line and for every unit on it."""
        self._silent_for += dt
        if self._silent_for >= SILENCE:
            self._forget()
        for unit in self._units.values():
            unit.advance(dt)
        return b""

    def _answer(self, frame: bytes) -> bytes:
        address, pdu = frame[0], frame[1:-2]
        if address == 0:
            for listener in self._units.values():
                if listener.takes_broadcast:
                    listener.answer(pdu)
            return b""
        unit = self._units.get(address)
        if unit is None:
            return b""
        response = bytes([address]) + unit.answer(pdu)
        return response + crc16(response)

    def _frames(self) -> Iterator[bytes]:
        while (length := self._frame_length()) is not None:
            frame = bytes(self._received[:length])
            del self._received[:length]
            if crc16(frame[:-2]) != frame[-2:]:
                self._lose_track()
                return
            yield frame

    def _frame_length(self) -> int | None:
        """Length of the complete frame at the head of the buffer, or None while there is none."""
        if len(self._received) < _MINIMUM_FRAME:
            return None
        function = self._received[1]
        length = _FIXED_LENGTH.get(function)
        if length is None:
            count_at = _BYTE_COUNT_AT.get(function)
            if count_at is None:
                return self._length_by_crc()
            if len(self._received) <= count_at:
                return None
            length = count_at + 1 + self._received[count_at] + 2
        return length if len(self._received) >= length else None

    def _length_by_crc(self) -> int | None:
        """End of a frame whose function is unknown here, and which must still be refused.

        A real slave waits for silence; here the frame ends where its CRC is right.
        """
        for length in range(_MINIMUM_FRAME, min(len(self._received), _MAXIMUM_FRAME) + 1):
            if crc16(self._received[: length - 2]) == self._received[length - 2 : length]:
                return length
        if len(self._received) >= _MAXIMUM_FRAME:
            self._lose_track()
        return None

    def _lose_track(self) -> None:
        self._received.clear()
        self._garbled = True

    def _forget(self) -> None:
        self._received.clear()
        self._garbled = False
        self._silent_for = 0.0


class TcpGateway:
    """A Modbus TCP server with one or many units behind it, as seen on one connection.

    A unit identifier that nobody has is answered with exception 0x0B. Identifiers 0 and 255 are
    not special: a device that is reached directly is a unit with that address. Nothing is
    broadcast.
    """

    def __init__(self, units: Sequence[Unit]) -> None:
        self._units = _by_address(units, range(256))
        self._received = bytearray()
        self._lost = False

    def opened(self) -> bytes:
        """Begin a new connection with nothing received."""
        self._received.clear()
        self._lost = False
        return b""

    def handle(self, data: bytes) -> bytes:
        """Take a piece of the stream of requests; return the responses to those complete."""
        if not self._lost:
            self._received += data
        return b"".join(self._requests())

    def advance(self, dt: float) -> bytes:
        """Let `dt` seconds pass for every unit."""
        for unit in self._units.values():
            unit.advance(dt)
        return b""

    def _requests(self) -> Iterator[bytes]:
        while len(self._received) >= _MBAP.size:
            transaction, protocol, length, address = _MBAP.unpack_from(self._received)
            if length not in _MBAP_LENGTHS:
                # Where the next header begins is unknowable; a real server hangs up here.
                self._received.clear()
                self._lost = True
                return
            end = _MBAP.size - 1 + length
            if len(self._received) < end:
                return
            pdu = bytes(self._received[_MBAP.size : end])
            del self._received[:end]
            if protocol == 0:
                response = self._answer(address, pdu)
                yield _MBAP.pack(transaction, 0, len(response) + 1, address) + response

    def _answer(self, address: int, pdu: bytes) -> bytes:
        unit = self._units.get(address)
        if unit is None:
            return bytes([pdu[0] | 0x80, ExceptionCode.GATEWAY_TARGET_FAILED_TO_RESPOND])
        return unit.answer(pdu)


def crc16(frame: bytes | bytearray) -> bytes:
    """CRC-16 of an RTU frame, low byte first (serial line guide, section 6.2.2)."""
    crc = 0xFFFF
    for byte in frame:
        crc = (crc >> 8) ^ _CRC_OF_BYTE[(crc ^ byte) & 0xFF]
    return crc.to_bytes(2, "little")


def _crc_of_byte(value: int) -> int:
    for _ in range(8):
        value = (value >> 1) ^ 0xA001 if value & 1 else value >> 1
    return value


_CRC_OF_BYTE: Final = tuple(_crc_of_byte(value) for value in range(256))


def _by_address(units: Sequence[Unit], allowed: range) -> dict[int, Unit]:
    addressed: dict[int, Unit] = {}
    for unit in units:
        if unit.address not in allowed:
            raise ValueError(f"address {unit.address} is not {allowed[0]} to {allowed[-1]}")
        if unit.address in addressed:
            raise ValueError(f"two units have address {unit.address}")
        addressed[unit.address] = unit
    return addressed
