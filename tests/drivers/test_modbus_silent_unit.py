"""A unit that does not answer is asked shortly and rarely, and what it says late is no value."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.errors import LinkTimeout, UnitSilent
from drivers.transport.link import Timeouts
from drivers.transport.modbus_rtu import RtuBus
from drivers.transport.modbus_tcp import TcpBus
from drivers.transport.presence import PATIENT_EVERY, Presence
from simulators.modbus_block import BlockDevice
from tests.drivers.modbus_line import (
    QUICK,
    Fate,
    WithoutEcho,
    rtu_line,
    tcp_line,
)
from tests.drivers.virtual_time import run


def test_a_silent_unit_is_told_from_a_silent_bus() -> None:
    line = rtu_line(BlockDevice(1, 10), BlockDevice(2, 10))

    async def scenario() -> None:
        bus = RtuBus(line)
        async with bus.unit(1) as well, bus.unit(2) as sick:
            assert await sick.fetch("input", 1, 1, QUICK) == [1]
            line.dead = {2}
            with pytest.raises(LinkTimeout) as first:
                await sick.fetch("input", 1, 1, QUICK)
            assert not isinstance(first.value, UnitSilent), "once may be an accident"
            assert await well.fetch("input", 2, 1, QUICK) == [2]
            with pytest.raises(UnitSilent, match="unit 2"):
                await sick.fetch("input", 1, 1, QUICK)
            line.dead = {1, 2}
            for _ in range(3):
                with pytest.raises(LinkTimeout) as told:
                    await well.fetch("input", 2, 1, QUICK)
                assert not isinstance(told.value, UnitSilent), "nobody answers: it is the bus"

    run(scenario())


def test_a_unit_alone_on_its_line_is_never_called_silent() -> None:
    line = rtu_line()
    line.dead = {1}

    async def scenario() -> None:
        bus = RtuBus(line)
        for _ in range(5):
            with pytest.raises(LinkTimeout) as told:
                async with bus.unit(1) as unit:
                    await unit.fetch("input", 1, 1, QUICK)
            assert not isinstance(told.value, UnitSilent)
        assert bus.counters.probes == 0

    run(scenario())


SLOW = Timeouts(turn=5.0, first_byte=1.0, next_byte=0.1, whole=2.0)


@pytest.mark.parametrize("device", [BlockDevice, WithoutEcho])
def test_a_silent_unit_that_connects_anew_costs_one_short_question(
    device: type[BlockDevice],
) -> None:
    line = rtu_line(BlockDevice(1, 10), device(2, 10))

    async def scenario() -> None:
        bus = RtuBus(line)
        now = asyncio.get_running_loop().time
        async with bus.unit(1) as well:
            async with bus.unit(2) as sick:
                await sick.fetch("input", 1, 1, SLOW)
                line.dead = {2}
                for _ in range(2):
                    with suppress(LinkTimeout):
                        await sick.fetch("input", 1, 1, SLOW)
                    await well.fetch("input", 2, 1, SLOW)
            for _ in range(PATIENT_EVERY - 2):
                await asyncio.sleep(SLOW.whole)
                sent, lost = len(line.sent), bus.counters.lost[2]
                with pytest.raises(UnitSilent) as told:
                    async with bus.unit(2):
                        raise AssertionError("it is not there")
                assert len(line.sent) == sent + 1
                assert 0 < told.value.cost <= 0.11
                assert bus.counters.lost[2] - lost == pytest.approx(told.value.cost)
                began = now()
                assert await well.fetch("input", 3, 1, SLOW) == [3]
                assert now() - began < 0.05
            line.dead = set()
            async with bus.unit(2) as back:
                assert await back.fetch("input", 4, 1, SLOW) == [4]
            assert bus.counters.lost.keys() == {1, 2}, "to meet the first took time as well"
            assert bus.counters.busy > sum(bus.counters.lost.values())

    run(scenario())
    assert line.opened == 1, "the others kept their connection"


@settings(max_examples=30)
@given(st.floats(0.0, 1.9), st.booleans())
def test_the_late_answer_to_the_question_is_no_value(delay: float, echoes: bool) -> None:
    line = rtu_line(BlockDevice(1, 10), BlockDevice(2, 500) if echoes else WithoutEcho(2, 500))

    async def scenario() -> None:
        bus = RtuBus(line)
        async with bus.unit(1) as well:
            await well.fetch("input", 1, 1, SLOW)
            async with bus.unit(2) as sick:
                await sick.fetch("input", 100, 1, SLOW)
                line.dead = {2}
                with suppress(LinkTimeout):
                    await sick.fetch("input", 101, 1, SLOW)
            line.dead, line.fates = set(), iter([Fate(delay=delay)])
            for register in range(200, 210):
                with suppress(LinkTimeout):
                    async with bus.unit(2) as sick:
                        assert await sick.fetch("input", register, 1, SLOW) == [register]
            async with bus.unit(2) as sick:
                assert await sick.fetch("input", 300, 1, SLOW) == [300]

    run(scenario())


def test_of_so_many_questions_one_waits_as_long_as_the_driver_would() -> None:
    presence = Presence(slowest=0.03, timeouts=SLOW)
    waits = [presence.patience().first_byte for _ in range(2 * PATIENT_EVERY)]
    short, whole = [pytest.approx(0.12)] * (PATIENT_EVERY - 1), [SLOW.first_byte]
    assert waits == [*short, *whole, *short, *whole]


def test_a_unit_that_has_become_slow_is_found_and_teaches_by_its_late_answers() -> None:
    line = rtu_line(BlockDevice(1, 10), WithoutEcho(2, 10))

    async def scenario() -> None:
        bus = RtuBus(line)
        async with bus.unit(1) as well:
            async with bus.unit(2) as sick:
                await sick.fetch("input", 1, 1, SLOW)
                line.dead = {2}
                with pytest.raises(LinkTimeout):
                    await sick.fetch("input", 1, 1, SLOW)
            line.dead, line.fates = set(), iter([Fate(delay=0.8)] * 100)
            for _ in range(PATIENT_EVERY + 1):
                await asyncio.sleep(SLOW.whole)
                with suppress(LinkTimeout):
                    async with bus.unit(2) as back:
                        assert await back.fetch("input", 5, 1, SLOW) == [5]
                        return
                await well.fetch("input", 1, 1, SLOW)
        raise AssertionError("it was not found")

    run(scenario())


def test_a_unit_that_a_gateway_has_no_answer_from_is_silent_and_no_refusal() -> None:
    line = tcp_line(BlockDevice(1, 10))

    async def scenario() -> None:
        bus = TcpBus(line)
        async with bus.unit(1) as well:
            await well.fetch("input", 1, 1, QUICK)
            for expected in (LinkTimeout, UnitSilent):
                with pytest.raises(expected):
                    async with bus.unit(2) as absent:
                        await absent.fetch("input", 1, 1, QUICK)
                await well.fetch("input", 1, 1, QUICK)

    run(scenario())
    assert line.opened == 1
