"""A silent unit of a shared bus is asked rarely, and the other units do not notice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import pytest

from agent.fleet.backoff import BUS_SHARE, CALM_S, MOST_PROBE_S, Quarantine
from agent.fleet.board import Board
from agent.fleet.events import EventLog
from agent.fleet.fleet import Fleet
from agent.fleet.plan import Plan
from agent.fleet.states import DeviceState
from drivers import Address, Driver
from drivers.protocol import modbus
from drivers.protocol.modbus import Modbus
from drivers.protocol.registers import U16
from drivers.transport.modbus_rtu import RtuBus
from simulators.modbus_block import BlockDevice
from tests.drivers.modbus_line import Line, WithoutEcho, rtu_line
from tests.drivers.virtual_time import run

UNITS = range(1, 9)
DEAD = 3


class Block(Driver[Modbus]):
    """A block of registers, each worth its own address."""

    level = modbus.reading(7, U16, every=1.0, doc="Always 7.")


class LoopClock:
    """Everything in the time of the loop, which may be virtual."""

    def utc(self) -> float:
        return 1e9 + asyncio.get_running_loop().time()

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class SharedBus:
    """A fleet of eight devices on one simulated line."""

    def __init__(self, device: type[BlockDevice] = BlockDevice) -> None:
        self.line: Line = rtu_line(*(device(unit, 10) for unit in UNITS))
        self.bus = RtuBus(self.line, dice=Random(0))
        self.board = Board()
        self.clock = LoopClock()
        self.events = EventLog(self.clock)
        self.fleet: Fleet

    @asynccontextmanager
    async def running(self) -> AsyncIterator[SharedBus]:
        async with asyncio.TaskGroup() as tasks:
            self.fleet = Fleet(
                *(tasks, self._open),
                clock=self.clock,
                rng=Random(1),
                board=self.board,
                events=self.events,
            )
            for unit in UNITS:
                self.fleet.start(_plan(unit))
            yield self
            await self.fleet.end()

    @asynccontextmanager
    async def _open(self, plan: Plan) -> AsyncIterator[Driver[Any]]:
        async with self.bus.unit(int(plan.address.options["unit"])) as link:
            yield plan.driver_class.over(link)

    def state(self, unit: int) -> DeviceState:
        latest = self.board.latest.get(f"unit{unit}")
        return latest.state if latest else DeviceState.OFFLINE

    def polls(self) -> int:
        return sum(
            worker.tally.polls
            for name, worker in self.fleet.workers.items()
            if name != f"unit{DEAD}"
        )

    async def until(self, state: DeviceState, within: float) -> float:
        """Wait until the unit that dies is in this state; return how long it took."""
        began = self.clock.monotonic()
        async with asyncio.timeout(within):
            while self.state(DEAD) is not state:
                await asyncio.sleep(0.01)
        return self.clock.monotonic() - began


def _plan(unit: int) -> Plan:
    return Plan(
        name=f"unit{unit}",
        driver_name="test.block",
        driver_class=Block,
        address=Address.parse(f"modbus+rtu+tcp://127.0.0.1:1?unit={unit}"),
        periods={"level": 1.0},
    )


@pytest.mark.parametrize("device", [BlockDevice, WithoutEcho])
@pytest.mark.parametrize("from_the_start", [True, False])
def test_the_others_keep_their_rate_and_their_connection(
    device: type[BlockDevice], from_the_start: bool
) -> None:
    async def scenario(dies: bool) -> tuple[int, SharedBus]:
        async with SharedBus(device).running() as shared:
            shared.line.dead = {DEAD} if dies and from_the_start else set()
            await asyncio.sleep(20)
            shared.line.dead = {DEAD} if dies else set()
            polls = shared.polls()
            await asyncio.sleep(200)
            return shared.polls() - polls, shared

    healthy, _ = run(scenario(dies=False))
    beside, shared = run(scenario(dies=True))
    assert beside >= 0.97 * healthy
    assert shared.line.opened == 1
    assert all(
        worker.tally.connects == 1
        for name, worker in shared.fleet.workers.items()
        if name != f"unit{DEAD}"
    )
    kinds = [(event.kind, event.device) for event in shared.events.kept]
    assert kinds.count(("device.quarantined", f"unit{DEAD}")) == 1


@pytest.mark.parametrize("device", [BlockDevice, WithoutEcho])
def test_in_the_long_run_it_costs_the_bus_no_more_than_one_percent(
    device: type[BlockDevice],
) -> None:
    async def scenario() -> None:
        async with SharedBus(device).running() as shared:
            shared.line.dead = {DEAD}
            await asyncio.sleep(120)
            lost, probes = shared.bus.counters.lost[DEAD], shared.bus.counters.probes
            await asyncio.sleep(1200)
            assert shared.bus.counters.lost[DEAD] - lost <= 0.01 * 1200
            assert shared.bus.counters.probes - probes <= 1200 / MOST_PROBE_S
            assert shared.bus.counters.probes - probes >= 1200 / MOST_PROBE_S / 2

    run(scenario())


def test_it_is_back_within_half_a_minute_and_at_once_when_somebody_asks() -> None:
    async def scenario() -> None:
        async with SharedBus().running() as shared:
            await shared.until(DeviceState.READY, 20)
            for asked in (False, True):
                shared.line.dead = {DEAD}
                await shared.until(DeviceState.QUARANTINED, 10)
                at_first = shared.board.latest[f"unit{DEAD}"]
                await asyncio.sleep(90)
                reason = shared.board.latest[f"unit{DEAD}"].reason
                assert "unit 3 does not answer" in reason
                assert "`labkeeper reconnect unit3` asks at once" in reason
                assert at_first == shared.board.latest[f"unit{DEAD}"]._replace(
                    revision=at_first.revision
                ), "since when, and why, is not new with every question"
                shared.line.dead = set()
                if asked:
                    shared.fleet.workers[f"unit{DEAD}"].reconnect()
                took = await shared.until(DeviceState.READY, 40)
                assert took < (0.5 if asked else 34)
                assert shared.board.latest[f"unit{DEAD}"].samples["level"].value == 7
                await asyncio.sleep(2 * CALM_S)

    run(scenario())


def test_when_the_whole_bus_falls_silent_nobody_is_quarantined() -> None:
    async def scenario() -> None:
        async with SharedBus().running() as shared:
            await asyncio.sleep(10)
            shared.line.dead = set(UNITS)
            await asyncio.sleep(60)
            assert {shared.state(unit) for unit in UNITS} == {DeviceState.OFFLINE}
            shared.line.dead = set()
            await asyncio.sleep(15)
            assert {shared.state(unit) for unit in UNITS} == {DeviceState.READY}

    run(scenario())


def waits(quarantine: Quarantine, cost: float, count: int) -> Iterator[float]:
    now = 0.0
    for _ in range(count):
        wait = quarantine.next(cost, now)
        yield wait
        now += wait + cost


def test_waits_double_from_one_second_to_half_a_minute() -> None:
    found = list(waits(Quarantine(Random(0)), 0.1, 9))
    for wait, least in zip(found, (1, 2, 4, 8, 16, 30, 30, 30, 30), strict=True):
        assert least <= wait <= 1.1 * least


def test_a_dear_question_is_asked_more_rarely_in_the_long_run() -> None:
    found = list(waits(Quarantine(Random(0)), 2.0, 50))[-20:]
    assert BUS_SHARE * (sum(found) + 20 * 2.0) >= 20 * 2.0


def test_a_unit_that_comes_back_for_a_moment_is_left_alone_for_longer_still() -> None:
    quarantine = Quarantine(Random(0))
    first = quarantine.next(0.1, 0.0)
    again = quarantine.next(0.1, first + CALM_S / 2)
    assert again > first
    assert quarantine.next(0.1, first + CALM_S / 2 + again + CALM_S + 1) < 1.2
    quarantine.next(0.1, 1000.0)
    quarantine.forgive()
    assert quarantine.next(0.1, 1001.0) < 1.2
