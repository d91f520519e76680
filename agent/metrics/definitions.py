"""Every metric that there is, by name.

What is scraped, the reference page and the tests of both read this table, and so may whatever makes
dashboards and rules.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from agent.metrics.device_metrics import BUSES, DEVICES, POLLS, READINGS, VALUES
from agent.metrics.metric import Metric
from agent.metrics.station_metrics import AGENT, BROKER, JOBS, RECORD, SAFETY

GROUPS: Final = (
    VALUES, READINGS, DEVICES, POLLS, BUSES, SAFETY, JOBS, RECORD, BROKER, AGENT
)  # fmt: skip
METRICS: Final[Mapping[str, Metric]] = MappingProxyType(
    {metric.name: metric for group in GROUPS for metric in group.metrics}
)
"""All of them, by name."""


def of(name: str) -> Metric:
    """The metric of this name, which is given without `labkeeper_`."""
    return METRICS[f"labkeeper_{name}"]


def samples() -> Iterator[tuple[str, Metric]]:
    """Yield every name that a query may ask for, with its metric: of a histogram there are three."""
    for metric in METRICS.values():
        if metric.kind == "histogram":
            for suffix in ("_bucket", "_sum", "_count"):
                yield metric.name + suffix, metric
        else:
            yield metric.name, metric
