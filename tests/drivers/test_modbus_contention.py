"""Somebody else speaks on the line: another master, or the answers to a program that is no more."""

from __future__ import annotations

import asyncio

import pytest

from drivers.errors import LinkTimeout
from drivers.transport.contention import LISTEN_S
from drivers.transport.modbus_rtu import RtuBus
from simulators.modbus_block import BlockDevice
from tests.drivers.modbus_examples import frame
from tests.drivers.modbus_line import (
    LOST,
    QUICK,
    WithoutEcho,
    rtu_line,
)
from tests.drivers.virtual_time import run


@pytest.mark.parametrize("answers_first", [True, False])
def test_a_reply_owed_to_an_earlier_program_is_no_value(answers_first: bool) -> None:
    """Once it comes before the answer to the first question, which it delays, and once after."""
    line = rtu_line(WithoutEcho(1, 100), fates=[] if answers_first else [LOST])
    owed = frame("04 02 0063")
    at = 0.05 if answers_first else 0.2

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        async with RtuBus(line).unit(1) as unit:
            line._free[1] = loop.time() + at
            loop.call_later(at, line.unasked, owed)
            assert await unit.fetch("input", 7, 1, QUICK) == [7]

    run(scenario())


def test_a_second_master_is_counted_and_told_of_once_and_writes_wait_for_him() -> None:
    line, told = rtu_line(BlockDevice(1, 10), BlockDevice(2, 10)), list[str]()
    other = frame("03 0000 0001", unit=2)

    async def scenario() -> None:
        bus = RtuBus(line, warn=told.append)
        async with bus.unit(1) as unit:
            assert await unit.fetch("input", 1, 1, QUICK) == [1]
            for _ in range(3):
                line.unasked(other)
                heard = asyncio.get_running_loop().time()
                await unit.store("holding", 3, [5], QUICK)
                assert line.sent[-1][0] - heard >= LISTEN_S
            assert bus.counters.intrusions == 3

    run(scenario())
    assert len(told) == 1
    assert "second master" in told[0]


def test_a_write_into_a_babbling_line_is_known_not_to_be_sent() -> None:
    line = rtu_line()

    async def babble() -> None:
        while True:
            line.unasked(b"\x55")
            await asyncio.sleep(0.001)

    async def scenario() -> None:
        async with RtuBus(line).unit(1) as unit, asyncio.TaskGroup() as tasks:
            await unit.fetch("input", 1, 1, QUICK)
            noise = tasks.create_task(babble())
            with pytest.raises(LinkTimeout, match="not silent") as told:
                await unit.store("holding", 1, [2], QUICK)
            assert not told.value.sent
            noise.cancel()

    run(scenario())
    assert not line.requests(6)
