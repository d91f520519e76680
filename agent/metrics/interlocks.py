"""How the interlocks stand, and how often each has tripped."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.metrics_core import Metric

from agent.metrics.families import counter, gauge
from agent.safety.interlock import Interlocks


def interlock_families(interlocks: Interlocks) -> Iterator[Metric]:
    """Yield whether each holds, whether its trip still counts, and how many there were."""
    holds, latched = gauge("interlock_holds"), gauge("interlock_latched")
    trips = counter("interlock_trips_total")
    for it in interlocks.standing():
        name = it.interlock.name
        holds.add_metric((name,), float(it.holds))
        if it.interlock.trip:
            latched.add_metric((name,), float(bool(it.latched)))
            trips.add_metric((name,), interlocks.trips[name])
    yield from (holds, latched, trips)
