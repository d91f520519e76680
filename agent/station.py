"""The station as those see it who speak to the outside: the broker session, the web, the metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

from agent.clock import Clock
from agent.fleet.board import Board
from agent.fleet.device import DeviceWorker
from agent.fleet.events import EventLog
from agent.fleet.trends import Trends
from agent.flight import FlightRecords
from agent.jobs.jobs import Jobs
from agent.jobs.plate_desk import PlateDesk
from agent.jobs.schedules.schedules import Schedules
from agent.safety.alarm_desk import AlarmDesk
from agent.safety.alarms import Alarms
from agent.safety.gate import Gate
from agent.safety.interlock import Interlocks
from agent.safety.leases import Leases
from agent.safety.waivers import Waivers
from agent.settings import Console
from agent.settings import Station as Settings
from agent.store.disk_watch import DiskWatch
from agent.store.files import FileStore
from agent.store.ledger import Ledger
from agent.store.ledger_pages import LedgerPages
from agent.store.run_pages import RunReader
from agent.store.run_shelf import RunShelf
from drivers import Traffic

if TYPE_CHECKING:
    from agent.people.people import People


class Written(NamedTuple):
    """What the broker answered to a trial message: `denied` is why it does not take it there.

    It is "" where it does, and None where nobody told: MQTT 3 does not, nor a broker that does not answer.
    """

    topic: str
    denied: str | None


class Broker(Protocol):
    """What is asked of the session with the broker."""

    async def tried(self) -> Written:
        """Try to write, and wait up to 2 s for the answer."""
        ...

    @property
    def connected(self) -> bool:
        """Whether there is one now."""
        ...


@dataclass(kw_only=True, slots=True)
class Start:
    """When the agent was started, on its monotonic clock, and its config taken over, in seconds UTC."""

    monotonic: float
    config_read: float
    settings: Settings
    """The config in force."""


@dataclass(frozen=True, kw_only=True)
class Station:
    """Everything there is to look at, and the one door to act through."""

    name: str
    version: str
    board: Board
    workers: Mapping[str, DeviceWorker]
    events: EventLog
    gate: Gate
    interlocks: Interlocks
    files: FileStore
    waivers: Waivers
    clock: Clock
    titles: Mapping[str, str] = field(default_factory=dict)
    console: Console = field(default_factory=Console)
    """Language and time zone of the pages."""
    trends: Trends | None = None
    """The last hour of every number; None where nobody keeps it."""
    traffic: Callable[[], Mapping[str, Traffic]] = dict
    """What each shared bus has carried so far, by its name."""
    flight: FlightRecords | None = None
    """None where nothing is recorded."""
    jobs: Jobs | None = None
    """None where no jobs are run."""
    leases: Leases | None = None
    """None where people can't reserve devices."""
    schedules: Schedules | None = None
    """None where nothing is started by the clock."""
    ledger: Ledger | None = None
    """None where nothing is recorded."""
    ledger_pages: LedgerPages | None = None
    """The same to be read, also where just now nothing can be recorded; None where there is none."""
    alarms: Alarms | None = None
    alarm_desk: AlarmDesk | None = None
    """None where no alarms are kept."""
    disk: DiskWatch | None = None
    """What is free of the disk of the state folder; None where nobody looks."""
    plates: PlateDesk | None = None
    """None where nobody keeps which plates are clear."""
    people: People | None = None
    """None where nobody can sign in."""
    runs: RunShelf | None = None
    """The folders of runs; None where they are not written down."""
    run_reader: RunReader = field(default_factory=RunReader)
    start: Start | None = None
    broker: Broker | None = None
    """None where config has no broker."""
