"""What is counted of each shared bus: how busy it is, and with what in vain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from operator import attrgetter
from typing import Final

from prometheus_client.metrics_core import Metric

from agent.metrics.families import counter
from agent.metrics.slices import sliced
from drivers import Traffic

CARRIED: Final = {
    "bus_busy_seconds_total": attrgetter("busy"),
    "bus_exchanges_total": attrgetter("exchanges"),
    "bus_probes_total": attrgetter("probes"),
    "bus_discarded_bytes_total": attrgetter("discarded"),
}
"""What is counted for each bus, by the metric."""


def buses(traffic: Mapping[str, Traffic]) -> Iterator[Metric]:
    """Yield the counters of every bus, by its name."""
    rows = sorted(traffic.items())
    for name, count in CARRIED.items():
        whole = (((bus,), count(it)) for bus, it in rows)
        yield from sliced(partial(counter, name), whole)
    yield from sliced(
        partial(counter, "bus_lost_seconds_total"),
        (((bus, str(unit)), s) for bus, it in rows for unit, s in sorted(it.lost.items())),
    )
    yield from sliced(
        partial(counter, "bus_faults_total"),
        (((bus, kind), count) for bus, it in rows for kind, count in it.faults().items()),
    )
