"""What a station is made of: its parts, before any of them runs, and how they are joined."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from typing import Final

from agent.clock import Clock
from agent.fleet.board import Board
from agent.fleet.device import DeviceWorker
from agent.fleet.events import EventLog
from agent.fleet.trends import Trends
from agent.flight import FlightRecords
from agent.jobs.full_disk import FullDisk
from agent.jobs.jobs import Jobs
from agent.jobs.keeping.book import UnwritableBook
from agent.jobs.keeping.journals import Journals
from agent.jobs.keeping.ledger_book import LedgerBook
from agent.jobs.on_station import hands_on, jobs_on
from agent.jobs.plate_desk import PlateDesk
from agent.jobs.runs.run_closing import Closer
from agent.jobs.runs.run_facts import Place
from agent.jobs.runs.run_ledger import RunLedger
from agent.jobs.runs.run_records import RunRecords
from agent.jobs.schedules.schedules import Schedules
from agent.jobs.station_recipes import StationRecipes
from agent.languages.message import Message
from agent.safety.alarm_desk import AlarmDesk
from agent.safety.alarm_watch import AlarmWatch
from agent.safety.alarms import Alarms
from agent.safety.dirty_start import Before
from agent.safety.disk_alarms import DiskAlarms
from agent.safety.gate import Gate
from agent.safety.interlock import Interlocks
from agent.safety.leases import Leases
from agent.safety.observe_only import ObserveOnly
from agent.safety.record import Record
from agent.safety.reservations import Reservations
from agent.safety.safe_state_keeper import SafeStateKeeper
from agent.safety.trips import Trips
from agent.safety.waivers import Waivers
from agent.safety.wary_record import WaryRecord
from agent.settings import Station as Settings
from agent.settings.section import Title
from agent.station import Start, Station
from agent.store.database import Database
from agent.store.disk_watch import DiskWatch, Marks
from agent.store.files import FileStore
from agent.store.ledger import Ledger
from agent.store.ledger_pages import LedgerPages
from agent.store.recordings import RecordingFolder
from agent.store.reserve import Reserve
from agent.store.run_shelf import RunShelf
from agent.store.schedules import ScheduleBook
from agent.store.store_errors import NotRecorded
from drivers import Address, Recorder, Traffic

PERCENT: Final = 100
MIB: Final = 1 << 20


class Parts:
    """The parts of one station that need neither a loop nor a disk to be made."""

    def __init__(
        self, settings: Settings, clock: Clock, recorder: Callable[[Address], Recorder]
    ) -> None:
        self.clock = clock
        self.start = Start(monotonic=clock.monotonic(), config_read=clock.utc(), settings=settings)
        self.board = Board()
        self.trends = Trends(self.board, clock)
        self.events = EventLog(clock)
        self.interlocks = Interlocks(settings.interlocks, self.board, clock)
        self.alarms = Alarms(clock, self.events)
        self.disk_alarms = DiskAlarms(self.alarms)
        self.alarm_watch = AlarmWatch(self.alarms, self.board, settings)
        self.interlocks.latched = self.alarm_watch.latched
        self.observing = ObserveOnly(clock, self.alarms, self.events)
        self.disk_watch: DiskWatch | None = None
        self.plate_desk: PlateDesk | None = None
        self.flight = FlightRecords(
            *(settings.name, version("labkeeper"), recorder),
            RecordingFolder(settings.state / "wire"),
            clock=clock,
            events=self.events,
        )
        self.files = FileStore(settings.files, limit=settings.files_limit)
        self.reservations = Reservations(clock)

    def gate(
        self, tasks: asyncio.TaskGroup, workers: Mapping[str, DeviceWorker], record: Record
    ) -> Gate:
        """The one door to these devices, which records in `record`."""
        return Gate(
            *(workers, self.files, self.events, self.interlocks),
            *(self.reservations, record, tasks),
            clock=self.clock,
        )

    def trips(self, gate: Gate) -> Trips:
        """What makes devices safe by itself."""
        return Trips(
            *(self.interlocks, self.board, self.clock, self.events, gate.stop),
            tell=self.alarm_watch.tripped,
        )

    def watch_over(
        self,
        settings: Settings,
        workers: Mapping[str, DeviceWorker],
        record: Record,
        before: Before,
    ) -> tuple[WaryRecord, SafeStateKeeper]:
        """Who blocks what was left in doubt, and who keeps what `labkeeper make-safe` needs."""
        self.observing.begin(before)
        wary = WaryRecord(record, before, workers, self.board, self.events, self.observing)
        keeper = SafeStateKeeper(
            *(settings.state, workers, self.board),
            clock=self.clock,
            events=self.events,
            before=before.seen,
            doubt=wary.doubt,
            observing=self.observing,
        )
        return wary, keeper

    def station(
        self,
        settings: Settings,
        workers: Mapping[str, DeviceWorker],
        gate: Gate,
        *,
        jobs: Jobs,
        leases: Leases,
        schedules: Schedules,
        ledger: Ledger | None,
        waivers: Waivers,
        traffic: Callable[[], Mapping[str, Traffic]],
        runs: RunRecords,
    ) -> Station:
        """The station as those see it who speak to the outside."""
        made = Station(
            name=settings.name,
            version=version("labkeeper"),
            board=self.board,
            workers=workers,
            events=self.events,
            gate=gate,
            interlocks=self.interlocks,
            files=self.files,
            clock=self.clock,
            titles=_titles(settings.title),
            console=settings.console,
            trends=self.trends,
            traffic=traffic,
            flight=self.flight,
            jobs=jobs,
            leases=leases,
            schedules=schedules,
            ledger=ledger,
            alarms=self.alarms,
            alarm_desk=AlarmDesk(self.alarms, self.clock),
            runs=runs.shelf,
            waivers=waivers,
        )
        return self._with_people(made, settings)

    def _with_people(self, station: Station, settings: Settings) -> Station:
        """The same, with what people alone ask for."""
        return replace(
            station,
            ledger_pages=LedgerPages(settings.state),
            plates=self.plate_desk,
            disk=self.disk_watch,
            start=self.start,
        )

    def adopted(self, settings: Settings) -> None:
        """Take over what else follows the config, along with its interlocks."""
        self.start.config_read, self.start.settings = self.clock.utc(), settings
        self.alarm_watch.adopt(settings)

    def schedules(
        self, settings: Callable[[], Settings], jobs: Jobs, record: Record, database: Database | str
    ) -> Schedules:
        """The schedules of the config in force, kept in the database along with the ledger."""
        book = None
        if record.ledger is not None and isinstance(database, Database):
            book = ScheduleBook(database, record.ledger)
        return Schedules(
            jobs,
            book,
            wanted=lambda: settings().schedules,
            problems=partial(StationRecipes(settings, self.files).schedules, jobs.uncovered),
            clock=self.clock,
            events=self.events,
        )

    def leases(self, workers: Mapping[str, DeviceWorker], record: Record) -> Leases:
        """The reservations of people for these devices, which are kept where the record is."""
        return Leases(self.reservations, workers, self.events, self.clock, record.ledger)

    def jobs(
        self,
        settings: Callable[[], Settings],
        tasks: asyncio.TaskGroup,
        workers: Mapping[str, DeviceWorker],
        gate: Gate,
        *,
        record: Record,
        runs: RunRecords,
        waivers: Waivers,
    ) -> Jobs:
        """Jobs of the recipes of the config in force, kept where the record is, and in `runs`."""
        book = (
            LedgerBook(record.ledger)
            if record.ledger is not None
            else UnwritableBook(
                NotRecorded(Message("the disk takes no record: no job can be kept"))
            )
        )
        jobs = jobs_on(
            tasks,
            hands_on(gate, workers, self.board, tasks),
            reservations=self.reservations,
            recipes=StationRecipes(settings, self.files),
            clock=self.clock,
            events=self.events,
            journal=Journals(book),
            book=book,
            runs=runs,
            uncovered=waivers.refusal,
        )
        gate.prints.plates = jobs.plates
        self.plate_desk = PlateDesk(jobs.plates, workers, self.board, self.events, tasks)
        self.plate_desk.follow()
        return jobs

    def runs(
        self,
        settings: Settings,
        tasks: asyncio.TaskGroup,
        workers: Mapping[str, DeviceWorker],
        record: Record,
    ) -> RunRecords:
        """The folders of runs, whose hashes go into `record`."""
        titles = _titles(settings.title)
        return RunRecords(
            RunShelf(settings.runs),
            Place(station=settings.name, version=version("labkeeper"), titles=titles),
            Closer(
                clock=self.clock,
                events=self.events,
                ledger=RunLedger(record.ledger),
                faults=self.flight.written,
                formats=settings.runs_formats,
            ),
            tasks=tasks,
            clock=self.clock,
            events=self.events,
            board=self.board,
            workers=workers,
            files=self.files,
        )

    def disk(self, settings: Settings, jobs: Jobs, tasks: asyncio.TaskGroup) -> DiskWatch:
        """What follows the disk of the state folder, and keeps jobs from filling it."""
        disk = settings.disk
        watch = self.disk_watch = DiskWatch(
            settings.state,
            Marks(
                low=disk.warn / PERCENT,
                no_jobs=disk.refuse_jobs / PERCENT,
                no_data=disk.stop_measuring / PERCENT,
            ),
            Reserve(settings.state, disk.reserve * MIB),
            clock=self.clock,
            tell=FullDisk(jobs, self.events, self.disk_alarms, tasks),
        )
        refusals = self.observing.refusal_of_new_jobs, watch.refusal_of_new_jobs
        jobs.close_while(lambda: next(filter(None, (why() for why in refusals)), ""))
        return watch


def _titles(title: Title) -> dict[str, str]:
    titles = {"ko": title.ko, "en": title.en}
    return {language: text for language, text in titles.items() if text}
