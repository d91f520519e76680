"""How late polls begin: 64 devices at 10 Hz in the agent's schedule and loop, beside bare sleepers.

Lateness is the time from the moment that a poll's grid names to the moment that its driver is
asked, which here answers at once. It is compared with a thread that sleeps towards absolute times
at the same 640 Hz, which is what the kernel can do, and with 64 tasks that do so by asyncio.sleep
in asyncio's own loop. All have the same phases and the same timer slack. They take turns of a
second or two, in changing order, so that what else the machine does meets all of them.
Once more the agent polls while it is scraped every second and a thread writes to the disk.
"""

import asyncio
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from random import Random
from statistics import median
from typing import Any, Final

from starlette.types import ASGIApp

from agent.clock import SystemClock
from agent.fleet.board import Board
from agent.fleet.device import DeviceWorker
from agent.fleet.events import EventLog
from agent.fleet.plan import Plan
from agent.fleet.polling import Polling
from agent.fleet.samples import Quality, Sample, Snapshot
from agent.fleet.states import DeviceState
from agent.fleet.tally import Tally
from agent.loop import ask_for_punctual_timers, new_event_loop
from agent.metrics import StationPage, metrics_app
from benchmarks.result import Result
from drivers import Address, Driver
from drivers.protocol import modbus
from drivers.protocol.modbus import Modbus
from drivers.protocol.registers import U16
from drivers.transport.modbus_tcp import TcpBus
from drivers.transport.tcp import TcpLink

DEVICES: Final = 64
PERIOD_S: Final = 0.1
VALUES: Final = 4
MOST_OF_BARE: Final = 1.5
MOST_OF_ASYNCIO: Final = 0.25
MOST_OF_UNDISTURBED: Final = 1.3
SCRAPE_EVERY_S: Final = 1.0
WRITE_EVERY_S: Final = 0.05
Lateness = list[float]
"""Seconds from when each poll was due to when it began, in any order."""


async def measure(quick: bool) -> list[Result]:
    """Give each 15 turns of 2 s (7 of 1 s when quick)."""
    seconds, rounds = (1.0, 7) if quick else (2.0, 15)
    p99: dict[str, list[float]] = {name: [] for name in SIDES}
    for number in range(rounds):
        names = [*SIDES][number % len(SIDES) :] + [*SIDES][: number % len(SIDES)]
        for name in names:
            p99[name].append(_p99(await asyncio.to_thread(SIDES[name], seconds)))
    return [
        _result(p99, "agent", "bare", MOST_OF_BARE),
        _result(p99, "agent", "asyncio", MOST_OF_ASYNCIO),
        _result(p99, "scraped", "agent", MOST_OF_UNDISTURBED),
    ]


def _result(p99: Mapping[str, list[float]], one: str, other: str, most: float) -> Result:
    ratios = [a / b for a, b in zip(p99[one], p99[other], strict=True)]
    return Result(
        name=f"jitter_{other if one == 'agent' else one}",
        figure=(
            f"p99 of {one} {1e3 * median(p99[one]):.3f} ms late, {other} "
            f"{1e3 * median(p99[other]):.3f} ms: ×{median(ratios):.2f}, "
            f"best ×{min(ratios):.2f}, worst ×{max(ratios):.2f}"
        ),
        goal=f"at most ×{most:g} of {other}",
        reached=most / median(ratios),
        more={"p99_s": dict(p99), "ratios": ratios},
    )


def _p99(lateness: Lateness) -> float:
    return sorted(lateness)[int(0.99 * len(lateness))]


class Thermometer(Driver[Modbus]):
    """A register that nothing but the clock stands behind: asking it notes how late that was."""

    temperature0 = modbus.reading(0, U16, unit="Cel", every=PERIOD_S, doc="Always 20 °C.")
    temperature1 = modbus.reading(1, U16, unit="Cel", doc="Always 20 °C.")
    temperature2 = modbus.reading(2, U16, unit="Cel", doc="Always 20 °C.")
    temperature3 = modbus.reading(3, U16, unit="Cel", doc="Always 20 °C.")

    clock: "Watched"

    async def read(self, names: Iterable[str]) -> dict[str, Any]:
        """See Driver."""
        self.clock.note()
        return dict.fromkeys(names, 20)


class Watched(SystemClock):
    """A clock that knows until when it was asked to sleep."""

    def __init__(self) -> None:
        self.lateness: Lateness = []
        self._due = 0.0

    async def sleep(self, seconds: float) -> None:
        """See Clock."""
        self._due = time.monotonic() + seconds
        await super().sleep(seconds)

    def note(self) -> None:
        """Note how long ago the sleep should have ended."""
        self.lateness.append(time.monotonic() - self._due)


def _agent(seconds: float) -> Lateness:
    """The agent's own Polling and Schedule, a task for each device, in the agent's loop."""
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(_polls(seconds, [Tally() for _ in range(DEVICES)]))


def _scraped(seconds: float) -> Lateness:
    """The same, while its metrics are read again and again and a disk is written to."""
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(_disturbed_polls(seconds))


async def _disturbed_polls(seconds: float) -> Lateness:
    workers = {f"oven{n}": _worker(f"oven{n}") for n in range(DEVICES)}
    board = Board()
    for name in workers:
        samples = {f"temperature{n}": Sample(20.0, Quality.GOOD, 0.0) for n in range(VALUES)}
        board.post(Snapshot(device=name, state=DeviceState.READY, since=0.0, samples=samples))
    page = metrics_app(StationPage(board, workers))
    async with asyncio.TaskGroup() as tasks:
        disturbers = [tasks.create_task(_scrape(page)), tasks.create_task(_write())]
        lateness = await _polls(seconds, [worker.tally for worker in workers.values()])
        for task in disturbers:
            task.cancel()
    return lateness


def _worker(name: str) -> DeviceWorker:
    clock = SystemClock()
    return DeviceWorker(
        _plan(name),
        _never,
        clock=clock,
        rng=Random(1),
        board=Board(),
        events=EventLog(clock),
    )


def _never(plan: Plan) -> AbstractAsyncContextManager[Driver[Any]]:
    raise AssertionError(f"{plan.name} is polled by the benchmark")


async def _scrape(page: ASGIApp) -> None:
    scope = {"type": "http", "headers": [(b"accept-encoding", b"gzip")]}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(_: Any) -> None: ...

    while True:
        await page(scope, receive, send)
        await asyncio.sleep(SCRAPE_EVERY_S)


async def _write() -> None:
    with tempfile.TemporaryFile() as file:
        while True:
            await asyncio.to_thread(_write_through, file.fileno())
            await asyncio.sleep(WRITE_EVERY_S)


def _write_through(file: int) -> None:
    os.write(file, bytes(4096))
    os.fsync(file)


async def _polls(seconds: float, tallies: list[Tally]) -> Lateness:
    """Poll every device. Ends the run when a poll is missing, which no lateness would show."""
    clocks = [Watched() for _ in tallies]
    tasks = [
        asyncio.get_running_loop().create_task(
            _polling(clock, tally).run(number / DEVICES), name=f"poll.{number}"
        )
        for number, (clock, tally) in enumerate(zip(clocks, tallies, strict=True))
    ]
    await asyncio.sleep(seconds)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    fewest = min(tally.polls for tally in tallies)
    if any(tally.skipped for tally in tallies) or fewest < seconds / PERIOD_S - 2:
        raise SystemExit(f"polls were skipped: a device was asked {fewest} times")
    return [late for clock in clocks for late in clock.lateness]


def _polling(clock: Watched, tally: Tally) -> Polling:
    driver = Thermometer(Modbus(NOWHERE, Modbus.timeouts))
    driver.clock = clock
    return Polling(_plan("thermometer"), driver, clock, tally, _ignore, _ignore)


def _plan(name: str) -> Plan:
    return Plan(
        name=name,
        driver_name="bench.thermometer",
        driver_class=Thermometer,
        address=Address.parse("modbus+tcp://127.0.0.1:1"),
        periods={"temperature0": PERIOD_S},
    )


def _ignore(*_: object) -> None:
    """Nobody looks at the values here."""


def _asyncio(seconds: float) -> Lateness:
    """64 tasks that sleep towards absolute times by asyncio alone."""
    ask_for_punctual_timers()
    return asyncio.run(_sleepers(seconds))


async def _sleepers(seconds: float) -> Lateness:
    lateness: Lateness = []
    began = time.monotonic()

    async def sleep(number: int) -> None:
        due = began + number / DEVICES * PERIOD_S
        while due < began + seconds:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            lateness.append(time.monotonic() - due)
            due += PERIOD_S

    await asyncio.gather(*(sleep(number) for number in range(DEVICES)))
    return lateness


def _bare(seconds: float) -> Lateness:
    """This thread, sleeping towards each of the same 640 moments a second."""
    ask_for_punctual_timers()
    lateness: Lateness = []
    due, step = time.monotonic(), PERIOD_S / DEVICES
    for _ in range(int(seconds / step)):
        due += step
        time.sleep(max(0.0, due - time.monotonic()))  # noqa: TID251 - what all is compared with
        lateness.append(time.monotonic() - due)
    return lateness


NOWHERE: Final = TcpBus(TcpLink("127.0.0.1", 1)).unit(1)
"""What the driver is made on; nothing is ever asked of it."""
SIDES: Final[Mapping[str, Callable[[float], Lateness]]] = {
    "bare": _bare,
    "agent": _agent,
    "scraped": _scraped,
    "asyncio": _asyncio,
}
