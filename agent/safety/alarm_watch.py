"""Watches for what config has alarms for, and for devices that stay away and readings that fail.

Nothing is polled: a device is looked at when the board shows a change of it, and a reading only when
it has a new sample. What takes time is a deadline.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from agent.fleet.board import Board
from agent.fleet.samples import Sample, Snapshot
from agent.languages.message import Message
from agent.languages.words import term
from agent.safety.alarm_notices import of_offline, of_reading, of_rule, of_trip, trip_name
from agent.safety.alarms import Alarms, Signal
from agent.safety.condition import Watched
from agent.settings import AlarmRule, Device, Station

BAD_FOR_S: Final = 10.0
"""How long a reading may be bad or stale, on a device that answers, before that is an alarm."""


class Sense:
    """One reading that alarms depend on: whether it can be believed at all."""

    def __init__(self, signal: Signal, alarms: Alarms) -> None:
        self.signal, self._deadlines = signal, alarms.deadlines
        self._why = ""

    def doubt(self, why: str) -> None:
        """It can't be believed, for this reason."""
        self._why = why
        if not self.signal.is_on and self.signal.name not in self._deadlines:
            self._deadlines.put(self.signal.name, BAD_FOR_S, lambda: self.signal.on(self._why))

    def trust(self) -> None:
        """It can be believed."""
        self._deadlines.drop(self.signal.name)
        self.signal.off()

    def rest(self) -> None:
        """Nothing is known."""
        self._deadlines.drop(self.signal.name)


class Limit:
    """One alarm of config, at work."""

    def __init__(self, rule: AlarmRule, signal: Signal, alarms: Alarms, board: Board) -> None:
        self.rule, self.signal = rule, signal
        self._deadlines, self._board = alarms.deadlines, board
        self._watched = Watched(rule.condition, math.inf)
        self._seen: Sample | None = None

    def look(self, snapshot: Snapshot, sense: Sense) -> None:
        """Judge the latest sample, if it is a new one. What can't be believed changes nothing."""
        condition = self.rule.condition
        sample = snapshot.samples.get(condition.reading)
        if sample is not None and sample is self._seen:
            return
        self._seen = sample
        why = self._watched.doubt(self._board.latest, 0.0)
        if sample is None or not self._watched.is_believed(sample):
            self._deadlines.drop(self.signal.name)
            sense.doubt(why)
            return
        sense.trust()
        if not why:
            self._deadlines.drop(self.signal.name)
            self.signal.off()
        elif not self.signal.is_on and self.signal.name not in self._deadlines:
            if self.rule.delay:
                self._deadlines.put(self.signal.name, self.rule.delay, self._raise)
            else:
                self.signal.on(why)

    def rest(self) -> None:
        """Nothing is known."""
        self._seen = None
        self._deadlines.drop(self.signal.name)

    def _raise(self) -> None:
        self.signal.on(self._watched.doubt(self._board.latest, 0.0))


class Attended:
    """One device whose alarms are watched for."""

    def __init__(self, device: Device, alarms: Alarms, board: Board) -> None:
        self.device, self._alarms, self._board = device, alarms, board
        self.limits: list[Limit] = []
        self.senses: dict[str, Sense] = {}
        self.offline: Signal | None = None
        self._online: bool | None = None
        self._has_answered = False

    @property
    def _parts(self) -> list[Limit | Sense]:
        return [*self.limits, *self.senses.values()]

    def take_up(self) -> set[str]:
        """Begin, once all its limits are there; return the names of its alarms."""
        rules: dict[str, list[AlarmRule]] = {}
        for limit in self.limits:
            rules.setdefault(limit.rule.condition.reading, []).append(limit.rule)
        for reading, same in rules.items():
            notice = of_reading(self.device.name, reading, same)
            self.senses[reading] = Sense(self._alarms.signal(notice), self._alarms)
        if self.device.offline_alarm is not None:
            self.offline = self._alarms.signal(of_offline(self.device))
        self.look()
        offline = {self.offline.name} if self.offline is not None else set()
        return offline | {it.signal.name for it in self._parts}

    def leave(self, rules: Mapping[str, AlarmRule]) -> None:
        """Do nothing any more that was to be done later, but for limits that stay as they are."""
        for sense in self.senses.values():
            sense.rest()
        for limit in self.limits:
            if rules.get(limit.rule.name) != limit.rule:
                limit.rest()
        if self.offline is not None:
            self._alarms.deadlines.drop(self.offline.name)

    def look(self) -> None:
        """Look at what the board shows of it now."""
        snapshot = self._board.latest.get(self.device.name)
        if snapshot is None or not snapshot.state.online:
            self._away()
            return
        if not self._online:
            self._back()
        for limit in self.limits:
            limit.look(snapshot, self.senses[limit.rule.condition.reading])

    def _back(self) -> None:
        self._suppress(so=False)
        self._online = self._has_answered = True
        if self.offline is not None:
            self._alarms.deadlines.drop(self.offline.name)
            self.offline.off()

    def _away(self) -> None:
        if self._online is not False:
            for it in self._parts:
                it.rest()
            self._suppress(so=True)
            self._online = False
        after, signal = self.device.offline_alarm, self.offline
        if signal is None or after is None or signal.is_on:
            return
        if signal.name not in self._alarms.deadlines:
            self._alarms.deadlines.put(signal.name, after, self._stays_away)

    def _suppress(self, *, so: bool) -> None:
        names = [it.signal.name for it in self._parts]
        quietly = not self._has_answered
        self._alarms.suppress(self.device.name, names, so=so, quietly=quietly)

    def _stays_away(self) -> None:
        snapshot, after = self._board.latest.get(self.device.name), self.device.offline_alarm
        if self.offline is None or after is None:
            return
        state = snapshot.state.word if snapshot else term("gone")
        why = Message(": {reason}", reason=snapshot.reason) if snapshot and snapshot.reason else ""
        self.offline.on(
            Message(
                "{name} has given no values for {after:g} s, it is {state}{why}",
                name=self.device.name,
                after=after,
                state=state,
                why=why,
            )
        )


class AlarmWatch:
    """What is watched for under the config in force."""

    def __init__(self, alarms: Alarms, board: Board, settings: Station) -> None:
        self._alarms, self._board = alarms, board
        self._names: frozenset[str] = frozenset()
        self._devices: dict[str, Attended] = {}
        self._trips: dict[str, Signal] = {}
        self.adopt(settings)
        board.follow(self._changed)

    def adopt(self, settings: Station) -> None:
        """Go on under another config. What is known of alarms that are the same is kept."""
        known = {limit.rule.name: limit for it in self._devices.values() for limit in it.limits}
        for attended in self._devices.values():
            attended.leave(settings.alarms)
        self._devices = {
            name: Attended(it, self._alarms, self._board)
            for name, it in settings.devices.items()
            if it.enabled
        }
        for name, rule in settings.alarms.items():
            signal = self._alarms.signal(of_rule(rule))
            limit = known.get(name)
            if limit is None or limit.rule != rule:
                limit = Limit(rule, signal, self._alarms, self._board)
            self._devices[rule.condition.device].limits.append(limit)
        self._trips = {
            name: self._alarms.signal(of_trip(it))
            for name, it in settings.interlocks.items()
            if it.trip
        }
        names = {it.name for it in self._trips.values()}
        for attended in self._devices.values():
            names |= attended.take_up()
        for name in self._names - names:
            self._alarms.forget(name)
        self._names = frozenset(names)

    def tripped(self, interlock: str, why: str) -> None:
        """An interlock has tripped, for this reason; or, where it is "", it holds."""
        if signal := self._trips.get(interlock):
            if why:
                signal.on(why)
            else:
                signal.off()

    def latched(self, interlock: str) -> str:
        """Why the trip of an interlock still counts when all is right again; "" when not."""
        name = trip_name(interlock)
        if not self._alarms.is_latched(name):
            return ""
        return Message(
            "it has tripped, and nobody has acknowledged that yet: look at the devices, "
            "then `labkeeper alarm ack {name}`",
            name=name,
        )

    def _changed(self, device: str) -> None:
        if attended := self._devices.get(device):
            attended.look()
