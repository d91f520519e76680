"""Of each device: whether it answers, its state, its values in base units, and its polls.

A device that is offline has no value series, and a value that is stale or bad has none either: a
missing series is honest, an old number is not. Labels are bounded: devices and readings come from
config and drivers, never from what a device or a person writes.
"""

from collections.abc import Iterator, Mapping
from functools import cache, partial
from operator import attrgetter
from typing import Final

from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric

from agent.fleet.board import Board
from agent.fleet.device import DeviceWorker
from agent.fleet.samples import Quality, Sample
from agent.fleet.tally import BUCKETS
from agent.metrics.slices import Row, counter, cumulated, sliced
from drivers import UNITS, Unit

BELIEVED: Final = frozenset({Quality.GOOD, Quality.SIMULATED, Quality.MANUAL})
LABELS: Final = ("device", "reading")
COUNTED: Final = {
    ("polls", "Polls carried out."): attrgetter("polls"),
    ("polls_skipped", "Polls that came too late to be made."): attrgetter("skipped"),
    ("device_connects", "Times the device was connected."): attrgetter("connects"),
}
"""Name and documentation of what a tally holds for each device."""

_Gauge = tuple[str, str, tuple[str, ...]]
"""Name, documentation and labels."""


def states(board: Board) -> Iterator[Metric]:
    """Yield whether each device answers, and the state it is in."""
    latest = sorted(board.latest.items())
    yield from sliced(
        lambda: GaugeMetricFamily(
            "labkeeper_device_up", "Whether the device answers.", labels=("device",)
        ),
        (((name,), float(it.state.online)) for name, it in latest),
    )
    yield from sliced(
        lambda: GaugeMetricFamily(
            "labkeeper_device_state",
            "The state the device is in: 1, and no series for the others.",
            labels=("device", "state"),
        ),
        (((name, it.state), 1.0) for name, it in latest),
    )


def values(board: Board, workers: Mapping[str, DeviceWorker]) -> Iterator[Metric]:
    """Yield what can be believed of the devices that answer."""
    families: dict[_Gauge, list[Row]] = {}
    for device, snapshot in sorted(board.latest.items()):
        worker = workers.get(device)
        if worker is None or not snapshot.state.online:
            continue
        readings = worker.plan.driver_class.readings
        for reading, sample in snapshot.samples.items():
            if sample.quality in BELIEVED:
                form = readings[reading].form
                _add(families, (device, reading), sample, form.unit, form.kind)
    for (name, doc, labels), rows in families.items():
        yield from sliced(partial(GaugeMetricFamily, name, doc, labels=labels), rows)


def counts(workers: Mapping[str, DeviceWorker]) -> Iterator[Metric]:
    """Yield how often each device was asked, how long that took, and what failed."""
    tallies = [(name, worker.tally) for name, worker in sorted(workers.items())]
    for (name, doc), count in COUNTED.items():
        rows = (((device,), count(tally)) for device, tally in tallies)
        yield from sliced(partial(counter, name, doc, "device"), rows)
    yield from sliced(
        lambda: counter("failures", "Failures by the kind of error.", "device", "kind"),
        (((n, kind), count) for n, t in tallies for kind, count in sorted(t.failures.items())),
    )
    yield from sliced(
        lambda: HistogramMetricFamily(
            "labkeeper_poll_duration_seconds", "Time a poll took.", labels=("device",)
        ),
        (((n,), cumulated(BUCKETS, t.buckets), t.seconds) for n, t in tallies),
    )


def _add(
    families: dict[_Gauge, list[Row]],
    labels: tuple[str, str],
    sample: Sample,
    unit: Unit,
    kind: str,
) -> None:
    match sample.value:
        case bool() as on:
            gauge: _Gauge = ("labkeeper_on", "Whether it is on.", LABELS)
            families.setdefault(gauge, []).append((labels, float(on)))
        case int() | float() as number:
            row = UNITS[unit]
            gauge = _measured(row.quantity, row.base)
            families.setdefault(gauge, []).append((labels, number * row.factor))
        case str() as chosen if kind == "choice":
            gauge = ("labkeeper_choice", "What it is set to or does: 1.", (*LABELS, "choice"))
            families.setdefault(gauge, []).append(((*labels, chosen), 1.0))


@cache
def _measured(quantity: str, base: str) -> _Gauge:
    name = "_".join(filter(None, ("labkeeper", quantity, base)))
    return name, f"Readings of {quantity}{f' in {base}' if base else ''}.", LABELS
