from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import (
    BadAddress,
    BadReply,
    ConnectFailed,
    DeviceError,
    DriverError,
    LinkTimeout,
    OutOfRange,
)
from drivers.transport.link import Bank
from drivers.transport.memory import Loopback, Script
from drivers.transport.modbus_rtu import RtuBus
from drivers.transport.standing import silence
from tests.drivers.modbus_examples import READS, WRITES, frame
from tests.drivers.modbus_line import QUICK, rtu_line
from tests.drivers.virtual_time import run


class Dice(random.Random):
    """Always throws the number of the specification's example."""

    def randrange(self, *_: object) -> int:
        return 0xA537


PROBE = (frame("08 00 00 A5 37"), frame("88 01"))


@pytest.mark.parametrize(("bank", "start", "count", "asked", "answered", "values"), READS)
async def test_reads_as_in_the_examples_of_the_specification(
    bank: Bank, start: int, count: int, asked: str, answered: str, values: list[int]
) -> None:
    script = Script(PROBE, (frame(asked), frame(answered)))
    async with RtuBus(script, dice=Dice()).unit(1) as unit:
        assert await unit.fetch(bank, start, count, QUICK) == values
    script.assert_finished()


@pytest.mark.parametrize(("bank", "start", "values", "asked", "answered"), WRITES)
async def test_writes_as_in_the_examples_of_the_specification(
    bank: Bank, start: int, values: list[int], asked: str, answered: str
) -> None:
    script = Script(PROBE, (frame(asked), frame(answered)))
    async with RtuBus(script, dice=Dice()).unit(1) as unit:
        await unit.store(bank, start, values, QUICK)
    script.assert_finished()


@pytest.mark.parametrize(("bank", "start", "values", "asked", "answered"), WRITES)
async def test_a_write_confirmed_for_another_address_is_not_confirmed(
    bank: Bank, start: int, values: list[int], asked: str, answered: str
) -> None:
    elsewhere = bytearray.fromhex(answered)
    elsewhere[2] ^= 1
    script = Script(PROBE, (frame(asked), frame(elsewhere.hex())))
    async with RtuBus(script, dice=Dice()).unit(1) as unit:
        with pytest.raises(BadReply):
            await unit.store(bank, start, values, QUICK)


@pytest.mark.parametrize("value", ["0000", "1234"])
async def test_a_coil_confirmed_with_another_value_is_not_confirmed(value: str) -> None:
    script = Script(PROBE, (frame("05 00AC FF00"), frame("05 00AC" + value)))
    async with RtuBus(script, dice=Dice()).unit(1) as unit:
        with pytest.raises(BadReply, match="confirms another write"):
            await unit.store("coil", 0xAC, [1], QUICK)


@pytest.mark.parametrize(
    ("code", "kind", "meaning"),
    [
        (2, DeviceError, "no such register"),
        (6, DeviceError, "busy"),
        (0x0A, ConnectFailed, "gateway path"),
        (0x0B, LinkTimeout, "not on the bus"),
        (0x63, DeviceError, "the maker's own"),
    ],
)
async def test_a_refusal_names_its_number_and_its_meaning(
    code: int, kind: type[DriverError], meaning: str
) -> None:
    script = Script(PROBE, (frame("04 04A1 0001"), frame(f"84 {code:02X}")))
    async with RtuBus(script, dice=Dice()).unit(1) as unit:
        with pytest.raises(kind, match=rf"exception {code} .*{meaning}"):
            await unit.fetch("input", 0x4A1, 1, QUICK)


@pytest.mark.parametrize(
    "wrong",
    [
        frame("04 02 000A", unit=2),  # another unit
        frame("03 02 000A"),  # another function
        frame("04 04 000A 000B"),  # more registers than asked
        frame("84 02")[:-1] + b"?",  # a wrong CRC
        frame("04 02 000A")[:-1] + b"?",
        b"\x01\x80\x02\xff\xff",
    ],
)
def test_a_reply_that_does_not_fit_the_request_is_no_value(wrong: bytes) -> None:
    async def scenario() -> None:
        async with RtuBus(Loopback(lambda _: wrong)).unit(1) as unit:
            with pytest.raises(BadReply):
                await unit.fetch("input", 8, 1, QUICK)

    run(scenario())


@given(st.binary(max_size=40))
def test_random_bytes_are_never_a_value(noise: bytes) -> None:
    async def scenario() -> None:
        async with RtuBus(Loopback(lambda _: noise)).unit(1) as unit:
            with pytest.raises((BadReply, LinkTimeout)):
                await unit.fetch("input", 8, 1, QUICK)

    run(scenario())


@pytest.mark.parametrize("cut", range(9))
def test_a_reply_cut_short_is_a_time_out_and_not_a_value(cut: int) -> None:
    whole = frame("04 04 000A 000B")

    async def scenario() -> None:
        async with RtuBus(Loopback(lambda _: whole[:cut])).unit(1) as unit:
            with pytest.raises(LinkTimeout):
                await unit.fetch("input", 8, 2, QUICK)

    assert len(whole) == 9
    run(scenario())


@pytest.mark.parametrize("number", [-1, 0, 248, 255])
def test_broadcast_and_reserved_numbers_are_no_units(number: int) -> None:
    with pytest.raises(BadAddress, match="1 to 247"):
        RtuBus(rtu_line()).unit(number)


@pytest.mark.parametrize(
    ("bank", "start", "count"),
    [
        ("holding", 0, 126),
        ("coil", 0, 2001),
        ("input", 0, 0),
        ("input", 65535, 2),
        ("input", -1, 1),
    ],
)
async def test_more_than_a_request_can_hold_is_refused_unsent(
    bank: Bank, start: int, count: int
) -> None:
    async with RtuBus(Script()).unit(1) as unit:
        with pytest.raises(OutOfRange):
            await unit.fetch(bank, start, count, QUICK)


@pytest.mark.parametrize(
    ("bank", "values"),
    [
        ("holding", [65536]),
        ("holding", [-1]),
        ("coil", [2]),
        ("input", [1]),
        ("holding", [0] * 124),
    ],
)
async def test_what_does_not_fit_is_not_written(bank: Bank, values: list[int]) -> None:
    async with RtuBus(Script()).unit(1) as unit:
        with pytest.raises(OutOfRange):
            await unit.store(bank, 0, values, QUICK)


@pytest.mark.parametrize(
    ("baudrate", "gap", "least"),
    [(9600, 0.0, 3.5 * 11 / 9600), (115_200, 0.0, 1.75e-3), (19_200, 0.02, 0.022)],
)
def test_the_line_is_silent_before_every_request(baudrate: int, gap: float, least: float) -> None:
    line = rtu_line()

    async def scenario() -> None:
        async with RtuBus(line, baudrate=baudrate, gap=gap).unit(1) as unit:
            for address in range(10):
                await unit.fetch("input", address, 1, QUICK)

    run(scenario())
    pauses = [after - before for before, (after, _) in zip(line.heard, line.sent[1:], strict=False)]
    assert len(pauses) == 10  # ten requests and a probe
    assert min(pauses) >= least - 1e-9
    assert least == pytest.approx(silence(baudrate) + gap, abs=1e-4)
