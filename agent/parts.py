"""What a station is made of: its parts, before any of them runs, and how they are joined."""

import asyncio
from collections.abc import Callable, Mapping
from importlib.metadata import version

from agent.clock import Clock
from agent.fleet.board import Board
from agent.fleet.device import DeviceWorker
from agent.fleet.events import EventLog
from agent.flight import FlightRecords
from agent.jobs.jobs import Jobs
from agent.jobs.journal import MemoryJournal
from agent.jobs.on_station import jobs_on
from agent.jobs.station_recipes import StationRecipes
from agent.safety.dirty_start import Before
from agent.safety.gate import Gate
from agent.safety.interlock import Interlocks
from agent.safety.lasting_gate import LastingGate
from agent.safety.record import Record
from agent.safety.reservations import Reservations
from agent.safety.safe_state_keeper import SafeStateKeeper
from agent.safety.waivers import Waivers
from agent.safety.wary_record import WaryRecord
from agent.settings import Station as Settings
from agent.station import Station
from agent.store.files import FileStore
from agent.store.recordings import RecordingFolder
from drivers import Address, Recorder, Traffic


class Parts:
    """The parts of one station that need neither a loop nor a disk to be made."""

    def __init__(
        self, settings: Settings, clock: Clock, recorder: Callable[[Address], Recorder]
    ) -> None:
        self.clock = clock
        self.board = Board()
        self.events = EventLog(clock)
        self.interlocks = Interlocks(settings.interlocks, self.board, clock)
        self.flight = FlightRecords(
            *(settings.name, version("labkeeper"), recorder),
            RecordingFolder(settings.state / "wire"),
            clock=clock,
            events=self.events,
        )
        self.files = FileStore(settings.files, limit=settings.files_limit)
        self.reservations = Reservations()

    def gate(
        self, tasks: asyncio.TaskGroup, workers: Mapping[str, DeviceWorker], record: Record
    ) -> LastingGate:
        """The one door to these devices, which records in `record`."""
        return LastingGate(
            *(workers, self.files, self.events, self.interlocks),
            *(self.reservations, record, tasks),
        )

    def watch_over(
        self,
        settings: Settings,
        workers: Mapping[str, DeviceWorker],
        record: Record,
        before: Before,
    ) -> tuple[WaryRecord, SafeStateKeeper]:
        """Who blocks what was left in doubt, and who keeps what `labkeeper make-safe` needs."""
        wary = WaryRecord(record, before, workers, self.board, self.events)
        keeper = SafeStateKeeper(
            *(settings.state, workers, self.board),
            clock=self.clock,
            events=self.events,
            before=before.seen,
            doubt=wary.doubt,
        )
        return wary, keeper

    def station(
        self,
        settings: Settings,
        workers: Mapping[str, DeviceWorker],
        gate: Gate,
        jobs: Jobs,
        waivers: Waivers,
        traffic: Callable[[], Mapping[str, Traffic]],
    ) -> Station:
        """The station as those see it who speak to the outside."""
        titles = {"ko": settings.title.ko, "en": settings.title.en}
        return Station(
            name=settings.name,
            version=version("labkeeper"),
            board=self.board,
            workers=workers,
            events=self.events,
            gate=gate,
            interlocks=self.interlocks,
            files=self.files,
            clock=self.clock,
            titles={language: title for language, title in titles.items() if title},
            traffic=traffic,
            flight=self.flight,
            jobs=jobs,
            waivers=waivers,
        )

    def jobs(
        self,
        settings: Callable[[], Settings],
        tasks: asyncio.TaskGroup,
        workers: Mapping[str, DeviceWorker],
        gate: Gate,
        waivers: Waivers,
    ) -> Jobs:
        """Jobs of the recipes of the config in force."""
        return jobs_on(
            tasks,
            gate,
            workers,
            board=self.board,
            reservations=self.reservations,
            recipes=StationRecipes(settings, self.files),
            clock=self.clock,
            events=self.events,
            journal=MemoryJournal(),
            uncovered=waivers.refusal,
        )
