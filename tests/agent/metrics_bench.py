"""A page of metrics taken apart, and what prometheus-client would say of the same devices."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from prometheus_client import generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as openmetrics_families,
)
from prometheus_client.parser import text_string_to_metric_families

from agent.fleet.board import Board
from agent.fleet.samples import Quality, Sample
from agent.fleet.tally import BUCKETS
from agent.metrics import StationPage
from agent.metrics.lines import Form
from drivers import UNITS

Labels = tuple[tuple[str, str], ...]
Series = dict[tuple[str, Labels], float]
SHOWN = (Quality.GOOD, Quality.SIMULATED, Quality.MANUAL)


class Parsed(NamedTuple):
    """One family as a parser understands it; numbers as text, for no NaN is equal to another."""

    type: str
    documentation: str
    unit: str
    samples: Mapping[tuple[str, Labels], str]


def labels(**given: str) -> Labels:
    return tuple(sorted(given.items()))


def families(page: bytes, form: Form) -> Iterable[Metric]:
    read = text_string_to_metric_families if form == "text" else openmetrics_families
    found: Iterable[Metric] = read(page.decode())
    return found


def scraped(page: StationPage) -> Series:
    """Every sample of a page."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families(page.text(), "text")
        for sample in family.samples
    }


def parsed(page: bytes, form: Form) -> dict[str, Parsed]:
    """The families of a page that have samples. A sample that is there twice is a failure."""
    found = {}
    for family in families(page, form):
        samples = [
            ((it.name, tuple(sorted(it.labels.items()))), repr(it.value)) for it in family.samples
        ]
        assert len(dict(samples)) == len(samples)
        assert family.name not in found
        assert all(it.timestamp is None for it in family.samples)
        if samples:
            found[family.name] = Parsed(
                family.type, family.documentation, family.unit, dict(samples)
            )
    return found


def as_float(value: Any) -> float:
    """What a number is as a float; infinite beyond the largest."""
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


class Client:
    """What prometheus-client makes of a board and its workers, from the first line to the last."""

    def __init__(self, board: Board, workers: Mapping[str, Any], about: Mapping[str, Any]) -> None:
        self._board, self._workers, self._about = board, workers, about

    def page(self, form: Form) -> bytes:
        write: Any = generate_latest if form == "text" else generate_openmetrics
        page: bytes = write(self)
        return page

    def collect(self) -> Iterator[Metric]:
        found: dict[str, Metric] = {}
        for device, snapshot in self._board.latest.items():
            if snapshot.state.online:
                driver = self._workers[device].plan.driver_class
                for reading, sample in snapshot.samples.items():
                    self._reading(found, driver, device, reading, sample)
            self._device(found, device)
        yield from found.values()

    def _reading(
        self, found: dict[str, Metric], driver: Any, device: str, reading: str, sample: Sample
    ) -> None:
        its, form, value = (device, reading), driver.readings[reading].form, sample.value
        if sample.quality is not Quality.GOOD:
            self._gauge(found, "labkeeper_reading_quality", (*its, str(sample.quality)), 1.0)
        if sample.quality not in SHOWN or value is None:
            return
        if reading in driver.hazards:
            energized = value not in driver.hazards[reading]
            self._gauge(found, "labkeeper_output_energized", its, energized)
        if form.kind == "text":
            return
        self._gauge(found, "labkeeper_reading_timestamp_seconds", its, round(sample.time, 3))
        if form.kind == "choice":
            self._gauge(found, "labkeeper_choice", (*its, str(value)), 1.0)
        elif form.kind == "boolean":
            self._gauge(found, "labkeeper_on", its, float(value))
        else:
            row = UNITS[form.unit]
            name = "_".join(filter(None, ("labkeeper", row.quantity, row.base)))
            self._gauge(found, name, its, as_float(value) * row.factor)

    def _device(self, found: dict[str, Metric], device: str) -> None:
        snapshot, worker = self._board.latest[device], self._workers[device]
        tally, plan = worker.tally, worker.plan
        self._gauge(found, "labkeeper_device_up", (device,), snapshot.state.online)
        self._gauge(found, "labkeeper_device_state", (device, str(snapshot.state)), 1.0)
        self._gauge(found, "labkeeper_device_state_timestamp_seconds", (device,), snapshot.since)
        facts = {"driver": plan.driver_name, "kind": "other", "simulated": "false"}
        info = found.setdefault(
            "labkeeper_device_info",
            InfoMetricFamily(
                "labkeeper_device",
                self._about["labkeeper_device_info"].about,
                labels=("device",),
            ),
        )
        assert isinstance(info, InfoMetricFamily)
        info.add_metric((device,), facts)
        for name, count in (
            ("labkeeper_device_connects_total", tally.connects),
            ("labkeeper_polls_total", tally.polls),
            ("labkeeper_polls_late_total", tally.late),
            ("labkeeper_polls_skipped_total", tally.skipped),
        ):
            self._counter(found, name, (device,), count)
        for kind, count in tally.failures.items():
            self._counter(found, "labkeeper_failures_total", (device, kind), count)
        name = "labkeeper_poll_duration_seconds"
        histogram = found.setdefault(name, HistogramMetricFamily(**self._made(name)))
        assert isinstance(histogram, HistogramMetricFamily)
        whole = [
            (str(bound), float(sum(tally.buckets[: n + 1])))
            for n, bound in enumerate((*BUCKETS, "+Inf"))
        ]
        histogram.add_metric((device,), whole, tally.seconds)

    def _gauge(
        self, found: dict[str, Metric], name: str, its: tuple[str, ...], value: float
    ) -> None:
        family = found.setdefault(name, GaugeMetricFamily(**self._made(name)))
        assert isinstance(family, GaugeMetricFamily)
        family.add_metric(its, value)

    def _counter(
        self, found: dict[str, Metric], name: str, its: tuple[str, ...], value: float
    ) -> None:
        family = found.setdefault(name, CounterMetricFamily(**self._made(name)))
        assert isinstance(family, CounterMetricFamily)
        family.add_metric(its, value)

    def _made(self, name: str) -> dict[str, Any]:
        metric = self._about[name]
        made = {"name": name, "documentation": metric.about, "labels": metric.labels}
        return {**made, "unit": metric.unit}
