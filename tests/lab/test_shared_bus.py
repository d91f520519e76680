"""Three units on one terminal, one of which dies and returns, under workers as the agent has them."""

from __future__ import annotations

import asyncio
import os
import tty
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from random import Random
from typing import Any, ClassVar

import pytest

from agent.clock import SystemClock
from agent.fleet.board import Board
from agent.fleet.events import EventLog
from agent.fleet.fleet import Fleet
from agent.fleet.plan import Plan
from agent.fleet.states import DeviceState
from agent.metrics import StationPage
from agent.metrics.buses import buses
from drivers import Address, Driver
from drivers.protocol import modbus
from drivers.protocol.modbus import Modbus
from drivers.protocol.registers import U16
from drivers.transport.lines import Lines
from drivers.transport.link import Timeouts
from simulators.modbus import RtuBus
from simulators.modbus_block import BlockDevice
from tests.agent.metrics_bench import labels, scraped

pytestmark = pytest.mark.lab
UNITS = (1, 2, 3)
SICK = 2


class Block(Driver[Modbus]):
    """A block of registers, each worth its own address."""

    traits: ClassVar = {"timeouts": Timeouts(first_byte=0.3, next_byte=0.1, whole=0.6)}
    level = modbus.reading(7, U16, every=0.2, doc="Always 7.")


class Terminal:
    """A pseudo-terminal with the units at its other end."""

    def __init__(self, master: int, slave: int) -> None:
        self.name = os.ttyname(slave)
        self.dead: set[int] = set()
        self._master = master
        self._bus = RtuBus([BlockDevice(unit, 10) for unit in UNITS])

    def answer(self) -> None:
        reply = self._bus.handle(os.read(self._master, 4096))
        if reply and reply[0] not in self.dead:
            os.write(self._master, reply)


@contextmanager
def terminal() -> Iterator[Terminal]:
    master, slave = os.openpty()
    tty.setraw(slave)
    far = Terminal(master, slave)
    loop = asyncio.get_running_loop()
    loop.add_reader(master, far.answer)
    try:
        yield far
    finally:
        loop.remove_reader(master)
        os.close(slave)
        os.close(master)


@asynccontextmanager
async def fleet_on(name: str, lines: Lines, board: Board, events: EventLog) -> AsyncIterator[Fleet]:
    @asynccontextmanager
    async def opened(plan: Plan) -> AsyncIterator[Driver[Any]]:
        async with lines.link(plan.address) as link:
            yield plan.driver_class.over(link)

    async with asyncio.TaskGroup() as tasks:
        clock, rng = SystemClock(), Random(1)
        fleet = Fleet(tasks, opened, clock=clock, rng=rng, board=board, events=events)
        for unit in UNITS:
            address = Address.parse(f"modbus+rtu://{name}?baudrate=115200&unit={unit}")
            fleet.start(
                Plan(
                    name=f"unit{unit}",
                    driver_name="test.block",
                    driver_class=Block,
                    address=address,
                    periods={"level": 0.2},
                )
            )
        yield fleet
        await fleet.end()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(15):
        while not holds():
            await asyncio.sleep(0.01)


async def test_a_unit_that_dies_is_quarantined_and_returns_while_the_others_go_on() -> None:
    lines, board, events = Lines(), Board(), EventLog(SystemClock())

    def state(unit: int) -> DeviceState | None:
        latest = board.latest.get(f"unit{unit}")
        return latest.state if latest else None

    with terminal() as far:
        async with fleet_on(far.name, lines, board, events) as fleet:
            await until(lambda: {state(unit) for unit in UNITS} == {DeviceState.READY})
            far.dead = {SICK}
            await until(lambda: state(SICK) is DeviceState.QUARANTINED)
            polls = fleet.workers["unit1"].tally.polls
            await until(lambda: fleet.workers["unit1"].tally.polls > polls + 10)
            far.dead = set()
            await until(lambda: state(SICK) is DeviceState.READY)
            assert board.latest[f"unit{SICK}"].samples["level"].value == 7
            assert [fleet.workers[f"unit{u}"].tally.connects for u in UNITS] == [1, 2, 1]
            page = scraped(StationPage(board, fleet.workers, [lambda: buses(lines.traffic)]))
            bus = {"bus": f"modbus+rtu://{far.name}"}
            busy = page["labkeeper_bus_busy_seconds_total", labels(**bus)]
            lost = page["labkeeper_bus_lost_seconds_total", labels(**bus, unit="2")]
            assert page["labkeeper_bus_unit_info", labels(**bus, unit="2", device="unit2")] == 1
            assert busy > lost >= 0.3, "the time-out in which it died, at least"
            assert page["labkeeper_bus_probes_total", labels(**bus)]
            assert page["labkeeper_bus_faults_total", labels(**bus, kind="intrusion")] == 0
    kinds = [event.kind for event in events.kept if event.device == f"unit{SICK}"]
    assert kinds == ["device.connected", "device.quarantined", "device.connected"]
