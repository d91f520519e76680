"""How the alarms stand."""

from collections.abc import Iterable, Iterator
from functools import partial

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from agent.metrics.slices import sliced
from agent.safety.alarm import Alarm


def alarm_families(alarms: Iterable[Alarm]) -> Iterator[Metric]:
    """Yield of each alarm whether it is so, and whether somebody has to acknowledge it."""
    found = tuple(alarms)
    for name, about, rows in (
        ("active", "Whether what an alarm tells of is so.", [it.active for it in found]),
        (
            "unacknowledged",
            "Whether an alarm waits to be acknowledged.",
            [not it.acknowledged for it in found],
        ),
    ):
        family = partial(
            GaugeMetricFamily, f"labkeeper_alarm_{name}", about, labels=("alarm", "priority")
        )
        labels = ((it.name, it.notice.priority) for it in found)
        yield from sliced(family, zip(labels, map(float, rows), strict=True))
