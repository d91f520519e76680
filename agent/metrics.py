"""What Prometheus scrapes: values in base units, states, and what the agent counts of itself.

A device that is offline has no value series, and a value that is stale or bad has none either: a
missing series is honest, an old number is not. Labels are bounded: devices and readings come from
config and drivers, never from what a device or a person writes.
"""

import asyncio
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, partial
from itertools import chain, groupby
from operator import attrgetter
from types import SimpleNamespace
from typing import Any, Final, Protocol, TypeVar

from prometheus_client import ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.exposition import choose_encoder, gzip_accepted
from prometheus_client.metrics_core import Metric
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from agent.fleet.board import Board
from agent.fleet.device import DeviceWorker
from agent.fleet.samples import Quality, Sample
from agent.fleet.tally import BUCKETS
from agent.safety.interlock import Standing
from drivers import UNITS, Traffic, Unit

BELIEVED: Final = frozenset({Quality.GOOD, Quality.SIMULATED, Quality.MANUAL})
LABELS: Final = ("device", "reading")
SLICE: Final = 20
"""Samples that are made and written at once, in 0.2 ms, after which the polls have their turn."""
PIECE: Final = 16 * 1024
"""Bytes of the page that are sent at once."""
END: Final = b"# EOF\n"
"""How OpenMetrics ends. Source: OpenMetrics 1.0, "Overall Structure"."""

COUNTED: Final = {
    ("polls", "Polls carried out."): attrgetter("polls"),
    ("polls_skipped", "Polls that came too late to be made."): attrgetter("skipped"),
    ("device_connects", "Times the device was connected."): attrgetter("connects"),
}
"""Name and documentation of what a tally holds for each device."""
CARRIED: Final = {
    ("bus_busy_seconds", "Time in which the bus was in use."): attrgetter("busy"),
    ("bus_exchanges", "Requests sent on the bus."): attrgetter("exchanges"),
    ("bus_probes", "Questions whether a silent unit is back."): attrgetter("probes"),
    ("bus_discarded_bytes", "Bytes that answered no request."): attrgetter("discarded"),
}
"""The same of what is counted for each bus."""

AnyFamily = TypeVar("AnyFamily", bound=Metric)


class BrokerCounts(Protocol):
    """What the broker session counts."""

    connected: bool
    connects: int
    published: int
    refused: int


class StationCollector:
    """Reads board and tallies at each scrape, so that no series outlives its device."""

    def __init__(
        self,
        board: Board,
        workers: Mapping[str, DeviceWorker],
        version: str,
        broker: BrokerCounts | None = None,
        traffic: Callable[[], Mapping[str, Traffic]] = dict,
        interlocks: Callable[[], Iterable[Standing]] = tuple,
    ) -> None:
        self._board, self._workers = board, workers
        self._version, self._broker, self._traffic = version, broker, traffic
        self._interlocks = interlocks

    def collect(self) -> Iterable[Metric]:
        """Yield every metric family as it is now."""
        for _, parts in groupby(self.slices(), attrgetter("name")):
            whole, *others = parts
            whole.samples += [sample for other in others for sample in other.samples]
            yield whole

    def slices(self) -> Iterator[Metric]:
        """Yield the same in slices of some SLICE samples: those of one family follow each other."""
        yield InfoMetricFamily(
            "labkeeper_build", "The agent that answers.", value={"version": self._version}
        )
        yield from self._states()
        yield from self._values()
        yield from self._counts()
        rows = (((it.interlock.name,), float(it.holds)) for it in self._interlocks())
        about = ("labkeeper_interlock_holds", "Whether all it requires is so.")
        yield from _sliced(partial(GaugeMetricFamily, *about, labels=("interlock",)), rows)
        yield from _buses(self._traffic())
        if self._broker is not None:
            yield from _broker(self._broker)

    def _states(self) -> Iterator[Metric]:
        latest = sorted(self._board.latest.items())
        yield from _sliced(
            lambda: GaugeMetricFamily(
                "labkeeper_device_up", "Whether the device answers.", labels=("device",)
            ),
            (((name,), float(it.state.online)) for name, it in latest),
        )
        yield from _sliced(
            lambda: GaugeMetricFamily(
                "labkeeper_device_state",
                "The state the device is in: 1, and no series for the others.",
                labels=("device", "state"),
            ),
            (((name, it.state), 1.0) for name, it in latest),
        )

    def _values(self) -> Iterator[Metric]:
        families: dict[_Gauge, list[_Row]] = {}
        for device, snapshot in sorted(self._board.latest.items()):
            worker = self._workers.get(device)
            if worker is None or not snapshot.state.online:
                continue
            readings = worker.plan.driver_class.readings
            for reading, sample in snapshot.samples.items():
                if sample.quality in BELIEVED:
                    form = readings[reading].form
                    _add(families, (device, reading), sample, form.unit, form.kind)
        for (name, doc, labels), rows in families.items():
            yield from _sliced(partial(GaugeMetricFamily, name, doc, labels=labels), rows)

    def _counts(self) -> Iterator[Metric]:
        tallies = [(name, worker.tally) for name, worker in sorted(self._workers.items())]
        for (name, doc), count in COUNTED.items():
            rows = (((device,), count(tally)) for device, tally in tallies)
            yield from _sliced(partial(_counter, name, doc, "device"), rows)
        yield from _sliced(
            lambda: _counter("failures", "Failures by the kind of error.", "device", "kind"),
            (((n, kind), count) for n, t in tallies for kind, count in sorted(t.failures.items())),
        )
        yield from _sliced(
            lambda: HistogramMetricFamily(
                "labkeeper_poll_duration_seconds", "Time a poll took.", labels=("device",)
            ),
            (((n,), _cumulated(t.buckets), t.seconds) for n, t in tallies),
        )


def metrics_app(collector: StationCollector) -> ASGIApp:
    """An ASGI application that answers with the exposition, as text or OpenMetrics.

    It is made slice by slice: as a whole, the 30,000 samples of a thousand devices would take
    10 MB and more, and the loop for more than a tenth of a second.
    """
    process = _Process()

    async def app(scope: Scope, _: Receive, send: Send) -> None:
        asked = Headers(scope=scope)
        encode, kind = choose_encoder(asked.get("accept", ""))
        packed = gzip_accepted(asked.get("accept-encoding", ""))
        gzip = zlib.compressobj(wbits=16 + zlib.MAX_WBITS) if packed else None
        await process.look()
        headers = [(b"content-type", kind.encode()), (b"content-encoding", b"gzip")][: 1 + packed]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        waiting = bytearray()
        for page in _pages(encode, chain(process.collect(), collector.slices())):
            waiting += gzip.compress(page) if gzip else page
            if len(waiting) >= PIECE:
                await send(_body(bytes(waiting), more=True))
                waiting.clear()
            await asyncio.sleep(0)
        await send(_body(bytes(waiting) + (gzip.flush() if gzip else b"")))

    return app


def _pages(encode: Callable[[Any], bytes], slices: Iterable[Metric]) -> Iterator[bytes]:
    """The exposition in pieces: a family's head stands before its first slice alone."""
    family, end = "", b""
    for part in slices:
        page = encode(SimpleNamespace(collect=partial(iter, (part,))))
        if page.endswith(END):
            page, end = page.removesuffix(END), END
        if part.name == family:
            page = b"".join(line for line in page.splitlines(True) if not line.startswith(b"#"))
        family = part.name
        yield page
    yield end


def _body(data: bytes, *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": data, "more_body": more}


class _Process:
    """What the system knows of this process. It is in files, which are read beside the loop."""

    def __init__(self) -> None:
        self._source = ProcessCollector(registry=None)
        self._latest: tuple[Metric, ...] = ()

    async def look(self) -> None:
        self._latest = await asyncio.to_thread(lambda: tuple(self._source.collect()))

    def collect(self) -> Iterable[Metric]:
        return self._latest


_Row = tuple[Any, ...]
"""What a family's add_metric takes: labels first."""
_Gauge = tuple[str, str, tuple[str, ...]]
"""Name, documentation and labels."""


def _sliced(new: Callable[[], AnyFamily], rows: Iterable[_Row]) -> Iterator[AnyFamily]:
    """One family at least, and another of the same name whenever one has SLICE samples."""
    family: Any = new()
    for row in rows:
        if len(family.samples) >= SLICE:
            yield family
            family = new()
        family.add_metric(*row)
    yield family


def _counter(name: str, doc: str, *labels: str) -> CounterMetricFamily:
    return CounterMetricFamily(f"labkeeper_{name}", doc, labels=labels)


def _add(
    families: dict[_Gauge, list[_Row]],
    labels: tuple[str, str],
    sample: Sample,
    unit: Unit,
    kind: str,
) -> None:
    match sample.value:
        case bool() as on:
            gauge: _Gauge = ("labkeeper_on", "Whether it is on.", LABELS)
            families.setdefault(gauge, []).append((labels, float(on)))
        case int() | float() as number:
            row = UNITS[unit]
            gauge = _measured(row.quantity, row.base)
            families.setdefault(gauge, []).append((labels, number * row.factor))
        case str() as chosen if kind == "choice":
            gauge = ("labkeeper_choice", "What it is set to or does: 1.", (*LABELS, "choice"))
            families.setdefault(gauge, []).append(((*labels, chosen), 1.0))


@cache
def _measured(quantity: str, base: str) -> _Gauge:
    name = "_".join(filter(None, ("labkeeper", quantity, base)))
    return name, f"Readings of {quantity}{f' in {base}' if base else ''}.", LABELS


def _cumulated(counts: Iterable[int]) -> list[tuple[str, float]]:
    total, rows = 0, []
    for bound, count in zip((*map(str, BUCKETS), "+Inf"), counts, strict=True):
        total += count
        rows.append((bound, float(total)))
    return rows


def _buses(traffic: Mapping[str, Traffic]) -> Iterator[Metric]:
    rows = sorted(traffic.items())
    for (name, doc), count in CARRIED.items():
        whole = (((bus,), count(it)) for bus, it in rows)
        yield from _sliced(partial(_counter, name, doc, "bus"), whole)
    yield from _sliced(
        lambda: _counter(
            "bus_lost_seconds", "Time of the bus that a unit took in vain.", "bus", "unit"
        ),
        (((bus, str(unit)), s) for bus, it in rows for unit, s in sorted(it.lost.items())),
    )
    yield from _sliced(
        lambda: _counter("bus_faults", "What went wrong on the bus, by kind.", "bus", "kind"),
        (((bus, kind), count) for bus, it in rows for kind, count in it.faults().items()),
    )


def _broker(broker: BrokerCounts) -> Iterable[Metric]:
    yield GaugeMetricFamily(
        "labkeeper_mqtt_connected", "Whether the broker is connected.", value=broker.connected
    )
    for name, doc, count in (
        ("mqtt_connects", "Times the broker was connected.", broker.connects),
        ("mqtt_published", "Messages published.", broker.published),
        ("mqtt_refused", "Requests over MQTT that were refused.", broker.refused),
    ):
        yield CounterMetricFamily(f"labkeeper_{name}", doc, value=count)
