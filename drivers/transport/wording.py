"""What was on a wire, in words: text with its control characters spelled, Modbus frames decoded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from drivers.transport.recorder import Kind

LONGEST_TEXT: Final = 400
"""Characters; the bytes beside it are whole."""
READABLE: Final = 0.7
"""Part of the bytes that must be printable ASCII for them to be called text."""

READS: Final = {1: "coils", 2: "discrete inputs", 3: "holding registers", 4: "input registers"}
WRITES: Final = {5: "coil", 6: "register", 15: "coils", 16: "registers"}
BIT_READS: Final = {1, 2}
MBAP: Final = 7
"""Bytes of the header of Modbus TCP, of which the last is the unit."""


def words_for(scheme: str) -> Callable[[bytes, Kind], str]:
    """How to word the bytes of a line of this kind, such as "modbus+rtu"; "" is better left as hex."""
    if scheme == "modbus+tcp":
        return _tcp_frame
    if scheme.startswith("modbus+rtu"):
        return _rtu_frame
    return _text


def _text(data: bytes, _: Kind) -> str:
    """The bytes as text, control characters spelled; "" where most of them are no text."""
    readable = sum(byte in b"\r\n\t" or 32 <= byte < 127 for byte in data)
    if not data or readable < READABLE * len(data):
        return ""
    spelled = data.decode("latin-1").encode("unicode_escape").decode("ascii")
    return spelled if len(spelled) <= LONGEST_TEXT else f"{spelled[:LONGEST_TEXT]}…"


def _rtu_frame(data: bytes, kind: Kind) -> str:
    if len(data) < 4:
        return ""
    if _crc(data[:-2]) != int.from_bytes(data[-2:], "little"):
        return f"unit {data[0]}?: no whole frame, or a wrong CRC"
    return f"unit {data[0]}: {_pdu(data[1:-2], kind)}"


def _tcp_frame(data: bytes, kind: Kind) -> str:
    if len(data) <= MBAP or int.from_bytes(data[4:6]) != len(data) - 6:
        return ""
    return f"#{int.from_bytes(data[:2])} unit {data[6]}: {_pdu(data[MBAP:], kind)}"


def _pdu(pdu: bytes, kind: Kind) -> str:
    """A request that was sent, or a reply that was received (MODBUS V1.1b3 section 6)."""
    function = pdu[0]
    if function > 0x80 and len(pdu) == 2:
        return f"refuses function {function - 0x80} with exception {pdu[1]}"
    words = _number(pdu[1:3]), _number(pdu[3:5])
    if function in READS and kind == "sent":
        return f"read {words[1]} {READS[function]} from {words[0]}"
    if function in READS:
        return _values(function, pdu[2:])
    if function in WRITES:
        done = "write" if kind == "sent" else "wrote"
        what = f"{words[1]} " if function > 6 else ""
        value = "" if function > 6 else f" = {words[1]}"
        return f"{done} {what}{WRITES[function]} at {words[0]}{value}"
    if function == 8 and len(pdu) == 5:
        return f"echo {pdu[3:5].hex()}"
    return f"function {function}, {len(pdu) - 1} bytes"


def _values(function: int, data: bytes) -> str:
    if function in BIT_READS:
        return "bits " + " ".join(f"{byte:08b}"[::-1] for byte in data)
    return "registers " + " ".join(str(_number(data[i : i + 2])) for i in range(0, len(data), 2))


def _number(data: bytes) -> int:
    return int.from_bytes(data)


def _crc(data: bytes) -> int:
    """CRC-16 of a frame (MODBUS over Serial Line V1.02, 6.2.2)."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc
