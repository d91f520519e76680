"""The reference page of the metrics: `python -m agent.metrics.reference > docs/metrics.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Final

from agent.metrics.definitions import GROUPS
from agent.metrics.metric import Group, Metric
from drivers import UNITS

HEAD: Final = """\
# Metrics

<!-- Written by `python -m agent.metrics.reference`: change the tables in agent/metrics instead. -->

What Prometheus finds at `http://127.0.0.1:9464/metrics`: [who may read it](scraping.md). Names, labels and units are a [contract](contracts.md): they are
not changed without need. An `info` is a gauge that is always 1.

Labels are bounded: devices, readings and choices come from config and drivers, never from what a device or a person
writes. Ages and dates are told as the moment, in seconds UTC, as Prometheus's conventions want it: `time()` less
`labkeeper_reading_timestamp_seconds` is the age of a value, and a certificate's end less `time()`, divided by 86400, are
the days that are left.
"""
UNITS_HEAD: Final = """\
## Units

Which metric has the values of a reading, by its [unit](contracts.md).

| unit | metric |
|---|---|
"""


def page() -> str:
    """The page as a whole."""
    return HEAD + "".join(f"\n{section(group)}" for group in GROUPS) + "\n" + _units()


def section(group: Group) -> str:
    """A heading, some words, and a table."""
    rows = "".join(f"| {' | '.join(_row(metric))} |\n" for metric in group.metrics)
    words = f"{group.about}\n\n" if group.about else ""
    head = "| metric | labels | type | unit | meaning |\n|---|---|---|---|---|\n"
    return f"## {group.title}\n\n{words}{head}{rows}"


def _row(metric: Metric) -> Iterator[str]:
    yield f"`{metric.name}`"
    yield ", ".join(f"`{label}`" for label in metric.labels)
    yield metric.kind
    yield metric.unit.replace("_", " ")
    yield f"{metric.about} No series {metric.absent}." if metric.absent else metric.about


def _units() -> str:
    by_metric: dict[str, list[str]] = {}
    for code, row in UNITS.items():
        name = "_".join(filter(None, ("labkeeper", row.quantity, row.base)))
        by_metric.setdefault(name, []).append(f"`{code}`" if code else "none")
    rows = "".join(f"| {', '.join(codes)} | `{name}` |\n" for name, codes in by_metric.items())
    return UNITS_HEAD + rows


if __name__ == "__main__":
    sys.stdout.write(page())
