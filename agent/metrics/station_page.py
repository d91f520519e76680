"""Of what the page of a whole station is made: a line for each idea."""

from __future__ import annotations

from dataclasses import dataclass

from agent.metrics.alarms import alarm_families
from agent.metrics.broker import BrokerCounts, broker_families
from agent.metrics.buses import buses
from agent.metrics.disk import disk_families
from agent.metrics.interlocks import interlock_families
from agent.metrics.itself import Itself, LoopLag
from agent.metrics.jobs import jobs_ended, jobs_in_hand
from agent.metrics.ledger import ledger_commits, ledger_rows
from agent.metrics.page import StationPage
from agent.station import Station


@dataclass(frozen=True, slots=True)
class Scraped:
    """The page, and what has to run or be asked for it: `lag` runs, `itself` looks before each scrape."""

    page: StationPage
    itself: Itself
    lag: LoopLag


def page_of(station: Station, broker: BrokerCounts | None) -> Scraped:
    """Everything there is to scrape of a station. It follows the board from now on."""
    itself, lag = Itself(station), LoopLag(station.clock)
    sources = (
        itself.families,
        lag.families,
        lambda: interlock_families(station.interlocks),
        lambda: buses(station.traffic()),
        lambda: broker_families(broker),
        lambda: jobs_in_hand(station.jobs),
        lambda: jobs_ended(station.jobs),
        lambda: ledger_rows(station.ledger),
        lambda: ledger_commits(station.ledger),
        lambda: disk_families(station.disk),
        lambda: alarm_families(station.alarms.all.values() if station.alarms else ()),
    )
    page = StationPage(station.board, station.workers, sources, station.jobs)
    return Scraped(page, itself, lag)
