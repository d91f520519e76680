"""The dialogues of the Modbus specification, and how a frame is put together."""

from __future__ import annotations

from drivers.transport.link import Bank
from simulators.modbus import crc16

# The examples of V1.1b3, sections 6.1 to 6.12.
READS: list[tuple[Bank, int, int, str, str, list[int]]] = [
    ("holding", 0x6B, 3, "03 006B 0003", "03 06 022B 0000 0064", [555, 0, 100]),
    ("input", 8, 1, "04 0008 0001", "04 02 000A", [10]),
    ("coil", 0x13, 19, "01 0013 0013", "01 03 CD6B05", [
        1, 0, 1, 1, 0, 0, 1, 1, 1, 1, 0, 1, 0, 1, 1, 0, 1, 0, 1,
    ]),
    ("discrete", 0xC4, 22, "02 00C4 0016", "02 03 ACDB35", [
        0, 0, 1, 1, 0, 1, 0, 1, 1, 1, 0, 1, 1, 0, 1, 1, 1, 0, 1, 0, 1, 1,
    ]),
]  # fmt: skip
WRITES: list[tuple[Bank, int, list[int], str, str]] = [
    ("coil", 0xAC, [1], "05 00AC FF00", "05 00AC FF00"),
    ("holding", 1, [3], "06 0001 0003", "06 0001 0003"),
    ("coil", 0x13, [1, 0, 1, 1, 0, 0, 1, 1, 1, 0], "0F 0013 000A 02 CD01", "0F 0013 000A"),
    ("holding", 1, [10, 0x102], "10 0001 0002 04 000A 0102", "10 0001 0002"),
]


def frame(text: str, unit: int = 1) -> bytes:
    body = bytes([unit]) + bytes.fromhex(text)
    return body + crc16(body)
