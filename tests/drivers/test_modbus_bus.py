"""Several units on one line: what one of them suffers is not the others' affair."""

from __future__ import annotations

import asyncio
import os
import tty
from dataclasses import replace

import pytest

from drivers.errors import LinkClosed, LinkTimeout
from drivers.transport.modbus_rtu import RtuBus
from drivers.transport.serial import SerialLink
from simulators.modbus import RtuBus as Wires
from simulators.modbus_block import BlockDevice
from tests.drivers.modbus_examples import frame
from tests.drivers.modbus_line import (
    LOST,
    PROMPT,
    QUICK,
    TOO_LATE,
    Fate,
    WithoutEcho,
    rtu_line,
)
from tests.drivers.virtual_time import run

CALM = replace(QUICK, first_byte=1.0, whole=3.0)
"""For a real line on a machine that has much else to do."""


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


def test_a_failed_exchange_counts_as_a_resynchronisation_only_when_its_unit_is_back_in_step() -> (
    None
):
    line = rtu_line(BlockDevice(1, 100), BlockDevice(2, 100), fates=[PROMPT] * 4 + [LOST])

    async def scenario() -> None:
        bus = RtuBus(line)
        async with bus.unit(1) as lost, bus.unit(2) as well:
            for unit in (lost, well):
                assert await unit.fetch("input", 1, 1, QUICK) == [1]
            with pytest.raises(LinkTimeout):
                await lost.fetch("input", 2, 1, QUICK)
            assert await well.fetch("input", 3, 1, QUICK) == [3]
            assert bus.counters.faults()["resync"] == 0
            assert await lost.fetch("input", 4, 1, QUICK) == [4]
            assert bus.counters.faults()["resync"] == 1

    run(scenario())


def test_a_unit_without_echo_waits_for_its_old_reply_off_the_bus() -> None:
    line = rtu_line(WithoutEcho(1, 100), WithoutEcho(2, 100), fates=[PROMPT, TOO_LATE])

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


def test_a_unit_that_answers_twice_waits_for_its_old_reply_off_the_bus_as_well() -> None:
    line = rtu_line(WithoutEcho(1, 100), WithoutEcho(2, 100))

    async def scenario() -> None:
        bus = RtuBus(line)
        async with bus.unit(1) as twice, bus.unit(2) as well, asyncio.TaskGroup() as tasks:
            assert await well.fetch("input", 1, 1, QUICK) == [1]
            assert await twice.fetch("input", 2, 1, QUICK) == [2]
            line.unasked(frame("04 02 0002"))
            again = tasks.create_task(twice.fetch("input", 3, 1, QUICK))
            await asyncio.sleep(0.01)
            before = asyncio.get_running_loop().time()
            assert await well.fetch("input", 4, 1, QUICK) == [4]
            assert asyncio.get_running_loop().time() - before < QUICK.first_byte
            assert not again.done()
            assert await again == [3]
            assert asyncio.get_running_loop().time() - before >= QUICK.whole - 0.1

    run(scenario())


def test_the_late_reply_of_one_unit_is_skipped_while_another_is_asked() -> None:
    line = rtu_line(
        WithoutEcho(1, 100),
        WithoutEcho(2, 100),
        fates=[PROMPT, PROMPT, PROMPT, Fate(delay=0.11), Fate(delay=0.05)],
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


@pytest.mark.lab
async def test_over_a_pty_two_units_share_the_line() -> None:
    master, slave = os.openpty()
    tty.setraw(slave)
    wires = Wires([BlockDevice(1, 200), WithoutEcho(2, 200)])
    loop = asyncio.get_running_loop()
    loop.add_reader(master, lambda: os.write(master, wires.handle(os.read(master, 4096))))
    try:
        bus = RtuBus(SerialLink(os.ttyname(slave), {"baudrate": "115200"}))
        async with bus.unit(1) as one, bus.unit(2) as two:
            for at in range(0, 100, 10):
                answers = await asyncio.gather(
                    *(unit.fetch("holding", at, 10, CALM) for unit in (one, two))
                )
                assert answers == [[*range(at, at + 10)]] * 2
            await one.store("holding", 5, [77, 78], CALM)
            assert await one.fetch("holding", 5, 2, CALM) == [77, 78]
            assert await two.fetch("holding", 5, 2, CALM) == [5, 6]
        assert bus.counters.timeouts == bus.counters.discarded == 0
    finally:
        loop.remove_reader(master)
        os.close(slave)
        os.close(master)
