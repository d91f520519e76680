"""A reply that comes too late, twice, in part or not at all is never the answer to another request."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.errors import BadReply, LinkTimeout
from drivers.transport.modbus_rtu import FENCES, RtuBus
from drivers.transport.standing import SWAPPED_AFTER, FenceLost
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
)
from tests.drivers.virtual_time import run


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


@pytest.mark.parametrize("fates", [[PROMPT, PROMPT, TOO_LATE], [PROMPT, TOO_LATE]])
def test_a_unit_without_echo_is_left_alone_for_its_longest_reply_time(fates: list[Fate]) -> None:
    line = rtu_line(WithoutEcho(1, 100), fates=(fates))

    async def scenario() -> None:
        async with RtuBus(line).unit(1) as unit:
            if len(fates) > 2:  # it has answered before, and refused the echo
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
            for _ in range(SWAPPED_AFTER):
                with pytest.raises(FenceLost):
                    await unit.fetch("input", 3, 1, QUICK)
            assert await unit.fetch("input", 4, 1, QUICK) == [4]

    assert not FenceLost.sent
    run(scenario())


def test_a_unit_whose_echoes_were_lost_is_fenced_again_and_not_left_alone() -> None:
    line = rtu_line(fates=[PROMPT, PROMPT, LOST, *[LOST] * FENCES])

    async def scenario() -> None:
        async with RtuBus(line).unit(1) as unit:
            assert await unit.fetch("input", 1, 1, QUICK) == [1]
            with pytest.raises(LinkTimeout):
                await unit.fetch("input", 2, 1, QUICK)
            with pytest.raises(FenceLost):
                await unit.fetch("input", 3, 1, QUICK)
            given_up = asyncio.get_running_loop().time()
            assert await unit.fetch("input", 4, 1, QUICK) == [4]
            assert asyncio.get_running_loop().time() - given_up < QUICK.first_byte

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
