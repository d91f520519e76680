"""The one task that owns one device: connect, identify, poll, obey, and reconnect for ever."""

import asyncio
from collections.abc import Coroutine, Iterable, Mapping
from functools import partial
from random import Random
from typing import Any, Final

from agent.clock import Clock
from agent.fleet.backoff import Quarantine, delays
from agent.fleet.board import Board
from agent.fleet.ends import ASKED_RARELY, absent, why_lost
from agent.fleet.events import EventLog, Severity
from agent.fleet.flight import Flight, Unrecorded
from agent.fleet.plan import OpenDriver, Plan
from agent.fleet.polling import Polling
from agent.fleet.requests import Requests
from agent.fleet.retry import Retry
from agent.fleet.samples import Cause, Outcome, Sample, Snapshot, Status
from agent.fleet.states import LEFT_ALONE, DeviceState, state_after
from agent.fleet.tally import Tally
from agent.languages.message import N_, Message
from drivers import Driver, Identity
from drivers.errors import LinkClosed, LinkError, UnitSilent

SAFE_AGAIN_S: Final = 0.2
REACH_WITHIN_S: Final = 3.0  # how long a stop waits for a connection that is being made


class DeviceWorker:
    """Everything the agent does with one device. Trouble here stays here."""

    def __init__(
        self,
        plan: Plan,
        open_driver: OpenDriver,
        *,
        clock: Clock,
        rng: Random,
        board: Board,
        events: EventLog,
        flight: Flight | None = None,
    ) -> None:
        self.plan = plan
        self._flight = flight or Unrecorded()
        self._asked = self._flight.asked(plan)
        self.tally = Tally()
        self.tried: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done once the first connect has ended, well or not."""
        self._open_driver = open_driver
        self._clock, self._rng, self._board, self._events = clock, rng, board, events
        self._snapshot = Snapshot(device=plan.name, state=DeviceState.OFFLINE, since=clock.utc())
        self._requests: Requests | None = None
        self._retry = Retry(clock)
        self._quarantine = Quarantine(rng)
        self._left_alone_for = 0.0  # seconds, when it is a silent unit of a shared bus
        self._said = frozenset[DeviceState]()  # what it has been since it last answered
        self._fault = ""
        self._lost_because = self._unsafe_because = ""

    async def run(self) -> None:
        """Own the device until cancelled."""
        self._post()
        try:
            await self._connect_for_ever()
        finally:
            self._has_tried()
            self._doubt(DeviceState.OFFLINE, Message("the agent talks to it no more"))

    async def _connect_for_ever(self) -> None:
        waits = delays(self.plan.first_retry, self.plan.most_retry, self._rng)
        while True:
            connects = self.tally.connects
            wait = await self._one_connection()
            self._retry.ended()
            self._has_tried()
            if self.tally.connects > connects:  # it did answer: begin again with short waits
                waits = delays(self.plan.first_retry, self.plan.most_retry, self._rng)
            seconds = (self._left_alone_for or next(waits)) if wait else None
            await self._retry.pause(seconds, is_serial=self.plan.address.scheme == "serial")

    async def set(self, name: str, value: object) -> Outcome:
        """Change a setting once, and read it back. The value has been checked by the gate."""
        requests = self._requests
        return await requests.set(name, value) if requests else self._absent()

    async def do(self, name: str, arguments: Mapping[str, object]) -> Outcome:
        """Run a command to its end, which a caller who goes away does not hasten."""
        requests = self._requests
        return await requests.do(name, arguments) if requests else self._absent()

    async def read(self, names: tuple[str, ...]) -> Mapping[str, Sample]:
        """Read values from the device now. Raises LinkError, and BadReply for a driver's own error."""
        if self._requests is None:
            raise LinkClosed(self._absent().message)
        return await self._requests.read(names)

    async def stop(self) -> Outcome:
        """Interrupt the device, end its command and make it safe, past every queue.

        While a connection is being made, or anew because one is just ending, that is waited for.
        """
        anew = self._requests is not None or self._snapshot.state.online
        outcome = await self._stop()
        if outcome.cause is Cause.NOT_SENT and await self._retry.settled(REACH_WITHIN_S, anew=anew):
            return await self._stop()
        return outcome

    async def _stop(self) -> Outcome:
        return await self._requests.stop() if self._requests else self._absent()

    def adopt(self, plan: Plan) -> None:
        """Go on under a plan that differs in what the outside sees alone, such as a limit's source."""
        self.plan = plan
        self._post()

    def reconnect(self) -> None:
        """Begin anew at once: also where no further attempt was made, or on a link that seems to work."""
        self._quarantine.forgive()
        self._retry.ask()
        if self._requests is not None:
            self._requests.hang_up(Message("somebody asked for a new connection"))

    async def shut_down(self, *, in_order: bool = True) -> None:
        """Make the device safe where its config says so, over a new link if need be.

        It goes on until that is confirmed: the caller sets the time. The worker is cancelled afterwards.
        """
        if not self.plan.is_made_safe(in_order=in_order):
            return
        waits = delays(SAFE_AGAIN_S, self.plan.most_retry, self._rng)
        while (outcome := await self.stop()).status is not Status.DONE:
            self._unsafe_because = outcome.message
            self.reconnect()
            await self._clock.sleep(next(waits))
        self._announce("device.safe", "{device} was made safe, as its config says for the end")

    def gave_up_shutting_down(self) -> None:
        """Say that the device was not made safe in the time there was, and why."""
        why = self._unsafe_because or Message("it did not answer in time")
        text = N_("{device} was left as it is, not confirmed safe: {why}")
        self._announce("device.unsafe", text, Severity.ERROR, why=why)

    def _absent(self) -> Outcome:
        return absent(self.plan.name, self._snapshot)

    async def _one_connection(self) -> bool:
        """Serve the device until its link is lost; return whether to try again by ourselves."""
        self._lost_because, self._left_alone_for = "", 0.0
        try:
            if not self._said:
                self._enter(DeviceState.CONNECTING)
            async with self._open_driver(self.plan) as driver:
                self._asked("meet")
                await self._serve(driver, await driver.meet(self.plan.serial_number))
        except Exception as error:  # a driver's own bug must not end the agent
            if (task := asyncio.current_task()) and task.cancelling():
                raise asyncio.CancelledError from error  # a failing TaskGroup forgets it
            return self._lost(_first(error))
        return True

    async def _serve(self, driver: Driver[Any], identity: Identity) -> None:
        polling = Polling(
            *(self.plan, driver, self._clock, self.tally, self._change, self._trouble),
            tell=self._asked,
        )
        await polling.refresh()
        self.tally.connects += 1
        try:
            async with asyncio.TaskGroup() as tasks:
                self._requests = Requests(
                    self.plan, driver, polling, tasks, self._busy, tell=self._asked
                )
                self._connected(identity)
                polling.when_broken = partial(self._broken, tasks)
                watch = self._until_lost(polling.watch_age())
                tasks.create_task(watch, name=f"{self.plan.name}.watch")
                # In the body, not as a task: where a task fails while nothing runs here, Python 3.11
                # leaves this task marked as cancelled, and a real cancellation can't be told from it.
                await self._until_lost(polling.run(self._rng.random()))
        finally:
            self._requests = None

    def _broken(self, tasks: asyncio.TaskGroup, error: LinkError) -> None:
        """End the connection by a task; one that waits for this takes a kilobyte for each device."""
        if self._requests is not None:  # otherwise the connection is ending already
            self._requests = None
            self._lost(error)
            tasks.create_task(_raised(error), name=f"{self.plan.name}.broken")

    async def _until_lost(self, work: Coroutine[Any, Any, None]) -> None:
        """Believe nothing and take no requests from the moment one part of the connection fails.

        The others may go on for a while, up to the end of an exchange that is under way.
        """
        try:
            await work
        except Exception as error:
            self._lost(error)
            raise
        finally:
            self._requests = None

    def _has_tried(self) -> None:
        if not self.tried.done():
            self.tried.set_result(None)

    def _connected(self, identity: Identity) -> None:
        self._said = frozenset()
        self._retry.connected()
        self._snapshot = self._snapshot._replace(identity=identity)
        self._show()
        text = N_("{device} answers: {identity}") if identity.text else N_("{device} answers")
        self._announce("device.connected", text, identity=identity.text)
        self._has_tried()

    def _lost(self, error: Exception) -> bool:
        """Mark everything stale at once, say so the first time; return whether to try again."""
        if not self._lost_because:  # the first that was found of this connection
            self.tally.failed(error)
            if isinstance(error, UnitSilent):
                self._left_alone_for = self._quarantine.next(error.cost, self._clock.monotonic())
        state = state_after(error)
        reason = why_lost(error)
        if self._left_alone_for:
            state = DeviceState.QUARANTINED
            reason = Message(ASKED_RARELY, reason=reason, device=self.plan.name)
        self._doubt(state, reason)
        if state not in self._said:
            self._said |= {state}
            self._announce("device." + state, "{device}: {why}", Severity.WARNING, why=reason)
            self._flight.fault(self.plan, self._snapshot)
        return type(error) not in LEFT_ALONE

    def _doubt(self, state: DeviceState, reason: str) -> None:
        """Believe no value from now on, also none that was asked for before."""
        self._lost_because, self._fault = reason, ""
        stale = {n: s.gone_stale(reason) for n, s in self._snapshot.samples.items()}
        self._snapshot = self._snapshot._replace(samples=stale, activity="")
        self._enter(state, reason)

    def _busy(self, activity: str) -> None:
        if self._requests is not None:
            self._snapshot = self._snapshot._replace(activity=activity)
            self._show()

    def _trouble(self, reason: str) -> None:
        """Note why the device as a whole refuses to be read; "" when it does not."""
        if reason == self._fault:
            return
        self._fault = reason
        if self._requests is not None:
            self._show()
        if reason:
            self._announce("device.fault", "{device}: {why}", Severity.WARNING, why=reason)
            self._flight.fault(self.plan, self._snapshot)
        else:
            self._announce("device.recovered", "{device} can be read again")

    def _show(self) -> None:
        """Enter the state of a device whose link works."""
        working = DeviceState.BUSY if self._snapshot.activity else DeviceState.READY
        self._enter(DeviceState.FAULT if self._fault else working, self._fault)

    def _enter(self, state: DeviceState, reason: str = "") -> None:
        since = self._snapshot.since if state is self._snapshot.state else self._clock.utc()
        self._post(state=state, reason=reason, since=since)

    def _change(self, samples: Mapping[str, Sample], gone: Iterable[str] = ()) -> None:
        kept = {**self._snapshot.samples, **samples}
        for name in gone:
            kept.pop(name, None)
        if self._lost_because:
            kept = {name: sample.gone_stale(self._lost_because) for name, sample in kept.items()}
        self._snapshot = self._snapshot.renewed(kept)
        self._board.post(self._snapshot)

    def _post(self, **changes: Any) -> None:
        revision = self._snapshot.revision + 1
        self._snapshot = self._snapshot._replace(revision=revision, **changes)
        self._board.post(self._snapshot)

    def _announce(
        self, kind: str, msgid: str, severity: Severity = Severity.INFO, **more: str
    ) -> None:
        text = Message(msgid, device=self.plan.name, **more)
        self._events.add(kind, text, device=self.plan.name, severity=severity)


async def _raised(error: LinkError) -> None:
    raise error


def _first(error: Exception) -> Exception:
    """The first cause in a group of groups."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error
