"""Families of prometheus-client, made from the table of all metrics: for what is few and counted."""

from __future__ import annotations

from typing import Any

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.metrics_core import Metric as Family

from agent.metrics.definitions import of


def gauge(name: str) -> GaugeMetricFamily:
    """An empty gauge of the table, whose name is given without `labkeeper_`, as below."""
    return GaugeMetricFamily(**_made_of(name))


def counter(name: str) -> CounterMetricFamily:
    """An empty counter of the table."""
    return CounterMetricFamily(**_made_of(name))


def histogram(name: str) -> HistogramMetricFamily:
    """An empty histogram of the table."""
    return HistogramMetricFamily(**_made_of(name))


def info(name: str, *facts: str) -> Family:
    """The facts that a metric of the table has in its labels, all of them in one series."""
    metric = of(name)
    its = dict(zip(metric.labels, facts, strict=True))
    return InfoMetricFamily(metric.family, metric.about, value=its)


def one(name: str, value: float) -> Family:
    """The one series of a gauge without labels."""
    family = gauge(name)
    family.add_metric((), float(value))
    return family


def total(name: str, value: float) -> Family:
    """The one series of a counter without labels."""
    family = counter(name)
    family.add_metric((), float(value))
    return family


def _made_of(name: str) -> dict[str, Any]:
    metric = of(name)
    return {
        "name": metric.family,
        "documentation": metric.about,
        "labels": metric.labels,
        "unit": metric.unit,
    }
