"""The simulated slave against the frames that the specifications print, and against noise."""

from __future__ import annotations

import struct
from functools import partial
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.instrument import Instrument
from simulators.modbus import RtuBus, TcpGateway, crc16
from simulators.modbus_block import BlockDevice
from simulators.modbus_registers import Cell, ExceptionCode, Refusal, RegisterMap


def rtu(body: str) -> bytes:
    return bytes.fromhex(body) + crc16(bytes.fromhex(body))


def tcp(transaction: int, unit: int, pdu: str, protocol: int = 0) -> bytes:
    body = bytes.fromhex(pdu)
    return struct.pack(">HHHB", transaction, protocol, len(body) + 1, unit) + body


def in_pieces(instrument: Instrument, stream: bytes, cuts: list[int]) -> bytes:
    ends = sorted({cut % (len(stream) + 1) for cut in cuts} | {0, len(stream)})
    pieces = [stream[a:b] for a, b in pairwise(ends)]
    return b"".join(instrument.handle(piece) for piece in pieces)


def bits(start: int, packed: str, count: int) -> dict[int, int]:
    value = int.from_bytes(bytes.fromhex(packed), "little")
    return {start + i: value >> i & 1 for i in range(count)}


def memory(values: dict[int, int]) -> dict[int, Cell]:
    return {i: Cell(partial(values.__getitem__, i), partial(values.__setitem__, i)) for i in values}


# Application protocol V1.1b3: request and response of the example of each section.
SPECIFIED = [
    ("6.1 read coils", "01 0013 0013", "01 03 CD 6B 05"),
    ("6.2 read discrete inputs", "02 00C4 0016", "02 03 AC DB 35"),
    ("6.3 read holding registers", "03 006B 0003", "03 06 022B 0000 0064"),
    ("6.4 read input registers", "04 0008 0001", "04 02 000A"),
    ("6.5 write single coil", "05 00AC FF00", "05 00AC FF00"),
    ("6.6 write single register", "06 0001 0003", "06 0001 0003"),
    ("6.8 return query data", "08 0000 A537", "08 0000 A537"),
    ("6.11 write multiple coils", "0F 0013 000A 02 CD01", "0F 0013 000A"),
    ("6.12 write multiple registers", "10 0001 0002 04 000A 0102", "10 0001 0002"),
    ("6.16 mask write register", "16 0004 00F2 0025", "16 0004 00F2 0025"),
    ("7 exception response", "01 04A1 0001", "81 02"),
]


@pytest.mark.parametrize(
    ("request_pdu", "response_pdu"), [e[1:] for e in SPECIFIED], ids=[e[0] for e in SPECIFIED]
)
def test_the_examples_of_the_specification_are_answered_as_printed(
    request_pdu: str, response_pdu: str
) -> None:
    registers = RegisterMap(
        coils=memory(bits(0x13, "CD 6B 05", 19) | {0xAC: 0}),
        discrete_inputs=memory(bits(0xC4, "AC DB 35", 22)),
        input_registers={8: Cell(lambda: 10)},
        holding_registers=memory({1: 0, 2: 0, 4: 0x12, 107: 555, 108: 0, 109: 100}),
    )
    assert registers.answer(bytes.fromhex(request_pdu)) == bytes.fromhex(response_pdu)


def test_the_best_known_rtu_frame_has_its_best_known_answer() -> None:
    unit = BlockDevice(0x11, 0x100)
    unit.holding_registers[0x6B:0x6E] = [0xAE41, 0x5652, 0x4340]
    assert RtuBus([unit]).handle(bytes.fromhex("11 03 00 6B 00 03 76 87")) == bytes.fromhex(
        "11 03 06 AE 41 56 52 43 40 49 AD"
    )


def test_every_register_of_a_block_is_worth_its_address() -> None:
    bus = RtuBus([BlockDevice(1, 0x1000)])
    for start in (0, 1000, 0x1000 - 125):
        expected = struct.pack(">125H", *range(start, start + 125))
        for function in ("03", "04"):
            answer = bus.handle(rtu(f"01 {function} {start:04X} 007D"))
            assert answer[3:-2] == expected


def test_what_is_written_is_read_back() -> None:
    unit = BlockDevice(1, 64)
    bus = RtuBus([unit])
    bus.handle(rtu("01 0F 0013 000A 02 CD01"))
    assert unit.coils[0x13:0x1D] == [1, 0, 1, 1, 0, 0, 1, 1, 1, 0]
    bus.handle(rtu("01 10 0001 0002 04 000A 0102"))
    bus.handle(rtu("01 06 0003 FFFF"))
    assert bus.handle(rtu("01 03 0000 0005")) == rtu("01 03 0A 0000 000A 0102 FFFF 0004")
    unit.holding_registers[4] = 0x12
    bus.handle(rtu("01 16 0004 00F2 0025"))
    assert unit.holding_registers[4] == 0x17


@pytest.mark.parametrize(
    ("pdu", "code"),
    [
        ("07", 1),  # read exception status is not offered
        ("08 0001 0000", 1),  # a diagnostic other than the echo
        ("63 0102", 1),  # no such function
        ("03 0040 0001", 2),  # one past the end
        ("03 003F 0002", 2),  # the last one, and one past it
        ("03 FFFF 0002", 2),  # past the address space
        ("06 0040 0001", 2),
        ("16 0040 0000 0000", 2),
        ("03 0000 0000", 3),
        ("03 0000 007E", 3),  # 126 registers
        ("04 0000 007E", 3),
        ("01 0000 07D1", 3),  # 2001 coils
        ("02 0000 0000", 3),
        ("05 0000 0001", 3),  # a coil is FF00 or 0000
        ("0F 0000 0009 01 FF", 3),  # nine coils do not fit in one byte
        ("0F 0000 0000 00", 3),
        ("10 0000 0002 02 0001", 3),  # the byte count is not twice the quantity
        ("10 0000 0000 00", 3),
    ],
)
def test_a_bad_request_is_refused_with_the_exception_of_the_specification(
    pdu: str, code: int
) -> None:
    function = bytes.fromhex(pdu)[0]
    answer = RtuBus([BlockDevice(1, 64)]).handle(rtu("01" + pdu))
    assert answer == rtu(f"01 {function | 0x80:02X} {code:02X}")


@pytest.mark.parametrize(("quantity", "function"), [(124, "10"), (1969, "0F")])
def test_more_than_may_be_written_at_once_is_refused(quantity: int, function: str) -> None:
    size = 2 * quantity if function == "10" else (quantity + 7) // 8
    pdu = f"{function} 0000 {quantity:04X} {size:02X}" + "00" * size
    code = bytes.fromhex(pdu)[0] | 0x80
    assert BlockDevice(1, 2000).answer(bytes.fromhex(pdu)) == bytes([code, 3])


def test_a_quantity_whose_byte_count_lies_is_refused_on_tcp() -> None:
    gateway = TcpGateway([BlockDevice(1, 64)])
    assert gateway.handle(tcp(1, 1, "10 0000 0002 04 0001")) == tcp(1, 1, "90 03")
    assert gateway.handle(tcp(3, 1, "10 0000 0002 02 0001 0002")) == tcp(3, 1, "90 03")
    assert gateway.handle(tcp(2, 1, "03 0000")) == tcp(2, 1, "83 03")


def test_a_write_to_a_cell_that_is_only_read_changes_nothing_beside_it() -> None:
    values = [7]
    registers = RegisterMap(
        holding_registers={
            0: Cell(lambda: values[0], lambda v: values.__setitem__(0, v)),
            1: Cell(lambda: 5),
        }
    )
    assert registers.answer(bytes.fromhex("10 0000 0002 04 0001 0002")) == bytes([0x90, 2])
    assert values == [7]


def test_a_device_that_fails_answers_exception_4() -> None:
    def fail(_value: int) -> None:
        raise Refusal(ExceptionCode.SERVER_DEVICE_FAILURE)

    registers = RegisterMap(holding_registers={0: Cell(lambda: 0, fail)})
    assert registers.answer(bytes.fromhex("06 0000 0001")) == bytes([0x86, 4])


@given(cuts=st.lists(st.integers(0, 500), max_size=12))
def test_however_the_serial_stream_is_cut_the_answers_are_the_same(cuts: list[int]) -> None:
    requests = [
        rtu("01 03 0000 0003"),
        rtu("02 10 0001 0002 04 000A 0102"),
        rtu("01 0F 0013 000A 02 CD01"),
        rtu("05 03 0000 0001"),
        rtu("02 64 0102030405"),
        rtu("01 16 0004 00F2 0025"),
        rtu("01 07"),
        rtu("02 03 0000 0004"),
    ]
    whole = RtuBus([BlockDevice(1, 64), BlockDevice(2, 64)])
    expected = b"".join(whole.handle(request) for request in requests)
    cut = RtuBus([BlockDevice(1, 64), BlockDevice(2, 64)])
    assert in_pieces(cut, b"".join(requests), cuts) == expected
    assert rtu("02 E4 01") in expected


@given(cuts=st.lists(st.integers(0, 500), max_size=12))
def test_however_the_tcp_stream_is_cut_the_answers_are_the_same(cuts: list[int]) -> None:
    stream = tcp(1, 1, "03 0000 0003") + tcp(2, 9, "03 0000 0001")
    stream += tcp(0xFFFF, 2, "06 0003 0009") + tcp(4, 1, "04 0002 0001", protocol=1)
    stream += tcp(5, 2, "03 0003 0001")
    expected = tcp(1, 1, "03 06 0000 0001 0002") + tcp(2, 9, "83 0B")
    expected += tcp(0xFFFF, 2, "06 0003 0009") + tcp(5, 2, "03 02 0009")
    gateway = TcpGateway([BlockDevice(1, 64), BlockDevice(2, 64)])
    assert in_pieces(gateway, stream, cuts) == expected


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=5))
def test_noise_never_breaks_a_slave_and_silence_heals_it(noise: bytes, cuts: list[int]) -> None:
    for instrument in (RtuBus([BlockDevice(1, 8)]), TcpGateway([BlockDevice(1, 8)])):
        in_pieces(instrument, noise, cuts)
    bus = RtuBus([BlockDevice(1, 8)])
    bus.handle(noise)
    bus.advance(0.020)
    assert bus.handle(rtu("01 04 0002 0001")) == rtu("01 04 02 0002")


def test_a_bad_crc_is_not_answered_and_the_line_must_be_silent_before_the_next_frame() -> None:
    bus = RtuBus([BlockDevice(1, 8)])
    good = rtu("01 03 0002 0001")
    spoilt = good[:-1] + bytes([good[-1] ^ 1])
    assert bus.handle(spoilt) == b""
    bus.advance(0.019)
    assert bus.handle(good) == b""
    bus.advance(0.010)
    bus.advance(0.010)
    assert bus.handle(good) == rtu("01 03 02 0002")


def test_half_a_frame_is_forgotten_after_silence_and_on_a_new_connection() -> None:
    bus = RtuBus([BlockDevice(1, 8)])
    good = rtu("01 03 0002 0001")
    bus.handle(good[:5])
    bus.advance(0.02)
    assert bus.handle(good) == rtu("01 03 02 0002")
    bus.handle(good[:5])
    bus.opened()
    assert bus.handle(good) == rtu("01 03 02 0002")


def test_a_broadcast_is_carried_out_by_those_who_take_it_and_answered_by_nobody() -> None:
    first, second, deaf = (BlockDevice(address, 8) for address in (1, 2, 3))
    deaf.takes_broadcast = False
    bus = RtuBus([first, second, deaf])
    assert bus.handle(rtu("00 06 0003 0063")) == b""
    assert bus.handle(rtu("00 03 0003 0001")) == b""
    assert [u.holding_registers[3] for u in (first, second, deaf)] == [99, 99, 3]


def test_a_request_for_nobody_gets_silence_on_the_line_and_an_exception_from_a_gateway() -> None:
    unit = BlockDevice(1, 8)
    assert RtuBus([unit]).handle(rtu("02 03 0000 0001")) == b""
    assert TcpGateway([unit]).handle(tcp(7, 2, "03 0000 0001")) == tcp(7, 2, "83 0B")
    assert TcpGateway([unit]).handle(tcp(7, 255, "03 0000 0001")) == tcp(7, 255, "83 0B")


def test_a_header_with_an_impossible_length_ends_that_tcp_stream_only() -> None:
    gateway = TcpGateway([BlockDevice(255, 8)])
    request = tcp(0x1501, 255, "03 0004 0001")
    assert gateway.handle(bytes.fromhex("0001 0000 0000 01") + request) == b""
    assert gateway.handle(request) == b""
    gateway.opened()
    assert gateway.handle(request) == tcp(0x1501, 255, "03 02 0004")


@pytest.mark.parametrize("addresses", [(0,), (248,), (4, 4)])
def test_addresses_that_a_serial_line_cannot_have_are_refused(addresses: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="address"):
        RtuBus([BlockDevice(address, 1) for address in addresses])
