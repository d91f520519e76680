"""Modbus requests, and what a right answer to each looks like.

Source: MODBUS Application Protocol Specification V1.1b3 (sections 6 and 7 for functions and
exception codes), MODBUS over Serial Line V1.02 and MODBUS Messaging on TCP/IP V1.0b (frames).
Encoding and the frames of serial lines are pymodbus's. Pairing a reply with its request is ours,
for its client's way takes a late reply for a new one; so is what every poll over TCP passes.
"""

from __future__ import annotations

import struct
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from drivers.errors import BadReply, DeviceError, LinkClosed, OutOfRange
from drivers.transport.link import Bank

if TYPE_CHECKING:
    from pymodbus.framer import FramerBase
    from pymodbus.pdu import ModbusPDU

READ: Final[dict[Bank, int]] = {"coil": 1, "discrete": 2, "holding": 3, "input": 4}
MOST_READ: Final[dict[Bank, int]] = {"coil": 2000, "discrete": 2000, "holding": 125, "input": 125}
MOST_WRITTEN: Final[dict[Bank, int]] = {"coil": 1968, "holding": 123}
ECHO: Final = 8
MASK_WRITE: Final = 22
EXCEPTION: Final = 0x80
GATEWAY_PATH, GATEWAY_TARGET = 0x0A, 0x0B
ILLEGAL_ADDRESS, ILLEGAL_VALUE, ACKNOWLEDGE = 2, 3, 5
CUT_WHEN_REFUSED: Final = {ILLEGAL_ADDRESS, ILLEGAL_VALUE}
"""Refusals of a read that a part of it need not meet: a register is missing, or they are too many."""

MEANINGS: Final = {
    1: "illegal function: the device does not know this kind of request",
    2: "illegal data address: the device has no such register",
    3: "illegal data value: the device does not take this value or this number of registers",
    4: "device failure: it could not carry the request out",
    5: "acknowledge: the request is accepted and takes a long time",
    6: "device busy: it still carries out an earlier request, and has not begun this one; "
    "ask again later",
    7: "negative acknowledge: the device can't do this now",
    8: "memory parity error in the device",
    GATEWAY_PATH: "gateway path unavailable: the gateway is overloaded or misconfigured",
    GATEWAY_TARGET: "gateway target failed to respond: this unit is not on the bus, or is off",
}

Asked: TypeAlias = Coroutine[Any, Any, list[int]]
"""A request under way, to be awaited once: the registers or bits of its reply."""

REQUESTS: Final = 8192
"""Reads whose bytes are remembered: a poll asks for the same again and again."""


class ExceptionReply(DeviceError):
    """The unit, or a gateway before it, refused; `code` is Modbus's exception code."""

    def __init__(self, unit: int, function: int, code: int) -> None:
        meaning = MEANINGS.get(code, "a code of the maker's own")
        super().__init__(
            f"unit {unit} refused function {function} with exception {code} ({meaning})"
        )
        self.code = code


@dataclass(frozen=True, slots=True)
class Request:
    """One request to one unit. `reply_size` counts the function code and the data of its reply."""

    unit: int
    pdu: bytes
    reply_size: int
    count: int = 0

    @property
    def function(self) -> int:
        return self.pdu[0]

    def values(self, reply: bytes) -> list[int]:
        """Return the registers or bits (0, 1) of a reply; a confirmed write has none.

        Raises:
            BadReply: It can't be the answer to this request.
            ExceptionReply: The unit refused.
        """
        if len(reply) == 2 and reply[0] == self.function | EXCEPTION:
            raise ExceptionReply(self.unit, self.function, reply[1])
        if reply[0] != self.function or len(reply) != self.reply_size:
            raise BadReply(f"{reply[:8].hex(' ')}… does not answer {self.pdu.hex(' ')}")
        if not self.count:
            return self._confirmed(reply)
        if reply[1] != len(reply) - 2:
            raise BadReply(f"{len(reply) - 2} bytes of data came where {reply[1]} are announced")
        return self._decoded(reply)

    def _decoded(self, reply: bytes) -> list[int]:
        """Taken apart here and not by pymodbus, because it is done for every poll (6.1 to 6.4)."""
        if self.function in {1, 2}:
            return [reply[2 + n // 8] >> n % 8 & 1 for n in range(self.count)]
        return [*struct.unpack_from(f">{self.count}H", reply, 2)]

    def _confirmed(self, reply: bytes) -> list[int]:
        """Writes are answered with their address and value, or their address and quantity."""
        if reply != self.pdu[: self.reply_size]:
            raise BadReply(f"{reply.hex(' ')} confirms another write than {self.pdu.hex(' ')}")
        return []


@lru_cache(maxsize=REQUESTS)
def read_request(unit: int, bank: Bank, start: int, count: int) -> Request:
    """Ask for `count` neighbours from address `start`. Raises OutOfRange."""
    _check_range(bank, start, count, MOST_READ)
    function = READ[bank]
    asked = _pdus()[function][0](address=start, count=count)
    return Request(unit, _spelled(asked), reply_size(bank, count) - 3, count)


def reply_size(bank: Bank, count: int) -> int:
    """Bytes of the RTU frame that brings a block: unit, function, byte count, data and CRC."""
    return 5 + ((count + 7) // 8 if bank in {"coil", "discrete"} else 2 * count)


def write_request(unit: int, bank: Bank, start: int, values: Sequence[int]) -> Request:
    """Write registers (0 to 65535) or coils (0, 1) from address `start`. Raises OutOfRange.

    One value goes by function 5 or 6, several by 15 or 16.
    """
    _check_range(bank, start, len(values), MOST_WRITTEN)
    highest = 1 if bank == "coil" else 0xFFFF
    if any(not 0 <= value <= highest for value in values):
        raise OutOfRange(f"{list(values)} do not fit into {bank} cells of 0 to {highest}")
    function = (5 if bank == "coil" else 6) + (10 if len(values) > 1 else 0)
    ask = _pdus()[function][0]
    if bank == "coil":
        asked = ask(address=start, bits=[bool(value) for value in values])
    else:
        asked = ask(address=start, registers=list(values))
    return Request(unit, _spelled(asked), 5)


def mask_request(unit: int, address: int, and_mask: int, or_mask: int) -> Request:
    """Make a holding register `(now & and_mask) | (or_mask & ~and_mask)`, by the unit itself.

    Its reply is the request over again (V1.1b3 section 6.16). Raises OutOfRange.
    """
    _check_range("holding", address, 1, MOST_WRITTEN)
    if not (0 <= and_mask <= 0xFFFF and 0 <= or_mask <= 0xFFFF):
        raise OutOfRange(f"masks {and_mask:#x} and {or_mask:#x} do not fit into 16 bits")
    from pymodbus.pdu.register_message import MaskWriteRegisterRequest

    asked = MaskWriteRegisterRequest(address=address, and_mask=and_mask, or_mask=or_mask)
    return Request(unit, _spelled(asked), 7)


def echo_request(unit: int, nonce: int) -> Request:
    """Diagnostics, sub-function 0: the unit returns the query as it is (V1.1b3 section 6.8)."""
    return Request(unit, _spelled(_pdus()[ECHO][0](nonce)), 5)


class RtuFrames:
    """Unit, PDU, CRC: the frames of a serial line."""

    HEAD: Final = 5
    """Bytes of the shortest reply, an exception; no reply's length needs more to be known."""

    def __init__(self) -> None:
        from pymodbus.framer import FramerRTU
        from pymodbus.pdu import DecodePDU

        self._framer: FramerBase = FramerRTU(DecodePDU(False))

    def encode(self, request: Request) -> bytes:
        return self._framer.encode(request.pdu, request.unit, 0)

    def decode(self, frame: bytes) -> tuple[int, bytes]:
        """Return unit and PDU of exactly one frame. Raises BadReply."""
        if len(frame) < self.HEAD or len(frame) != self.size(frame):
            raise BadReply(f"{frame[:16].hex(' ')}… is not one whole frame")
        _, unit, _, pdu = self._framer.decode(frame)
        if not pdu or pdu != frame[1:-2]:  # the framer also looks for a frame further on
            raise BadReply(f"{frame[:16].hex(' ')}… has a wrong CRC")
        return unit, pdu

    def answer(self, frame: bytes, request: Request) -> tuple[int, bytes]:
        """Return unit and PDU of a frame that came after a request.

        A read that is answered by itself, byte for byte, has met an adapter that echoes: as an
        answer it would be a coincidence of bits, and it is not believed either way.

        Raises:
            BadReply: It is not one whole frame.
            LinkClosed: It is the request itself.
        """
        if len(frame) == len(request.pdu) + 3:
            self.refuse_echo(frame, request)
        try:
            return self.decode(frame)
        except BadReply:
            self.refuse_echo(frame, request)
            raise

    @staticmethod
    def refuse_echo(heard: bytes, request: Request) -> None:
        """Refuse what begins like the request to read after which it came. Raises LinkClosed."""
        asked = bytes([request.unit]) + request.pdu
        if request.count and heard[: len(asked)] == asked[: len(heard)]:
            raise LinkClosed(
                f"the request to unit {request.unit} itself came back: the RS-485 adapter echoes "
                "what it sends. Switch that off at the adapter, or add echo=on to the address"
            )

    @staticmethod
    def size(head: bytes) -> int:
        """Return the length of the reply that begins with these 5 bytes. Raises BadReply."""
        function = head[1]
        if function > EXCEPTION:
            return 5
        if function in READ.values():
            return 5 + head[2]
        if function == MASK_WRITE:
            return 10
        if function in {5, 6, 15, 16} or head[1:4] == bytes([ECHO, 0, 0]):
            return 8
        raise BadReply(f"{head[:5].hex(' ')}… is no reply to anything asked here")


class TcpFrames:
    """MBAP header and PDU: the frames of Modbus TCP."""

    HEADER: Final = 7
    _MBAP: Final = struct.Struct(">HHHB")  # transaction, protocol, length, unit
    _LENGTH: Final = struct.Struct(">HHH")
    _READ: Final = struct.Struct(">HHHBBB")  # and function, and the number of bytes that follow

    def encode(self, request: Request, transaction: int) -> bytes:
        return self._MBAP.pack(transaction, 0, len(request.pdu) + 1, request.unit) + request.pdu

    def head(self, request: Request, transaction: int) -> bytes:
        """How the reply begins that brings all that a read asks for; `reply_size` is its length."""
        size = request.reply_size
        return self._READ.pack(transaction, 0, size + 1, request.unit, request.function, size - 2)

    def decode(self, frame: bytes) -> tuple[int, int, bytes]:
        """Return transaction, unit and PDU of one whole frame. Raises BadReply."""
        transaction, protocol, length, unit = self._MBAP.unpack_from(frame)
        if protocol or length != len(frame) - 6 or length < 2:
            raise BadReply(f"{frame[:16].hex(' ')}… is no Modbus TCP frame")
        return transaction, unit, frame[7:]

    @classmethod
    def left(cls, header: bytes) -> int:
        """Return how many bytes follow this header. Raises BadReply when it can't be one."""
        _, protocol, length = cls._LENGTH.unpack_from(header)
        if protocol or not 3 <= length <= 254:  # unit, function and at least one byte; 253 of PDU
            raise BadReply(f"{header.hex(' ')} is no Modbus TCP header")
        return int(length) - 1


def _check_range(bank: Bank, start: int, count: int, most: dict[Bank, int]) -> None:
    if bank not in most:
        raise OutOfRange(f"{bank} cells can't be written")
    if not 1 <= count <= most[bank]:
        raise OutOfRange(f"{count} {bank} cells in one request; 1 to {most[bank]} are possible")
    if not 0 <= start <= 0x10000 - count:
        raise OutOfRange(f"{count} {bank} cells from {start} reach outside of 0 to 65535")


def _spelled(request: ModbusPDU) -> bytes:
    return bytes([request.function_code]) + request.encode()


@cache
def _pdus() -> dict[int, tuple[type[ModbusPDU], type[ModbusPDU]]]:
    """Request and response classes by function; importing them takes a tenth of a second."""
    from pymodbus.pdu import DecodePDU
    from pymodbus.pdu.diag_message import ReturnQueryDataRequest, ReturnQueryDataResponse

    echo = (ReturnQueryDataRequest, ReturnQueryDataResponse)
    known = (1, 2, 3, 4, 5, 6, 15, 16)
    return {**{code: DecodePDU.pdu_table[code] for code in known}, ECHO: echo}
