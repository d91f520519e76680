"""What is done for every poll has short ways of its own: they give what the long ways give."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.framer import FramerSocket
from pymodbus.pdu import DecodePDU
from pymodbus.pdu.bit_message import ReadCoilsResponse
from pymodbus.pdu.register_message import ReadInputRegistersResponse

from drivers.errors import BadReply, DeviceError
from drivers.protocol.registers import F32, F64, I16, I32, I64, U16, U32, U64, Number
from drivers.transport.modbus import TcpFrames, read_request

WORDS = st.lists(st.integers(0, 0xFFFF), min_size=1, max_size=125)
PLAIN: list[Number[Any]] = [U16, I16, U32, I32, U64, I64, F32, F64]
ORDERED: list[Number[Any]] = [
    kind.ordered(order) for kind in (U32, I32, F32) for order in ("CDAB", "BADC", "DCBA")
]
SCALED = [kind.times(0.1) for kind in (*PLAIN, *ORDERED)]
REFUSING = [I16.sentinels({-1: "open"}), U16.times(0.5).sentinels({0xFFFF: "open"})]


def outcome(decode: Any, registers: Sequence[int]) -> Any:
    """The value, or what kind of error says that there is none."""
    try:
        return repr(decode(registers))  # 1 and 1.0 are not the same reading
    except DeviceError as error:
        return str(error)


@pytest.mark.parametrize("codec", [*PLAIN, *ORDERED, *SCALED, *REFUSING])
@given(words=st.lists(st.sampled_from([0, 1, 0x7FFF, 0x8000, 0xFFFF, 253]), min_size=4, max_size=4))
def test_a_decoder_gives_what_unpack_gives(codec: Number[Any], words: list[int]) -> None:
    registers = words[: codec.size]
    assert outcome(codec.decoder, registers) == outcome(codec.unpack, registers)


@given(st.integers(0, 0xFFFF))
def test_a_single_register_is_the_number_that_its_bytes_spell(register: int) -> None:
    data = struct.pack(">H", register)
    assert U16.decoder([register]) == struct.unpack(">H", data)[0]
    assert I16.decoder([register]) == struct.unpack(">h", data)[0]
    assert I16.times(0.1).decoder([register]) == struct.unpack(">h", data)[0] / 10


@given(WORDS)
def test_registers_are_taken_from_a_reply_as_the_library_puts_them_there(words: list[int]) -> None:
    reply = bytes([4]) + ReadInputRegistersResponse(registers=words).encode()
    assert read_request(1, "input", 0, len(words)).values(reply) == words


@given(st.lists(st.booleans(), min_size=1, max_size=2000))
def test_bits_are_taken_from_a_reply_as_the_library_puts_them_there(bits: list[bool]) -> None:
    reply = bytes([1]) + ReadCoilsResponse(bits=bits).encode()
    assert read_request(1, "coil", 0, len(bits)).values(reply) == [int(bit) for bit in bits]


@given(st.integers(0, 0xFFFF), st.integers(0, 255), st.integers(1, 125))
def test_a_frame_is_the_one_that_the_library_makes(number: int, unit: int, count: int) -> None:
    request = read_request(unit, "holding", 7, count)
    frame = FramerSocket(DecodePDU(False)).encode(request.pdu, unit, number)
    assert TcpFrames().encode(request, number) == frame
    assert TcpFrames().decode(frame) == (number, unit, request.pdu)


@given(st.binary(min_size=7, max_size=40))
def test_noise_is_no_frame_unless_header_and_length_say_so(noise: bytes) -> None:
    _, protocol, length = struct.unpack_from(">HHH", noise)
    if protocol == 0 and length == len(noise) - 6 and length > 1:
        assert TcpFrames().decode(noise)[2] == noise[7:]
    else:
        with pytest.raises(BadReply):
            TcpFrames().decode(noise)
