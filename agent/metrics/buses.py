"""What is counted of each shared bus: how busy it is, and with what in vain."""

from collections.abc import Iterator, Mapping
from functools import partial
from operator import attrgetter
from typing import Final

from prometheus_client.metrics_core import Metric

from agent.metrics.slices import counter, sliced
from drivers import Traffic

CARRIED: Final = {
    ("bus_busy_seconds", "Time in which the bus was in use."): attrgetter("busy"),
    ("bus_exchanges", "Requests sent on the bus."): attrgetter("exchanges"),
    ("bus_probes", "Questions whether a silent unit is back."): attrgetter("probes"),
    ("bus_discarded_bytes", "Bytes that answered no request."): attrgetter("discarded"),
}
"""Name and documentation of what is counted for each bus."""


def buses(traffic: Mapping[str, Traffic]) -> Iterator[Metric]:
    """Yield the counters of every bus, by its name."""
    rows = sorted(traffic.items())
    for (name, doc), count in CARRIED.items():
        whole = (((bus,), count(it)) for bus, it in rows)
        yield from sliced(partial(counter, name, doc, "bus"), whole)
    yield from sliced(
        lambda: counter(
            "bus_lost_seconds", "Time of the bus that a unit took in vain.", "bus", "unit"
        ),
        (((bus, str(unit)), s) for bus, it in rows for unit, s in sorted(it.lost.items())),
    )
    yield from sliced(
        lambda: counter("bus_faults", "What went wrong on the bus, by kind.", "bus", "kind"),
        (((bus, kind), count) for bus, it in rows for kind, count in it.faults().items()),
    )
