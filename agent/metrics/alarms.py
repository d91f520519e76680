"""How the alarms stand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Final

from prometheus_client.metrics_core import Metric

from agent.metrics.families import gauge
from agent.metrics.slices import sliced
from agent.safety.alarm import Alarm, State

WAITING: Final = frozenset({State.UNACKNOWLEDGED, State.RETURNED})
"""States of an alarm that waits for somebody. One that is put aside does not, until it is taken up again."""


def alarm_families(alarms: Iterable[Alarm]) -> Iterator[Metric]:
    """Yield of each alarm whether it is so, and whether somebody has to acknowledge it."""
    found = tuple(alarms)
    for name, rows in (
        ("alarm_active", [it.active for it in found]),
        ("alarm_unacknowledged", [it.state in WAITING for it in found]),
    ):
        labels = ((it.name, it.notice.priority) for it in found)
        yield from sliced(partial(gauge, name), zip(labels, map(float, rows), strict=True))
