from __future__ import annotations

import asyncio
import random
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.errors import (
    BadAddress,
    BadReply,
    ConnectFailed,
    DeviceError,
    DriverError,
    LinkClosed,
    LinkTimeout,
    OutOfRange,
)
from drivers.transport.link import Bank
from drivers.transport.memory import Loopback, Script
from drivers.transport.modbus_rtu import FenceLost, RtuBus, silence
from simulators.modbus import crc16
from simulators.modbus_block import BlockDevice
from tests.drivers.modbus_line import (
    LOST,
    PROMPT,
    QUICK,
    TOO_LATE,
    TWICE,
    Fate,
    Line,
    WithoutEcho,
    rtu_line,
    run,
)


class Dice(random.Random):
    """Always throws the number of the specification's example."""

    def randrange(self, *_: object) -> int:
        return 0xA537


def frame(text: str, unit: int = 1) -> bytes:
    body = bytes([unit]) + bytes.fromhex(text)
    return body + crc16(body)


PROBE = (frame("08 00 00 A5 37"), frame("88 01"))

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


@pytest.mark.parametrize(("bank", "start", "count", "asked", "answered", "values"), READS)
async def test_reads_as_in_the_examples_of_the_specification(
    bank: Bank, start: int, count: int, asked: str, answered: str, values: list[int]
) -> None:
    script = Script((frame(asked), frame(answered)), PROBE)
    async with RtuBus(script, dice=Dice()).unit(1) as unit:
        assert await unit.fetch(bank, start, count, QUICK) == values
    script.assert_finished()


@pytest.mark.parametrize(("bank", "start", "values", "asked", "answered"), WRITES)
async def test_writes_as_in_the_examples_of_the_specification(
    bank: Bank, start: int, values: list[int], asked: str, answered: str
) -> None:
    script = Script((frame(asked), frame(answered)))
    async with RtuBus(script).unit(1) as unit:
        await unit.store(bank, start, values, QUICK)
    script.assert_finished()


@pytest.mark.parametrize(("bank", "start", "values", "asked", "answered"), WRITES)
async def test_a_write_confirmed_for_another_address_is_not_confirmed(
    bank: Bank, start: int, values: list[int], asked: str, answered: str
) -> None:
    elsewhere = bytearray.fromhex(answered)
    elsewhere[2] ^= 1
    script = Script((frame(asked), frame(elsewhere.hex())))
    async with RtuBus(script).unit(1) as unit:
        with pytest.raises(BadReply):
            await unit.store(bank, start, values, QUICK)


@pytest.mark.parametrize("value", ["0000", "1234"])
async def test_a_coil_confirmed_with_another_value_is_not_confirmed(value: str) -> None:
    script = Script((frame("05 00AC FF00"), frame("05 00AC" + value)))
    async with RtuBus(script).unit(1) as unit:
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
    script = Script((frame("04 04A1 0001"), frame(f"84 {code:02X}")))
    async with RtuBus(script).unit(1) as unit:
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


def test_the_fence_lets_no_late_reply_through() -> None:
    line = rtu_line(fates=([PROMPT, PROMPT, TOO_LATE]))

    async def scenario() -> None:
        async with RtuBus(line).unit(1) as unit:
            assert await unit.fetch("input", 7, 1, QUICK) == [7]
            with pytest.raises(LinkTimeout):
                await unit.fetch("input", 8, 1, QUICK)
            assert await unit.fetch("input", 9, 1, QUICK) == [9]

    run(scenario())
    assert len(line.requests(8)) >= 2, "a probe and a fence"


def test_whether_a_unit_echoes_is_asked_once_and_survives_a_reconnect() -> None:
    line = rtu_line()

    async def scenario() -> None:
        bus = RtuBus(line)
        for address in (3, 4, 5):
            async with bus.unit(1) as unit:
                assert await unit.fetch("input", address, 1, QUICK) == [address]

    run(scenario())
    assert len(line.requests(8)) == 1


@pytest.mark.parametrize("fates", [[PROMPT, PROMPT, TOO_LATE], [TOO_LATE]])
def test_a_unit_without_echo_is_left_alone_for_its_longest_reply_time(fates: list[Fate]) -> None:
    line = rtu_line(WithoutEcho(1, 100), fates=(fates))

    async def scenario() -> None:
        async with RtuBus(line).unit(1) as unit:
            if len(fates) > 1:  # it has answered before, and the probe too
                assert await unit.fetch("input", 7, 1, QUICK) == [7]
            with pytest.raises(LinkTimeout):
                await unit.fetch("input", 8, 1, QUICK)
            given_up = asyncio.get_running_loop().time()
            assert await unit.fetch("input", 9, 1, QUICK) == [9]
            assert line.sent[-1][0] - given_up >= QUICK.whole - QUICK.first_byte

    run(scenario())


def test_a_unit_that_was_swapped_for_one_without_echo_comes_back() -> None:
    first, second = rtu_line(), rtu_line(WithoutEcho(1, 100))

    async def scenario() -> None:
        async with RtuBus(first).unit(1) as unit:
            assert await unit.fetch("input", 1, 1, QUICK) == [1]
            first.fates = iter([LOST])
            with pytest.raises(LinkTimeout):
                await unit.fetch("input", 2, 1, QUICK)
            first._handle = second._handle
            with pytest.raises(FenceLost):
                await unit.fetch("input", 3, 1, QUICK)
            assert await unit.fetch("input", 4, 1, QUICK) == [4]

    assert not FenceLost.sent
    run(scenario())


def test_a_reply_that_comes_twice_is_counted_and_not_believed() -> None:
    line = rtu_line(fates=([PROMPT, PROMPT, TWICE]))

    async def scenario() -> None:
        bus = RtuBus(line)
        async with bus.unit(1) as unit:
            for address in range(5):
                assert await unit.fetch("input", address, 1, QUICK) == [address]
        assert bus.counters.discarded == 7
        assert bus.counters.fences == 1

    run(scenario())


def test_a_write_is_sent_once_whatever_becomes_of_its_reply() -> None:
    for fate in (LOST, TOO_LATE, TWICE, Fate(spoil=lambda reply: reply[::-1])):
        line = rtu_line(fates=([PROMPT, PROMPT, fate]))

        async def scenario(line: Line = line) -> None:
            async with RtuBus(line).unit(1) as unit:
                await unit.fetch("input", 0, 1, QUICK)
                with suppress(LinkTimeout, BadReply):
                    await unit.store("holding", 5, [77], QUICK)
                assert await unit.fetch("holding", 5, 1, QUICK) == [77]

        run(scenario())
        assert len(line.requests(6)) == 1


def spoiled(at: int, bits: int) -> Fate:
    def spoil(reply: bytes) -> bytes:
        turned = bytearray(reply)
        turned[at % len(reply)] ^= bits
        return bytes(turned)

    return Fate(spoil=spoil)


delays = st.floats(0.0, 0.45).map(lambda delay: Fate(delay=delay))
garbled = st.builds(spoiled, st.integers(0, 20), st.integers(1, 255))
cuts = st.integers(0, 6).map(lambda length: Fate(spoil=lambda reply: reply[:length]))
fates = st.one_of(st.just(PROMPT), st.just(LOST), st.just(TWICE), delays, garbled, cuts)


@given(st.lists(fates, max_size=60), st.booleans(), st.randoms(use_true_random=False))
def test_no_fault_ever_makes_a_wrong_value(
    dealt: list[Fate], echoes: bool, dice: random.Random
) -> None:
    line = rtu_line(BlockDevice(1, 500) if echoes else WithoutEcho(1, 500), fates=(dealt))

    async def scenario() -> None:
        async with RtuBus(line, dice=random.Random(dice.random())).unit(1) as unit:
            for address in range(100, 140):
                try:
                    assert await unit.fetch("input", address, 2, QUICK) == [address, address + 1]
                except (LinkTimeout, BadReply):
                    continue
            line.fates = iter([])
            await asyncio.sleep(QUICK.whole)
            with suppress(LinkTimeout, BadReply):  # the first may find that nobody echoes
                await unit.fetch("input", 300, 1, QUICK)
            assert await unit.fetch("input", 400, 1, QUICK) == [400], "in step again"

    run(scenario())


@settings(max_examples=40)
@given(st.integers(0, 40), st.booleans())
def test_a_cancelled_caller_leaves_the_bus_in_step(steps: int, late: bool) -> None:
    line = rtu_line(fates=([PROMPT, PROMPT, TOO_LATE if late else PROMPT]))

    async def scenario() -> None:
        async with RtuBus(line).unit(1) as unit, asyncio.TaskGroup() as tasks:
            await unit.fetch("input", 0, 1, QUICK)
            caller = tasks.create_task(unit.fetch("input", 8, 1, QUICK))
            for _ in range(steps):
                await asyncio.sleep(0)
            caller.cancel()
            with suppress(LinkTimeout):  # cancelled before it began, the other bears its fate
                assert await unit.fetch("input", 9, 1, QUICK) == [9]
            assert await unit.fetch("input", 10, 1, QUICK) == [10]

    run(scenario())


def test_a_dead_unit_costs_the_others_no_more_than_its_own_time_out() -> None:
    line = rtu_line(*(BlockDevice(number, 100) for number in range(1, 9)))
    line.dead = {3}

    async def scenario() -> None:
        bus = RtuBus(line)
        async with bus.unit(1) as well, bus.unit(3) as dead:
            for address in range(20):
                with pytest.raises(LinkTimeout):
                    await dead.fetch("input", address, 1, QUICK)
                before = asyncio.get_running_loop().time()
                assert await well.fetch("input", address, 1, QUICK) == [address]
                assert asyncio.get_running_loop().time() - before < QUICK.first_byte
        assert bus.counters.timeouts == 20

    run(scenario())
    assert line.opened == 1


def test_a_unit_without_echo_waits_for_its_old_reply_off_the_bus() -> None:
    line = rtu_line(WithoutEcho(1, 100), WithoutEcho(2, 100), fates=[TOO_LATE])

    async def scenario() -> None:
        bus = RtuBus(line)
        async with bus.unit(1) as late, bus.unit(2) as well, asyncio.TaskGroup() as tasks:
            with pytest.raises(LinkTimeout):
                await late.fetch("input", 1, 1, QUICK)
            again = tasks.create_task(late.fetch("input", 2, 1, QUICK))
            await asyncio.sleep(0)
            for address in range(10):
                assert await well.fetch("input", address, 1, QUICK) == [address]
            assert not again.done(), "it still waits, and the other has been asked ten times"
            assert await again == [2]

    run(scenario())


def test_the_late_reply_of_one_unit_is_skipped_while_another_is_asked() -> None:
    line = rtu_line(
        WithoutEcho(1, 100),
        WithoutEcho(2, 100),
        fates=[PROMPT, PROMPT, Fate(delay=0.11), Fate(delay=0.05)],
    )

    async def scenario() -> None:
        bus = RtuBus(line)
        async with bus.unit(1) as late, bus.unit(2) as well:
            assert await well.fetch("input", 1, 1, QUICK) == [1]
            with pytest.raises(LinkTimeout):
                await late.fetch("input", 2, 1, QUICK)
            assert await well.fetch("input", 3, 1, QUICK) == [3]
            assert bus.counters.late_replies == 1
            assert await late.fetch("input", 4, 1, QUICK) == [4]

    run(scenario())


def test_a_lost_line_is_told_to_every_unit_and_reopened_by_the_first() -> None:
    line = rtu_line(BlockDevice(1, 10), BlockDevice(2, 10))

    async def scenario() -> None:
        bus = RtuBus(line)
        async with bus.unit(2) as patient:
            async with bus.unit(1) as eager:
                await eager.fetch("input", 1, 1, QUICK)
                line.cut()
                with pytest.raises(LinkClosed):
                    await eager.fetch("input", 1, 1, QUICK)
            async with bus.unit(1) as eager:
                assert await eager.fetch("input", 2, 1, QUICK) == [2]
                with pytest.raises(LinkClosed):
                    await patient.fetch("input", 3, 1, QUICK)
                assert await eager.fetch("input", 4, 1, QUICK) == [4]
        async with bus.unit(2) as patient:
            assert await patient.fetch("input", 5, 1, QUICK) == [5]

    run(scenario())
    assert line.opened == 3, "at first, after the cut, and after everybody had left"
    assert not line._is_open


def test_a_line_cut_in_mid_request_ends_it_at_once() -> None:
    line = rtu_line(fates=([LOST]))

    async def scenario() -> None:
        async with RtuBus(line).unit(1) as unit:
            asyncio.get_running_loop().call_later(0.01, line.cut)
            with pytest.raises(LinkClosed):
                await unit.fetch("input", 1, 1, QUICK)
            assert asyncio.get_running_loop().time() < 0.02

    run(scenario())


def test_a_babbling_line_is_a_time_out_and_no_endless_wait() -> None:
    line = rtu_line()

    async def babble() -> None:
        while True:
            line.unasked(b"\x55" * 3)
            await asyncio.sleep(0.001)

    async def scenario() -> None:
        async with RtuBus(line).unit(1) as unit, asyncio.TaskGroup() as tasks:
            noise = tasks.create_task(babble())
            with pytest.raises(LinkTimeout, match="not silent"):
                await unit.fetch("input", 1, 1, QUICK)
            noise.cancel()

    run(scenario())
