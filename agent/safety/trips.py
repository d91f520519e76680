"""Makes devices safe as soon as an interlock that must hold at all times does not."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from agent.clock import Clock
from agent.fleet.board import Board
from agent.fleet.events import EventLog, Severity
from agent.fleet.samples import Outcome, Status
from agent.fleet.states import DeviceState
from agent.languages.message import Message, joined
from agent.roles import Actor
from agent.safety.interlock import Guard, Interlocks
from drivers import Role

TICK_S: Final = 0.1
"""How often values are looked at that do not change: one may have become too old meanwhile."""
AGAIN_S: Final = (1.0, 30.0)
"""Shortest and longest wait before a device is stopped again that was not confirmed safe."""

REACHED: Final = frozenset({DeviceState.READY, DeviceState.BUSY, DeviceState.FAULT})
"""States in which there is a link: one that refuses to be read can be stopped all the same."""

log = logging.getLogger("labkeeper")

Stop = Callable[[Actor, str], Awaitable[Outcome]]
Tell = Callable[[str, str], None]
"""Told the name of an interlock and why it has tripped; "" when it holds again."""


@dataclass(slots=True)
class Trip:
    """One interlock that trips: since when it is wrong, and whom it has not seen safe yet."""

    guard: Guard
    wrong_since: float | None = None
    tripped: bool = False
    told: str | None = None
    """What was told of it last: why it has tripped, or that it holds."""
    unsafe: set[str] = field(default_factory=set)
    under_way: set[str] = field(default_factory=set)
    again: dict[str, tuple[float, float]] = field(default_factory=dict)
    """By device: when it may be stopped again, and the wait after that."""


class Trips:
    """Follows the board. `stop` is the one that a person's stop takes."""

    def __init__(
        self,
        interlocks: Interlocks,
        board: Board,
        clock: Clock,
        events: EventLog,
        stop: Stop,
        tell: Tell = lambda *_: None,
    ) -> None:
        self._interlocks, self._board, self._clock = interlocks, board, clock
        self._events, self._stop, self._tell = events, stop, tell
        self._trips: dict[str, Trip] = {}
        self._tasks: asyncio.TaskGroup

    async def run(self) -> None:
        """Watch until cancelled. Devices that are being stopped then are stopped to the end.

        To be begun before any device is: what has not been read yet has some time from now on.
        """
        guards = self._interlocks.guards.values()
        self._interlocks.arrivals.expect(c.device for it in guards for c in it.interlock.requires)
        async with asyncio.TaskGroup() as self._tasks:
            self._tasks.create_task(self._watch_ages(), name="interlocks.ages")
            async with self._board.watch() as changes:
                async for device in changes:
                    for trip in self._due():
                        if trip.guard.watches(device):
                            self._look(trip)

    async def _watch_ages(self) -> None:
        while True:
            for trip in self._due():
                self._look(trip)
            await self._clock.sleep(TICK_S)

    def _due(self) -> list[Trip]:
        """The interlocks in force that trip; one that config has changed begins anew."""
        guards = {n: it for n, it in self._interlocks.guards.items() if it.interlock.trip}
        self._trips = {
            name: self._trips[name]
            if name in self._trips and self._trips[name].guard is guard
            else Trip(guard)
            for name, guard in guards.items()
        }
        return list(self._trips.values())

    def _look(self, trip: Trip) -> None:
        now = self._clock.monotonic()
        why = trip.guard.doubts(self._board, now)
        if not why:
            self._right(trip)
        elif trip.wrong_since is None and not self._is_early(trip, now):
            trip.wrong_since = now
        since = trip.wrong_since
        if since is not None and not trip.tripped and now - since >= trip.guard.interlock.delay:
            self._trip(trip, why)
        self._stop_the_unsafe(trip, now)

    def _is_early(self, trip: Trip, now: float) -> bool:
        """Whether nothing is known to be wrong: devices that have only just begun are waited for."""
        return trip.guard.awaits(self._board, now, self._interlocks.arrivals)

    def _right(self, trip: Trip) -> None:
        if trip.tripped:
            name = trip.guard.interlock.name
            text: str = Message(
                "the interlock {name} holds again; nothing is switched on by that", name=name
            )
            if trip.unsafe:
                unsafe = ", ".join(sorted(trip.unsafe))
                text = joined([text, Message("not confirmed safe yet: {unsafe}", unsafe=unsafe)])
            self._events.add("interlock.restored", text, interlock=name)
        trip.wrong_since, trip.tripped = None, False
        self._say(trip, "")

    def _trip(self, trip: Trip, why: str) -> None:
        interlock = trip.guard.interlock
        trip.tripped, trip.unsafe = True, set(interlock.trip)
        trip.again.clear()
        self._interlocks.trips[interlock.name] += 1
        self._say(trip, why)
        self._events.add(
            "interlock.tripped",
            Message(
                "the interlock {name} trips: {why}; making {trip} safe",
                name=interlock.name,
                why=why,
                trip=", ".join(interlock.trip),
            ),
            severity=Severity.ERROR,
            interlock=interlock.name,
        )

    def _say(self, trip: Trip, why: str) -> None:
        """Tell whoever keeps alarms; also that it holds when it is first looked at."""
        if trip.told != why:
            trip.told = why
            self._tell(trip.guard.interlock.name, why)

    def _stop_the_unsafe(self, trip: Trip, now: float) -> None:
        """Stop whoever is not confirmed safe and can be reached, each in a task of its own."""
        for device in sorted(trip.unsafe - trip.under_way):
            snapshot = self._board.latest.get(device)
            if snapshot is None or snapshot.state not in REACHED:
                trip.again.pop(device, None)  # when it is back it is stopped at once
                continue
            at, wait = trip.again.get(device, (0.0, AGAIN_S[0]))
            if now < at:
                continue
            trip.again[device] = now + wait, min(wait * 2, AGAIN_S[1])
            trip.under_way.add(device)
            name = f"interlock.{trip.guard.interlock.name}.{device}"
            self._tasks.create_task(self._make_safe(trip, device), name=name)

    async def _make_safe(self, trip: Trip, device: str) -> None:
        who = Actor(
            name=f"interlock {trip.guard.interlock.name}", origin="agent", role=Role.OBSERVER
        )
        try:
            outcome = await self._stop(who, device)
            if outcome.status is Status.DONE:
                trip.unsafe.discard(device)
        except Exception:  # a defect with one device must not keep the others from being made safe
            log.exception("making %s safe", device)
        finally:
            trip.under_way.discard(device)
