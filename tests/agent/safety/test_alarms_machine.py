"""Whatever happens to alarms in whatever order, they stand as a model of ISA-18.2 says."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from agent.errors import NotNow
from agent.fleet.events import EventLog
from agent.safety.alarm import Notice, State
from agent.safety.alarm_desk import AlarmDesk
from agent.safety.alarms import Alarms
from tests.agent.alarms_bench import KIM, Kept, Time

NAMES = ("hot", "cold", "loud")
ALARM = st.sampled_from(NAMES)


@dataclass
class Model:
    """One alarm, as simply as it can be said."""

    active: bool = False
    waits: bool = False
    shelf_ends: float | None = None
    away: bool = False

    @property
    def state(self) -> State:
        if self.shelf_ends is not None:
            return State.SHELVED
        if self.waits:
            return State.UNACKNOWLEDGED if self.active else State.RETURNED
        if self.away:
            return State.SUPPRESSED
        return State.ACKNOWLEDGED if self.active else State.NORMAL

    @property
    def is_open(self) -> bool:
        return self.shelf_ends is None and (self.active or self.waits)


def done(work: Coroutine[Any, Any, Any]) -> None:
    """Run what waits for nothing here."""
    asyncio.run(work)


class OneGroup(RuleBasedStateMachine):
    """Three alarms of one group."""

    def __init__(self) -> None:
        super().__init__()
        self.time, self.rows = Time(), Kept().rows
        self.model = {name: Model() for name in NAMES}
        self.first = ""
        self.begin()

    def begin(self) -> None:
        self.alarms = Alarms(self.time, EventLog(self.time))
        self.alarms.record = Kept(rows_of=self.alarms.rows, rows=self.rows)
        self.desk = AlarmDesk(self.alarms, self.time)
        notices = [Notice(name=name, group="g") for name in NAMES]
        self.signals = {it.name: self.alarms.signal(it) for it in notices}

    def mark(self, name: str) -> None:
        """Follow the first of the group after one of it has changed."""
        if not any(it.is_open for it in self.model.values()):
            self.first = ""
        elif self.model[name].is_open and not self.first:
            self.first = name

    @rule(name=ALARM)
    def comes(self, name: str) -> None:
        self.signals[name].on("because")
        it = self.model[name]
        it.waits, it.active = it.waits or not it.active, True
        self.mark(name)

    @rule(name=ALARM)
    def goes(self, name: str) -> None:
        self.signals[name].off()
        self.model[name].active = False
        self.mark(name)

    @rule(name=ALARM)
    def is_acknowledged(self, name: str) -> None:
        try:
            done(self.desk.acknowledge(KIM, name))
        except NotNow:
            assert not self.model[name].waits
        self.model[name].waits = False
        self.mark(name)

    @rule(name=ALARM, seconds=st.integers(1, 100))
    def is_shelved(self, name: str, seconds: int) -> None:
        done(self.desk.shelve(KIM, name, float(seconds), "test"))
        self.model[name].shelf_ends = self.time.now + seconds
        self.mark(name)

    @rule(name=ALARM)
    def is_taken_up(self, name: str) -> None:
        if self.model[name].shelf_ends is not None:
            done(self.desk.unshelve(KIM, name))
            self.unshelved(name)

    def unshelved(self, name: str) -> None:
        it = self.model[name]
        it.shelf_ends, it.waits = None, it.waits or it.active
        self.mark(name)

    @rule(name=ALARM, away=st.booleans())
    def device_is_away(self, name: str, *, away: bool) -> None:
        self.alarms.suppress("d", [name], so=away, quietly=False)
        self.model[name].away = away

    @rule(seconds=st.integers(0, 60), step=st.sampled_from([0.0, -3600.0, 3600.0]))
    def time_passes(self, seconds: int, step: float) -> None:
        self.time.now += seconds
        self.time.step = step
        self.alarms.deadlines.do_what_is_due()
        self.time.step = 0.0
        shelved = [(it.shelf_ends, n) for n, it in self.model.items() if it.shelf_ends is not None]
        for ends, name in sorted(shelved, key=lambda it: it[0]):
            if ends <= self.time.now:
                self.unshelved(name)

    @rule()
    def the_agent_is_started_anew(self) -> None:
        self.begin()
        self.alarms.begin(list(self.rows.values()))
        for it in self.model.values():
            it.away = False

    @invariant()
    def all_is_as_the_model_says(self) -> None:
        for name, it in self.model.items():
            assert self.alarms.all[name].state is it.state, name
            assert self.alarms.is_first(self.alarms.all[name]) == (self.first == name), name
            kept = name in self.rows
            assert kept == (it.active or it.waits or it.shelf_ends is not None), name


TestOneGroup = OneGroup.TestCase
TestOneGroup.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
