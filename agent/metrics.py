"""What Prometheus scrapes: values in base units, states, and what the agent counts of itself.

A device that is offline has no value series, and a value that is stale or bad has none either: a
missing series is honest, an old number is not. Labels are bounded: devices and readings come from
config and drivers, never from what a device or a person writes.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Final, Protocol

from prometheus_client import CollectorRegistry, ProcessCollector, make_asgi_app
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.metrics_core import Metric
from starlette.types import ASGIApp, Receive, Scope, Send

from agent.fleet.board import Board
from agent.fleet.device import DeviceWorker
from agent.fleet.samples import Quality, Sample
from agent.fleet.tally import BUCKETS
from drivers import UNITS, Traffic, Unit

BELIEVED: Final = frozenset({Quality.GOOD, Quality.SIMULATED, Quality.MANUAL})
LABELS: Final = ("device", "reading")


class BrokerCounts(Protocol):
    """What the broker session counts."""

    connected: bool
    connects: int
    published: int
    refused: int


class StationCollector:
    """Reads board and tallies at each scrape, so that no series outlives its device."""

    def __init__(
        self,
        board: Board,
        workers: Mapping[str, DeviceWorker],
        version: str,
        broker: BrokerCounts | None = None,
        traffic: Callable[[], Mapping[str, Traffic]] = dict,
    ) -> None:
        self._board, self._workers = board, workers
        self._version, self._broker, self._traffic = version, broker, traffic

    def collect(self) -> Iterable[Metric]:
        """Yield every metric family as it is now."""
        yield InfoMetricFamily(
            "labkeeper_build", "The agent that answers.", value={"version": self._version}
        )
        yield from self._states()
        yield from self._values()
        yield from self._counts()
        yield from _buses(self._traffic())
        if self._broker is not None:
            yield from _broker(self._broker)

    def _states(self) -> Iterable[Metric]:
        up = GaugeMetricFamily(
            "labkeeper_device_up", "Whether the device answers.", labels=("device",)
        )
        state = GaugeMetricFamily(
            "labkeeper_device_state",
            "The state the device is in: 1, and no series for the others.",
            labels=("device", "state"),
        )
        for name, snapshot in sorted(self._board.latest.items()):
            up.add_metric((name,), float(snapshot.state.online))
            state.add_metric((name, snapshot.state), 1.0)
        return up, state

    def _values(self) -> Iterable[Metric]:
        families: dict[str, Metric] = {}
        for device, snapshot in sorted(self._board.latest.items()):
            worker = self._workers.get(device)
            if worker is None or not snapshot.state.online:
                continue
            for reading, sample in snapshot.samples.items():
                if sample.quality in BELIEVED:
                    form = worker.plan.driver_class.readings[reading].form
                    _add(families, (device, reading), sample, form.unit, form.kind)
        return families.values()

    def _counts(self) -> Iterable[Metric]:
        polls = _counter("polls", "Polls carried out.", "device")
        skipped = _counter("polls_skipped", "Polls that came too late to be made.", "device")
        connects = _counter("device_connects", "Times the device was connected.", "device")
        failures = _counter("failures", "Failures by the kind of error.", "device", "kind")
        duration = HistogramMetricFamily(
            "labkeeper_poll_duration_seconds", "Time a poll took.", labels=("device",)
        )
        for name, worker in sorted(self._workers.items()):
            tally = worker.tally
            polls.add_metric((name,), tally.polls)
            skipped.add_metric((name,), tally.skipped)
            connects.add_metric((name,), tally.connects)
            for kind, count in sorted(tally.failures.items()):
                failures.add_metric((name, kind), count)
            duration.add_metric((name,), _cumulated(tally.buckets), tally.seconds)
        return polls, skipped, connects, failures, duration


def metrics_app(collector: StationCollector) -> ASGIApp:
    """An ASGI application that answers with the exposition, as text or OpenMetrics."""
    registry = CollectorRegistry()
    registry.register(collector)
    process = _Process()
    registry.register(process)
    exposition: ASGIApp = make_asgi_app(registry)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await process.look()
        await exposition(scope, receive, send)

    return app


class _Process:
    """What the system knows of this process. It is in files, which are read beside the loop."""

    def __init__(self) -> None:
        self._source = ProcessCollector(registry=None)
        self._latest: tuple[Metric, ...] = ()

    async def look(self) -> None:
        self._latest = await asyncio.to_thread(lambda: tuple(self._source.collect()))

    def collect(self) -> Iterable[Metric]:
        return self._latest


def _counter(name: str, doc: str, *labels: str) -> CounterMetricFamily:
    return CounterMetricFamily(f"labkeeper_{name}", doc, labels=labels)


def _add(
    families: dict[str, Metric], labels: tuple[str, str], sample: Sample, unit: Unit, kind: str
) -> None:
    match sample.value:
        case bool() as on:
            family = _family(families, "labkeeper_on", "Whether it is on.")
            family.add_metric(labels, float(on))
        case int() | float() as number:
            row = UNITS[unit]
            name = "_".join(filter(None, ("labkeeper", row.quantity, row.base)))
            doc = f"Readings of {row.quantity}{f' in {row.base}' if row.base else ''}."
            _family(families, name, doc).add_metric(labels, number * row.factor)
        case str() as chosen if kind == "choice":
            family = _family(
                families, "labkeeper_choice", "What it is set to or does: 1.", (*LABELS, "choice")
            )
            family.add_metric((*labels, chosen), 1.0)


def _family(
    families: dict[str, Metric], name: str, doc: str, labels: tuple[str, ...] = LABELS
) -> GaugeMetricFamily:
    family = families.setdefault(name, GaugeMetricFamily(name, doc, labels=labels))
    assert isinstance(family, GaugeMetricFamily)  # noqa: S101 - only gauges are put in
    return family


def _cumulated(counts: list[int]) -> list[tuple[str, float]]:
    total, rows = 0, []
    for bound, count in zip((*map(str, BUCKETS), "+Inf"), counts, strict=True):
        total += count
        rows.append((bound, float(total)))
    return rows


def _buses(traffic: Mapping[str, Traffic]) -> Iterable[Metric]:
    busy = _counter("bus_busy_seconds", "Time in which the bus was in use.", "bus")
    lost = _counter("bus_lost_seconds", "Time of the bus that a unit took in vain.", "bus", "unit")
    exchanges = _counter("bus_exchanges", "Requests sent on the bus.", "bus")
    probes = _counter("bus_probes", "Questions whether a silent unit is back.", "bus")
    discarded = _counter("bus_discarded_bytes", "Bytes that answered no request.", "bus")
    faults = _counter("bus_faults", "What went wrong on the bus, by kind.", "bus", "kind")
    for name, counts in sorted(traffic.items()):
        busy.add_metric((name,), counts.busy)
        exchanges.add_metric((name,), counts.exchanges)
        probes.add_metric((name,), counts.probes)
        discarded.add_metric((name,), counts.discarded)
        for unit, seconds in sorted(counts.lost.items()):
            lost.add_metric((name, str(unit)), seconds)
        for kind, count in counts.faults().items():
            faults.add_metric((name, kind), count)
    return busy, lost, exchanges, probes, discarded, faults


def _broker(broker: BrokerCounts) -> Iterable[Metric]:
    yield GaugeMetricFamily(
        "labkeeper_mqtt_connected", "Whether the broker is connected.", value=broker.connected
    )
    for name, doc, count in (
        ("mqtt_connects", "Times the broker was connected.", broker.connects),
        ("mqtt_published", "Messages published.", broker.published),
        ("mqtt_refused", "Requests over MQTT that were refused.", broker.refused),
    ):
        yield CounterMetricFamily(f"labkeeper_{name}", doc, value=count)
