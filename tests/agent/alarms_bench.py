"""Alarms in memory: a clock that a test moves, a board that it posts to, and a record that it reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent
from typing import Any

from agent.errors import AgentError
from agent.fleet.board import Board
from agent.fleet.events import EventLog
from agent.fleet.samples import Quality, Sample, Snapshot, Value
from agent.fleet.states import DeviceState
from agent.roles import Actor
from agent.safety.alarm import State
from agent.safety.alarm_desk import AlarmDesk
from agent.safety.alarm_record import Change
from agent.safety.alarm_watch import AlarmWatch
from agent.safety.alarms import Alarms
from agent.settings import Station
from agent.store.alarm_rows import AlarmRow
from drivers import Role
from tests.agent.settings_bench import loaded

KIM = Actor(name="kim", origin="cli", role=Role.TECHNICIAN)
LEE = Actor(name="lee", origin="cli", role=Role.ENGINEER)
GUEST = Actor(name="guest", origin="api", role=Role.OBSERVER)

CONFIG = """\
name: bench-3
devices:
  oven1: {driver: toy.oven, address: "modbus+tcp://192.0.2.2", poll: {temperature: 2}}
  psu1: {driver: toy.supply, address: "tcp://192.0.2.1:1", offline_alarm: null}
alarms:
  hot:
    title: {en: Oven too hot, ko: 오븐 과열}
    reading: oven1.temperature
    high: 60
    hysteresis: 5
    priority: high
    todo: {en: Open the door}
  very-hot: {reading: oven1.temperature, high: 80, delay: 3}
  live: {reading: psu1.output, equals: true}
"""


class Time:
    """A clock that goes when it is told to; `step` sets the wall clock alone."""

    def __init__(self) -> None:
        self.now, self.step = 1000.0, 0.0

    def utc(self) -> float:
        """See Clock."""
        return 1_700_000_000.0 + self.now + self.step

    def monotonic(self) -> float:
        """See Clock."""
        return self.now

    async def sleep(self, seconds: float) -> None:
        """See Clock."""
        raise AssertionError("nothing sleeps here")


@dataclass
class Kept:
    """A record in memory: the changes, and the alarms that are not normal as a disk would have them."""

    rows_of: Any = None
    changes: list[Change] = field(default_factory=list)
    rows: dict[str, AlarmRow] = field(default_factory=dict)
    refuses: AgentError | None = None

    def note(self, change: Change) -> None:
        """See AlarmRecord."""
        self.changes.append(change)
        for name, row in self.rows_of(change.alarms):
            self.rows.pop(name, None)
            if row is not None:
                self.rows[name] = row

    async def noted(self, change: Change) -> None:
        """See AlarmRecord."""
        if self.refuses is not None:
            raise self.refuses
        self.note(change)

    async def run(self) -> None:
        """See AlarmRecord."""


class AlarmBench:
    """The alarms of one config, and what a test wants to reach."""

    def __init__(self, settings: Station, time: Time | None = None) -> None:
        self.time, self.board, self.kept = time or Time(), Board(), Kept()
        self.events = EventLog(self.time)
        self.alarms = Alarms(self.time, self.events)
        self.kept.rows_of, self.alarms.record = self.alarms.rows, self.kept
        self.watch = AlarmWatch(self.alarms, self.board, settings)
        self.desk = AlarmDesk(self.alarms, self.time)

    def state(self, name: str) -> State:
        """How an alarm stands."""
        return self.alarms.all[name].state

    def first(self, name: str) -> bool:
        """Whether it is marked as the first of its group."""
        return self.alarms.is_first(self.alarms.all[name])

    def passes(self, seconds: float) -> None:
        """Let time go by."""
        self.time.now += seconds
        self.alarms.deadlines.do_what_is_due()

    def shows(
        self, device: str, samples: Mapping[str, Value | Quality], state: str = "ready"
    ) -> None:
        """Have the board show a device; a quality in the place of a value is a bad or stale one."""
        now, mono = self.time.utc(), self.time.monotonic()
        made = {
            name: Sample(None, it, now, "sensor open", mono)
            if isinstance(it, Quality)
            else Sample(it, Quality.GOOD, now, "", mono)
            for name, it in samples.items()
        }
        self.board.post(Snapshot(device=device, state=DeviceState(state), since=now, samples=made))

    def oven(self, value: Value | Quality, state: str = "ready") -> None:
        """Have the board show the oven at this temperature."""
        self.shows("oven1", {"temperature": value}, state)

    def lost(self, device: str = "oven1") -> None:
        """Have the board show that a device does not answer."""
        self.shows(device, {}, "offline")

    def kinds(self) -> list[str]:
        """The events of alarms so far."""
        return [it.kind for it in self.events.kept if it.kind.startswith("alarm.")]


def settings_of(folder: Path, text: str = CONFIG) -> Station:
    """A config of toys, read."""
    return loaded(folder, dedent(text))
