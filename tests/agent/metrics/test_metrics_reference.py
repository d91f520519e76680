"""The table of all metrics keeps the conventions, and the reference page is what it says."""

from __future__ import annotations

import pytest

from agent.metrics.definitions import METRICS
from agent.metrics.metric import Metric
from agent.metrics.reference import page
from drivers import UNITS
from tests.pages import DOCS

PAGE = "metrics.md"
NOT_BASE = ("_ms", "_minutes", "_hours", "_days", "_percent", "_kelvin", "_millimeters", "_bar")
ALL = pytest.mark.parametrize("metric", METRICS.values(), ids=lambda it: it.name)


def test_the_reference_page_is_what_the_table_says() -> None:
    assert (DOCS / PAGE).read_text("utf-8") == page(), (
        "write it anew: python -m agent.metrics.reference > docs/metrics.md"
    )


def test_every_unit_of_a_reading_has_its_metric() -> None:
    for row in UNITS.values():
        name = "_".join(filter(None, ("labkeeper", row.quantity, row.base)))
        assert METRICS[name].unit in {row.base, "ratio"}


@ALL
def test_names_keep_the_conventions_of_prometheus_and_openmetrics(metric: Metric) -> None:
    assert metric.name.startswith("labkeeper_")
    assert metric.name.endswith("_total") == (metric.kind == "counter")
    assert metric.name.endswith("_info") == (metric.kind == "info")
    assert not metric.family.endswith((*NOT_BASE, "_count", "_sum", "_bucket"))
    assert metric.family.endswith(metric.unit)
    assert metric.about.endswith((".", ":", "1."))


@ALL
def test_no_label_could_have_as_many_values_as_there_are_jobs_or_people(metric: Metric) -> None:
    assert len(set(metric.labels)) == len(metric.labels)
    assert set(metric.labels) <= {
        *("device", "reading", "choice", "quality", "state", "driver", "kind", "simulated"),
        *("bus", "unit", "interlock", "alarm", "priority", "verdict", "version", "sha256", "door"),
    }
