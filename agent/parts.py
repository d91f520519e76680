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
from agent.jobs.run_closing import Closer
from agent.jobs.run_facts import Place
from agent.jobs.run_ledger import RunLedger
from agent.jobs.run_records import RunRecords
from agent.jobs.station_recipes import StationRecipes
from agent.safety.gate import Gate
from agent.safety.interlock import Interlocks
from agent.safety.record import LedgerRecord, Record
from agent.safety.reservations import Reservations
from agent.settings import Station as Settings
from agent.settings.section import Title
from agent.station import Station
from agent.store.files import FileStore
from agent.store.recordings import RecordingFolder
from agent.store.run_shelf import RunShelf
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
    ) -> Gate:
        """The one door to these devices, which records in `record`."""
        return Gate(
            *(workers, self.files, self.events, self.interlocks),
            *(self.reservations, record, tasks),
        )

    def station(
        self,
        settings: Settings,
        workers: Mapping[str, DeviceWorker],
        gate: Gate,
        jobs: Jobs,
        traffic: Callable[[], Mapping[str, Traffic]],
        runs: RunRecords,
    ) -> Station:
        """The station as those see it who speak to the outside."""
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
            titles=_titles(settings.title),
            traffic=traffic,
            flight=self.flight,
            jobs=jobs,
            runs=runs.shelf,
        )

    def jobs(
        self,
        settings: Callable[[], Settings],
        tasks: asyncio.TaskGroup,
        workers: Mapping[str, DeviceWorker],
        gate: Gate,
        runs: RunRecords,
    ) -> Jobs:
        """Jobs of the recipes of the config in force, which are written down in `runs`."""
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
            runs=runs,
        )

    def runs(
        self,
        settings: Settings,
        tasks: asyncio.TaskGroup,
        workers: Mapping[str, DeviceWorker],
        record: Record,
    ) -> RunRecords:
        """The folders of runs, whose hashes go into `record`."""
        titles = _titles(settings.title)
        ledger = record.ledger if isinstance(record, LedgerRecord) else None
        return RunRecords(
            RunShelf(settings.runs),
            Place(station=settings.name, version=version("labkeeper"), titles=titles),
            Closer(
                clock=self.clock,
                events=self.events,
                ledger=RunLedger(ledger),
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


def _titles(title: Title) -> dict[str, str]:
    titles = {"ko": title.ko, "en": title.en}
    return {language: text for language, text in titles.items() if text}
