"""The composition root: builds everything, and owns the order in which it starts and stops.

start   lock the state folder · bind the listeners · what trips · what is to be made safe is on the
        disk · a worker for each device · the broker session · then, when the devices have had their
        first turn and the broker knows, the web · what is in doubt after an end without order · READY
stop    STOPPING · no more requests · jobs are interrupted · make safe what is configured so, and all
        that nothing covers where something has failed · what is still to be made safe · say goodbye
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from random import Random
from typing import Any, Final

from agent import sayings
from agent.aftermath import what_was_left
from agent.begin_record import begin_record, opened
from agent.clock import Clock
from agent.clock_watch import ClockWatch
from agent.ending import Patience, cancelled, end_the_process, until_it_fails
from agent.fleet.events import Severity
from agent.fleet.fleet import Fleet
from agent.fleet.plan import Plan, plans_for
from agent.memory import settle
from agent.parts import Parts
from agent.reload import reload
from agent.safety.dirty_start import Before
from agent.safety.waivers import Waivers
from agent.settings import Station as Settings
from agent.starting import after_jobs, first_turns, tidied, waited_for
from agent.station import Station
from agent.store.database import NAME as DATABASE
from agent.store.database import Database
from agent.systemd import Notifier
from agent.web.ports import Ports
from drivers import Driver
from drivers.transport.lines import Lines

FIRST_ROUND_S: Final = 1.0
"""How long the web waits for the first values to be at the broker: importing it takes a processor."""
READY_WITHIN_S: Final = 10.0  # READY for it: no device that hangs makes systemd give the agent up
JOBS_END_WITHIN_S: Final = 1.5  # then devices are made safe all the same
NOTED_WITHIN_S: Final = 0.3  # a disk that hangs leaves the safe-state file as it was
END_WITHIN_S: Final = 4.8  # then the process ends, whatever waits for a device, name or broker
HURRY_S: Final = 1.0  # the same after a second SIGTERM: for devices to be made safe alone


class Agent:
    """One station, running. Everything that touches the outside was handed in."""

    def __init__(
        self,
        config: Path,
        settings: Settings,
        ports: Ports,
        token: str,
        *,
        clock: Clock,
        rng: Random,
        notifier: Notifier | None = None,
    ) -> None:
        self._config, self.settings = config, settings
        self._ports, self._token = ports, token
        self._clock, self._rng = clock, rng
        self._notifier = notifier or Notifier()
        self._lines = Lines(self._contended)
        self._parts = Parts(settings, clock, self._lines.recorder)
        self.events = self._parts.events
        self._stop, self._reload = asyncio.Event(), asyncio.Event()
        self._background: list[asyncio.Task[None]] = []
        self._broker: Any = None
        self._ended, self._patience = False, Patience()
        self._failure: Exception | None = None

    async def run(self) -> None:
        """Start, serve until told to stop, and stop."""
        self._heed_signals()
        async with opened(Database(self.settings.state / DATABASE, self._clock)) as database:
            self._recording = await begin_record(
                *(database, self.settings),
                clock=self._clock,
                rng=self._rng,
                board=self._parts.board,
                events=self.events,
                alarms=self._parts.alarms,
            )
            self.record = self._recording.record
            before = await what_was_left(self.settings.state, self.record, self.events)
            try:
                await self._serve(database, before)
            finally:
                self._recording.end()

    async def _serve(self, database: Database | str, before: Before) -> None:
        async with asyncio.TaskGroup() as self._tasks:
            if not isinstance(database, str):
                self._begin(until_it_fails(database), "database")
            self.fleet = Fleet(
                self._tasks,
                self._open_driver,
                clock=self._clock,
                rng=self._rng,
                board=self._parts.board,
                events=self.events,
                flight=self._parts.flight,
            )
            self._watch_over(before)
            self._waivers = Waivers(self.record, self.fleet.workers, self._clock, self.events)
            if not isinstance(database, str):
                self._begin(self._waivers.begin(database), "waivers")
            self._begin(self._parts.flight.run(), "recordings")
            self._begin(self._recording.run(), "record")
            self._begin(self._start(self._station(database)), "start")
            await self._stop.wait()
            asyncio.get_running_loop().call_later(END_WITHIN_S, self._cut)
            await self._end()
            self._ended = True
        if self._failure is not None:
            raise self._failure

    async def _start(self, station: Station) -> None:
        self._begin(self._parts.alarms.run(), "alarms")
        self._begin(self._parts.trips(station.gate).run(), "interlocks")
        plans = plans_for(self.settings)
        await self._wait_for_disk(plans)
        self._begin(tidied(self._parts.files), "files")
        self._begin(after_jobs(self.jobs, self.runs), "runs")
        for plan in plans.values():
            self.fleet.start(plan)
        self._begin(self._keeper.run(), "safe-state")
        self._broker = self._begin_broker(station)
        told = self._broker.told if self._broker is not None else None
        await first_turns(self.fleet, FIRST_ROUND_S, told)
        await self._begin_web(station)
        self._begin(self._notifier.watchdog(self._clock), "watchdog")
        self._begin(self._heed_reloads(), "reload")
        await first_turns(self.fleet, READY_WITHIN_S)
        self.jobs.open()
        self._begin(self.schedules.run(), "schedules")
        watch = ClockWatch(self._clock, self.events, self.record.ledger)
        self._begin(watch.run(), "clock watch")  # a start itself takes the processor for a while
        self._wary.ask()
        settle()
        self._notifier.ready()
        self._say_started(station)

    async def _wait_for_disk(self, plans: Mapping[str, Plan]) -> None:
        parts = {
            "the reservations of people": self.leases.recall(),
            "the jobs of before": self.jobs.begin(),
            "the safe-state file": self._keeper.begin(plans),
        }
        for what, work in parts.items():
            self._begin(work, what)
        await waited_for(self._background[-len(parts) :], self.events)

    def _station(self, database: Database | str) -> Station:
        workers = self.fleet.workers
        gate = self._gate = self._parts.gate(self._tasks, workers, self._wary)
        self.runs = self._parts.runs(self.settings, self._tasks, workers, self.record)
        self.jobs = self._parts.jobs(
            *(lambda: self.settings, self._tasks, workers, gate),
            record=self.record,
            runs=self.runs,
            waivers=self._waivers,
        )
        self.leases = self._parts.leases(workers, self.record)
        self.schedules = self._parts.schedules(
            lambda: self.settings, self.jobs, self.record, database
        )
        self._begin(self._parts.disk(self.settings, self.jobs, self._tasks).run(), "disk")
        return self._parts.station(
            *(self.settings, workers, gate),
            jobs=self.jobs,
            leases=self.leases,
            schedules=self.schedules,
            runs=self.runs,
            ledger=self.record.ledger,
            waivers=self._waivers,
            traffic=lambda: self._lines.traffic,
        )

    def _watch_over(self, before: Before) -> None:
        """Keep what `labkeeper make-safe` needs, and block what has to be looked at first."""
        self._wary, self._keeper = self._parts.watch_over(
            self.settings, self.fleet.workers, self.record, before
        )

    def _begin_broker(self, station: Station) -> Any:
        """Keep a session with the broker, where config has one."""
        if self.settings.mqtt is None:
            self.events.add("mqtt.off", sayings.NO_BROKER)
            return None
        from agent.mqtt.session import BrokerSession

        broker = BrokerSession(station, self.settings.mqtt, self._rng)
        self._begin(broker.run(), "mqtt")
        return broker

    async def _begin_web(self, station: Station) -> None:
        """Serve API and metrics. Their libraries are imported beside the loop, not on it."""
        for module in ("agent.web.api", "agent.web.server", "agent.web.metrics_site"):
            await asyncio.to_thread(import_module, module)
        from agent.sites import sites

        for name, site in sites(station, self.settings, self._ports, self._token, self._broker):
            self._begin(site, name)

    def _begin(self, work: Coroutine[Any, Any, None], name: str) -> None:
        self._background.append(self._tasks.create_task(self._guarded(work), name=name))

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        """Let a part that fails end the agent in order: devices are made safe first."""
        try:
            await work
        except Exception as error:  # noqa: BLE001 - raised again by `run`
            self._failure = self._failure or error
            self._stop.set()

    @asynccontextmanager
    async def _open_driver(self, plan: Plan) -> AsyncIterator[Driver[Any]]:
        async with self._lines.link(plan.address, plan.access) as link:
            yield plan.driver_class.over(
                link,
                limits=plan.limits,
                timeouts=plan.timeouts,
                registers=plan.registers,
                profile=plan.profile,
            )

    def _contended(self, bus: str, what: str) -> None:
        self.events.add("bus.contention", f"{bus}: {what}", severity=Severity.WARNING, bus=bus)

    async def _heed_reloads(self) -> None:
        while True:
            await self._reload.wait()
            self._reload.clear()
            self._ports.look_at_certificates()
            self.settings = await reload(
                *(self._config, self.settings, self.fleet, self.events),
                *(self._parts.interlocks, lambda: self._parts.reservations.holders),
                adopted=self._parts.adopted,
            )
            await self._recording.adopt(self.settings)

    def _heed_signals(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._told_to_end)
        loop.add_signal_handler(signal.SIGINT, self._told_to_end)
        loop.add_signal_handler(signal.SIGHUP, self._reload.set)

    def _told_to_end(self) -> None:  # its limit holds also for a start that waits for its disk
        if is_again := self._stop.is_set():  # devices are made safe, and nothing is waited for
            self._patience.hurry()
        asyncio.get_running_loop().call_later(HURRY_S if is_again else END_WITHIN_S, self._cut)
        self._stop.set()

    async def _end(self) -> None:
        """Take no more requests, make safe what is to be, then end the rest. Each wait has its limit."""
        self._notifier.stopping()
        self.events.add("agent.stopping", sayings.stopping(self.settings.name))
        if self._broker is not None:
            self._broker.refuse_requests()
        last = [it for it in self._background if it.get_name() in {"mqtt", "record"}]
        others = cancelled([it for it in self._background if it not in last])
        jobs = self._tasks.create_task(self._guarded(self.jobs.end()), name="jobs.end")
        under_way = [jobs, *others, *self._gate.stops_under_way]
        await self._patience.wait(under_way, JOBS_END_WITHIN_S)
        in_order = self._failure is None
        unsafe = await self.fleet.end(in_order=in_order)
        noting = self._keeper.end("in order" if in_order else "in disorder", unsafe)
        ending = [self._guarded(it) for it in (noting, self.runs.end())]
        await self._patience.wait([self._tasks.create_task(it) for it in ending], NOTED_WITHIN_S)
        await self._patience.wait(cancelled(last), NOTED_WITHIN_S)

    def _cut(self) -> None:
        end_the_process(0 if self._ended and self._failure is None else 1)

    def _say_started(self, station: Station) -> None:
        states = [snapshot.state for snapshot in self._parts.board.latest.values()]
        self.events.add(
            "agent.started",
            sayings.started(station.name, states, self._ports.in_words()),
            severity=Severity.INFO,
            version=station.version,
        )
