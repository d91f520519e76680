"""10,000 readings on the metrics page: how much faster than prometheus-client, and how long on the loop?

1,000 devices with ten readings each, all of which answer. `generate_latest` of prometheus-client
writes the very same series from its own gauges; both pages are parsed and have to say the same. The
two take turns, in one process. What a poll pays for it, since lines are written when values change,
is measured beside it, and so are a scrape by HTTP's own way and how long it keeps the loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from itertools import pairwise
from statistics import median
from time import perf_counter, thread_time
from types import SimpleNamespace
from typing import Any, Final

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from agent.fleet.board import Board
from agent.fleet.samples import Quality, Sample, Snapshot
from agent.fleet.states import DeviceState
from agent.fleet.tally import Tally
from agent.loop import new_event_loop
from agent.memory import settle
from agent.metrics import StationPage, metrics_app
from agent.metrics.readings import ReadingLines
from benchmarks.result import Result
from drivers import Address, Driver
from drivers.protocol import modbus
from drivers.protocol.modbus import Modbus
from drivers.protocol.registers import I16

DEVICES: Final = 1000
READINGS: Final = 10
GOAL: Final = 200.0
GOAL_LOOP_S: Final = 1e-3
METRIC: Final = "labkeeper_temperature_celsius"
AT: Final = 1_790_000_000.0


class Logger(Driver[Modbus]):
    """A temperature logger with ten channels."""

    channel_0 = modbus.reading(0, I16.times(0.1), unit="Cel", doc="Channel 0.")
    channel_1 = modbus.reading(1, I16.times(0.1), unit="Cel", doc="Channel 1.")
    channel_2 = modbus.reading(2, I16.times(0.1), unit="Cel", doc="Channel 2.")
    channel_3 = modbus.reading(3, I16.times(0.1), unit="Cel", doc="Channel 3.")
    channel_4 = modbus.reading(4, I16.times(0.1), unit="Cel", doc="Channel 4.")
    channel_5 = modbus.reading(5, I16.times(0.1), unit="Cel", doc="Channel 5.")
    channel_6 = modbus.reading(6, I16.times(0.1), unit="Cel", doc="Channel 6.")
    channel_7 = modbus.reading(7, I16.times(0.1), unit="Cel", doc="Channel 7.")
    channel_8 = modbus.reading(8, I16.times(0.1), unit="Cel", doc="Channel 8.")
    channel_9 = modbus.reading(9, I16.times(0.1), unit="Cel", doc="Channel 9.")


NAMES: Final = tuple(Logger.readings)


async def measure(quick: bool) -> list[Result]:
    """Take 40 rounds (10 when quick) of both, then 400 scrapes (40) while the loop is watched."""
    return await asyncio.to_thread(_measured, *((10, 40) if quick else (40, 400)))


def _measured(rounds: int, scrapes: int) -> list[Result]:
    station = Station()
    page = StationPage(station.board, station.workers)
    client, peer = station.client()
    wrong = _differences(_values(b"".join(station.values())), generate_latest(client))
    settle()
    ours, theirs = [], []
    for number in range(rounds):
        station.poll(peer, 20.0 + number % 7)
        ours.append(min(_taken(lambda: b"".join(station.values())) for _ in range(5)))
        theirs.append(_taken(lambda: generate_latest(client)))
    wrong += _differences(_values(b"".join(station.values())), generate_latest(client))
    times = median(a / b for a, b in zip(theirs, ours, strict=True))
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        blocks, whole = runner.run(_scrapes(page, scrapes))
    each = station.cost_of_change()
    return [
        Result(
            name="scrape",
            figure=(
                f"{DEVICES * READINGS:,} series in {1e3 * median(ours):.2f} ms, {times:.0f} times as "
                f"fast as generate_latest ({1e3 * median(theirs):.0f} ms), {wrong} differ; a value that "
                f"changes costs {1e6 * each:.2f} µs"
            ),
            goal=f"{GOAL:g} times as fast, none differs",
            reached=0.0 if wrong else times / GOAL,
            more={"ours_s": ours, "generate_latest_s": theirs, "change_s": each, "wrong": wrong},
        ),
        Result(
            name="scrape_loop",
            figure=(
                f"the whole page of {DEVICES:,} devices, {whole / 1e6:.1f} MB with their states, polls "
                f"and histograms, keeps the loop for {1e3 * median(blocks):.2f} ms at a time "
                f"(the longest, in the middle of {scrapes} scrapes)"
            ),
            goal=f"{1e3 * GOAL_LOOP_S:g} ms",
            reached=GOAL_LOOP_S / median(blocks),
            more={"longest_s": blocks, "bytes": whole},
        ),
    ]


class Station:
    """A board with devices that answer, and nobody behind them."""

    def __init__(self) -> None:
        self.board = Board()
        address = Address.parse("tcp://127.0.0.1:1")
        plan = SimpleNamespace(
            driver_class=Logger, driver_name="bench.logger", simulated=False, address=address
        )
        self.devices = [f"logger{n}" for n in range(DEVICES)]
        self.workers: dict[str, Any] = {
            name: SimpleNamespace(plan=plan, tally=Tally(polls=1)) for name in self.devices
        }
        self._lines = ReadingLines(self.board, self.workers)
        self._polls = 0

    def poll(self, peer: dict[tuple[str, str], Any], value: float) -> None:
        """Have all devices answer with other values, and tell prometheus-client's gauges of them."""
        self._polls += 1
        for number, device in enumerate(self.devices):
            values = {name: value + 0.1 * (n + number % 50) for n, name in enumerate(NAMES)}
            self._post(device, values)
            for name, it in values.items():
                peer[device, name].set(it)

    def client(self) -> tuple[CollectorRegistry, dict[tuple[str, str], Any]]:
        """The registry of prometheus-client with a gauge for the same series, and its children."""
        registry = CollectorRegistry()
        gauge = Gauge(METRIC, "Readings.", ("device", "reading"), registry=registry)
        peer = {(d, n): gauge.labels(d, n) for d in self.devices for n in NAMES}
        self.poll(peer, 20.0)
        return registry, peer

    def values(self) -> Iterator[bytes]:
        """The lines of the readings alone."""
        for metric, pieces in self._lines.families():
            if metric.name == METRIC:
                yield from pieces

    def cost_of_change(self) -> float:
        """Seconds that a worker waits for each value that has changed."""
        waits = []
        for number in range(20):
            for device in self.devices[:100]:
                self._post(
                    device, {name: 30.0 + number + n for n, name in enumerate(NAMES)}, tell=False
                )
                waits.append(_taken(lambda one=device: self._lines.look(one)) / READINGS)  # type: ignore[misc]
        return median(waits)

    def _post(self, device: str, values: dict[str, float], *, tell: bool = True) -> None:
        when = AT + self._polls
        samples = {name: Sample(it, Quality.GOOD, when) for name, it in values.items()}
        snapshot = Snapshot(device=device, state=DeviceState.READY, since=AT, samples=samples)
        if tell:
            self.board.post(snapshot)
        else:
            self.board._latest[device] = snapshot  # noqa: SLF001 - what follows is timed alone


async def _scrapes(page: StationPage, count: int) -> tuple[list[float], int]:
    """How long each scrape keeps the loop at the longest, and how many bytes one has.

    It is the processor's time that counts: what other programs take is no fault of the page.
    """
    app, longest, size = metrics_app(page), [], 0
    for _ in range(count):
        moments: list[float] = []
        async with asyncio.TaskGroup() as tasks:
            scrape = tasks.create_task(_scrape(app))
            while not scrape.done():
                moments.append(thread_time())
                await asyncio.sleep(0)
        longest.append(max((b - a for a, b in pairwise(moments)), default=0.0))
        size = scrape.result()
    return longest, size


async def _scrape(app: Any) -> int:
    """Ask as Prometheus does, and count the bytes before they are compressed."""
    size = 0

    async def send(message: Any) -> None:
        nonlocal size
        size += len(message.get("body", b""))

    scope = {"type": "http", "method": "GET", "headers": []}
    await app(scope, None, send)
    return size


def _taken(work: Callable[[], object]) -> float:
    began = perf_counter()
    work()
    return perf_counter() - began


def _values(page: bytes) -> dict[tuple[str, ...], float]:
    return {
        (it.labels["device"], it.labels["reading"]): it.value
        for family in text_string_to_metric_families(page.decode())
        for it in family.samples
    }


def _differences(ours: dict[tuple[str, ...], float], page: bytes) -> int:
    theirs = _values(page)
    return len(ours.items() ^ theirs.items())
