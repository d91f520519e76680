"""The agent's pipeline at full speed: polls that are always due, through all but the broker's socket.

`python -m benchmarks.pipeline_agent SECONDS MOST PORT…` prints what it read and used as JSON. MOST
is how many registers one request may ask for: 8 for all of a device, 1 for each by itself.
"""

import asyncio
import json
import logging
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any, Final

from agent.clock import SystemClock
from agent.fleet.board import Board
from agent.fleet.events import EventLog
from agent.fleet.fleet import Fleet
from agent.fleet.plan import Plan
from agent.fleet.samples import Quality, Snapshot
from agent.loop import new_event_loop
from agent.metrics import StationPage
from agent.mqtt.announcements import Announcements
from agent.mqtt.outbox import Message, Outbox
from agent.mqtt.topics import Topics
from agent.safety.gate import Gate
from agent.safety.interlock import Interlocks
from agent.safety.record import Unrecorded
from agent.safety.reservations import Reservations
from agent.safety.waivers import Waivers
from agent.station import Station
from agent.store.files import FileStore
from benchmarks.registers import register
from drivers import Address, Driver
from drivers.protocol import modbus
from drivers.protocol.modbus import Modbus
from drivers.protocol.registers import I16
from drivers.transport.lines import Lines

FIRST: Final = 100
NAMES: Final = tuple(f"channel_{n}" for n in range(1, 9))
ALWAYS_DUE_S: Final = 0.0001
MIN_INTERVAL_S: Final = 1.0
"""Between two states of a device at the broker, as config has it when it says nothing."""
SCRAPE_S: Final = 2.0
WARM_UP_S: Final = 0.3


class Module(Driver[Modbus]):
    """An eight-channel temperature module, in tenths of a degree."""

    channel_1 = modbus.reading(FIRST + 0, I16.times(0.1), unit="Cel", doc="Channel 1.")
    channel_2 = modbus.reading(FIRST + 1, I16.times(0.1), unit="Cel", doc="Channel 2.")
    channel_3 = modbus.reading(FIRST + 2, I16.times(0.1), unit="Cel", doc="Channel 3.")
    channel_4 = modbus.reading(FIRST + 3, I16.times(0.1), unit="Cel", doc="Channel 4.")
    channel_5 = modbus.reading(FIRST + 4, I16.times(0.1), unit="Cel", doc="Channel 5.")
    channel_6 = modbus.reading(FIRST + 5, I16.times(0.1), unit="Cel", doc="Channel 6.")
    channel_7 = modbus.reading(FIRST + 6, I16.times(0.1), unit="Cel", doc="Channel 7.")
    channel_8 = modbus.reading(FIRST + 7, I16.times(0.1), unit="Cel", doc="Channel 8.")


class Proof(Board):
    """A board that looks at every value that is put up."""

    def __init__(self, units: dict[str, int]) -> None:
        super().__init__()
        self._right = {
            device: [*zip(NAMES, _expected(unit), strict=True)] for device, unit in units.items()
        }
        self.wrong = 0
        """Snapshots with a value that is not its address's, or not good, of a device that answers."""

    def post(self, snapshot: Snapshot) -> None:
        """See Board."""
        super().post(snapshot)
        if snapshot.state.online:
            values, qualities, *_ = zip(*snapshot.samples.values(), strict=True)
            found = [*zip(snapshot.samples, values, strict=True)]
            right = found == self._right[snapshot.device]
            self.wrong += not right or qualities.count(Quality.GOOD) != len(NAMES)


class Pipeline:
    """A station of one module a port, each asked for at most so many registers at once."""

    def __init__(self, ports: list[int], most: int = len(NAMES)) -> None:
        plans = [_plan(n, port, most) for n, port in enumerate(ports, start=1)]
        self.plans = plans
        self.board = Proof({plan.name: n for n, plan in enumerate(plans, start=1)})
        self.published = 0
        self.scraped = 0
        self._lines, self._clock = Lines(), SystemClock()
        self._outbox = Outbox()

    def _station(self, fleet: Fleet, events: EventLog, tasks: asyncio.TaskGroup) -> Station:
        files, interlocks = FileStore(Path()), Interlocks({}, self.board, self._clock)
        return Station(
            name="bench",
            version="0",
            board=self.board,
            workers=fleet.workers,
            events=events,
            gate=Gate(
                *(fleet.workers, files, events, interlocks),
                *(Reservations(), Unrecorded(), tasks),
                clock=self._clock,
            ),
            interlocks=interlocks,
            files=files,
            clock=self._clock,
            waivers=Waivers(Unrecorded(), fleet.workers, self._clock, events),
        )

    async def run(self, seconds: float) -> dict[str, float]:
        """Poll, publish and be scraped; count what was read in so many seconds."""
        events = EventLog(self._clock)
        async with asyncio.TaskGroup() as tasks:
            fleet = Fleet(
                tasks,
                self._open_driver,
                clock=self._clock,
                rng=Random(1),
                board=self.board,
                events=events,
            )
            station = self._station(fleet, events, tasks)
            for plan in self.plans:
                fleet.start(plan)
            await fleet.first_round()
            others = [
                tasks.create_task(work)
                for work in (
                    Announcements(station, Topics("bench"), self._outbox, MIN_INTERVAL_S).run(
                        b"{}"
                    ),
                    self._outbox.deliver(self._publish),
                    self._scrape(station),
                )
            ]
            found = await self._count(fleet, seconds)
            for task in others:
                task.cancel()
            await fleet.end()
        return found

    async def _count(self, fleet: Fleet, seconds: float) -> dict[str, float]:
        await asyncio.sleep(WARM_UP_S)
        before, began, used = _polls(fleet), time.perf_counter(), time.process_time()
        published = self.published
        await asyncio.sleep(seconds)
        elapsed, busy = time.perf_counter() - began, time.process_time() - used
        failures = sum(sum(worker.tally.failures.values()) for worker in fleet.workers.values())
        return {
            "readings": (_polls(fleet) - before) * len(NAMES),
            "seconds": elapsed,
            "cpu_s": busy,
            "wrong": self.board.wrong + failures,
            "published": self.published - published,
            "scraped": self.scraped,
        }

    async def _publish(self, message: Message) -> None:
        """Stand in for the socket: the payload is whole, and thrown away."""
        self.published += 1

    async def _scrape(self, station: Station) -> None:
        page = StationPage(station.board, station.workers)
        while True:
            self.scraped += len(page.text())
            await asyncio.sleep(SCRAPE_S)

    @asynccontextmanager
    async def _open_driver(self, plan: Plan) -> AsyncIterator[Driver[Any]]:
        async with self._lines.link(plan.address) as link:
            yield plan.driver_class.over(link, registers=plan.registers)


def _expected(unit: int) -> list[float]:
    return [register(unit, FIRST + n) / 10 for n in range(len(NAMES))]


def _plan(unit: int, port: int, most: int) -> Plan:
    return Plan(
        name=f"module{unit}",
        driver_name="bench.module",
        driver_class=Module,
        address=Address.parse(f"modbus+tcp://127.0.0.1:{port}?unit={unit}"),
        periods=dict.fromkeys(NAMES, ALWAYS_DUE_S),
        registers={"most": most},
    )


def _polls(fleet: Fleet) -> int:
    return sum(worker.tally.polls for worker in fleet.workers.values())


def main() -> None:
    """Measure once, in the loop that the agent runs in."""
    logging.getLogger("labkeeper").setLevel(logging.ERROR)
    seconds, most, *ports = float(sys.argv[1]), *map(int, sys.argv[2:])
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        found = runner.run(Pipeline(ports, most).run(seconds))
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
