"""Notices that the clock was set, the machine suspended, or the agent stopped, and puts it on record.

Three clocks are compared once a second. The monotonic clock counts while the machine is awake, the
boot clock also while it is suspended, and the wall clock is whatever somebody set it to.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from agent.clock import Clock, boottime
from agent.errors import AgentError
from agent.fleet.events import EventLog, Severity
from agent.languages.message import Message
from agent.store.entries import AGENT, EventEntry
from agent.store.ledger import Ledger
from agent.store.moments import exact

SUSPENDED, STALLED, STEPPED = KINDS = ("clock.suspended", "agent.stalled", "clock.stepped")
"""The events."""
LOOK_EVERY_S: Final = 1.0
STEP_S: Final = 0.5
"""A time service that keeps the clock in step moves it by 0.5 ms/s at most. Source: adjtimex(2)."""
STALL_S: Final = 2.0
"""How much later than asked for the agent may run again; a loaded machine takes tenths of a second."""
AT_ONCE_S: Final = 0.05
"""Within this time the three clocks have to be read, for nothing to have come in between."""

log = logging.getLogger("labkeeper")


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """What the clocks show at one moment, in seconds."""

    utc: float
    monotonic: float
    boot: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Happening:
    """Something that the clocks tell of. `seconds` is how far, or how long."""

    kind: str
    text: str
    seconds: float
    before: float
    """What the wall clock would show if nothing had happened, or showed then; seconds UTC."""
    after: float


class ClockWatch:
    """Of one station. `ledger` is None where nothing can be recorded; events tell it all the same."""

    def __init__(
        self,
        clock: Clock,
        events: EventLog,
        ledger: Ledger | None,
        boot: Callable[[], float] = boottime,
    ) -> None:
        self._clock, self._events, self._ledger, self._boot = clock, events, ledger, boot

    async def run(self) -> None:
        """Watch until cancelled."""
        before = self._look()
        while True:
            await self._clock.sleep(LOOK_EVERY_S)
            now = self._look()
            for happening in happenings(before, now):
                await self._told(happening)
            before = now

    def _look(self) -> Look:
        while True:
            begun = self._clock.monotonic()
            look = Look(utc=self._clock.utc(), monotonic=begun, boot=self._boot())
            if self._clock.monotonic() - begun < AT_ONCE_S:
                return look

    async def _told(self, it: Happening) -> None:
        self._events.add(it.kind, it.text, severity=Severity.WARNING, seconds=round(it.seconds, 3))
        if self._ledger is None:
            return
        entry = EventEntry(
            action=it.kind,
            target="clock",
            before=exact(it.before),
            after=exact(it.after),
            reason=it.text,
        )
        try:
            await self._ledger.record(AGENT, entry)
        except AgentError as error:
            log.warning("%s", error)


def happenings(before: Look, now: Look) -> Iterator[Happening]:
    """What happened between two looks that were to be LOOK_EVERY_S apart. Pure."""
    awake, passed = now.monotonic - before.monotonic, now.boot - before.boot
    if (slept := passed - awake) > STEP_S:
        text = Message("the machine was suspended for {slept:.1f} s", slept=slept)
        yield _happening(SUSPENDED, text, slept, before.utc, now)
    if (stalled := awake - LOOK_EVERY_S) > STALL_S:
        text = Message(
            "the agent did not run for {stalled:.1f} s: it was stopped, or the machine was "
            "too busy",
            stalled=stalled,
        )
        yield _happening(STALLED, text, stalled, before.utc, now)
    if abs(step := now.utc - before.utc - passed) > STEP_S:
        way = Message("forward") if step > 0 else Message("back")
        text = Message(
            "the station's clock was set {way} by {step:.1f} s; ages and waits do not go by it",
            way=way,
            step=abs(step),
        )
        yield _happening(STEPPED, text, step, before.utc + passed, now)


def _happening(kind: str, text: str, seconds: float, before: float, now: Look) -> Happening:
    return Happening(kind=kind, text=text, seconds=seconds, before=before, after=now.utc)
