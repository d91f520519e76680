"""Everything there is to scrape, read at each scrape: one line for each idea."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from itertools import groupby
from operator import attrgetter

from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily
from prometheus_client.metrics_core import Metric

from agent.fleet.board import Board
from agent.fleet.device import DeviceWorker
from agent.metrics import devices
from agent.metrics.alarms import alarm_families
from agent.metrics.broker import BrokerCounts, broker_families
from agent.metrics.buses import buses
from agent.metrics.disk import disk_families
from agent.metrics.jobs import jobs_ended, jobs_in_hand
from agent.metrics.ledger import ledger_commits, ledger_rows
from agent.metrics.slices import Source, sliced
from agent.safety.interlock import Standing
from agent.station import Station
from drivers import Traffic


class StationCollector:
    """Reads board and tallies at each scrape, so that no series outlives its device.

    `also`: further ideas, each a source of families.
    """

    def __init__(
        self,
        board: Board,
        workers: Mapping[str, DeviceWorker],
        version: str,
        broker: BrokerCounts | None = None,
        traffic: Callable[[], Mapping[str, Traffic]] = dict,
        interlocks: Callable[[], Iterable[Standing]] = tuple,
        also: Iterable[Source] = (),
    ) -> None:
        self._sources: tuple[Source, ...] = (
            lambda: build(version),
            lambda: devices.states(board),
            lambda: devices.values(board, workers),
            lambda: devices.counts(workers),
            lambda: holding(interlocks()),
            lambda: buses(traffic()),
            lambda: broker_families(broker),
            *also,
        )

    def collect(self) -> Iterable[Metric]:
        """Yield every metric family as it is now."""
        for _, parts in groupby(self.slices(), attrgetter("name")):
            whole, *others = parts
            whole.samples += [sample for other in others for sample in other.samples]
            yield whole

    def slices(self) -> Iterator[Metric]:
        """Yield the same in slices of some SLICE samples: those of one family follow each other."""
        for source in self._sources:
            yield from source()


def collector_of(station: Station, broker: BrokerCounts | None) -> StationCollector:
    """Everything there is to scrape of a station."""
    return StationCollector(
        station.board,
        station.workers,
        station.version,
        broker,
        station.traffic,
        station.interlocks.standing,
        also=(
            lambda: jobs_in_hand(station.jobs),
            lambda: jobs_ended(station.jobs),
            lambda: ledger_rows(station.ledger),
            lambda: ledger_commits(station.ledger),
            lambda: disk_families(station.disk.room if station.disk else None),
            lambda: alarm_families(station.alarms.all.values() if station.alarms else ()),
        ),
    )


def build(version: str) -> Iterator[Metric]:
    """Yield which agent answers."""
    yield InfoMetricFamily("labkeeper_build", "The agent that answers.", value={"version": version})


def holding(interlocks: Iterable[Standing]) -> Iterator[Metric]:
    """Yield whether each interlock holds."""
    rows = (((it.interlock.name,), float(it.holds)) for it in interlocks)
    about = ("labkeeper_interlock_holds", "Whether all it requires is so.")
    yield from sliced(partial(GaugeMetricFamily, *about, labels=("interlock",)), rows)
