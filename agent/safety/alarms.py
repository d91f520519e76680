"""The alarms of the station: raised by what watches, seen to by people, on record in every change.

Whatever part of the agent knows of something that somebody must see to has a signal for it:

    disk = alarms.signal(Notice(name="disk.full", priority="high", titles={...}, todo={...}))
    disk.on("512 MB are left on /var/lib/labkeeper")
    disk.off()

A signal is to be made before `begin`, and `off` to be said also when nothing was wrong since the
start: it ends what an earlier run has raised.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from agent.clock import Clock
from agent.fleet.board import Watch
from agent.fleet.events import EventLog, Severity
from agent.languages.message import Message, Titled, joined
from agent.safety.alarm import Alarm, Notice, State
from agent.safety.alarm_keeping import restore, row_of
from agent.safety.alarm_record import AlarmRecord, Change, Unkept
from agent.safety.deadlines import Deadlines
from agent.safety.first_out import FirstOut
from agent.store.alarm_rows import AlarmRow
from agent.store.entries import AGENT, AlarmEntry, Who

LONGEST_SHELF_S: Final = 24 * 3600.0
"""An alarm that nobody wants to see for longer is to be changed in the config."""
SEVERITY: Final = {
    "low": Severity.INFO,
    "medium": Severity.WARNING,
    "high": Severity.ERROR,
    "critical": Severity.ERROR,
}

EVENTS: Final = (
    *("raised", "cleared", "acknowledged", "shelved", "unshelved"),
    *("suppressed", "resumed"),
)
"""The kinds of events that alarms make, each after `alarm.`."""


class Signal:
    """The way to one alarm for whoever watches for what it tells of."""

    def __init__(self, alarms: Alarms, name: str) -> None:
        self._alarms, self.name = alarms, name

    @property
    def is_on(self) -> bool:
        """Whether it is so, as far as was said."""
        return self._alarms.all[self.name].active

    def on(self, reason: str) -> None:
        """It is so, for this reason. Said again, nothing changes."""
        self._alarms.raise_(self.name, reason)

    def off(self) -> None:
        """It is not so, or no more."""
        self._alarms.clear(self.name)


class Alarms:
    """All alarms by name. What is said of them counts at once, and is on record soon after."""

    def __init__(self, clock: Clock, events: EventLog) -> None:
        self._clock, self._events = clock, events
        self.deadlines = Deadlines(clock)
        self.record: AlarmRecord = Unkept()
        """Where changes go; set before anything runs."""
        self._alarms: dict[str, Alarm] = {}
        self._owned: set[str] = set()
        self._first = FirstOut()
        self._watches: set[Watch] = set()

    @property
    def all(self) -> Mapping[str, Alarm]:
        """The alarms by name, as they are now."""
        return MappingProxyType(self._alarms)

    def is_first(self, alarm: Alarm) -> bool:
        """Whether it was the first of its group."""
        return self._first.is_first(alarm.group, alarm.name)

    def is_latched(self, name: str) -> bool:
        """Whether it was raised, and nobody has acknowledged that yet."""
        return name in self._alarms and not self._alarms[name].acknowledged

    def watch(self) -> Watch:
        """Follow the names of alarms that change, as `Board.watch` does with devices."""
        return Watch(self._watches)

    def signal(self, notice: Notice) -> Signal:
        """The way to the alarm of this notice. What is known of it from before stays so."""
        self._owned.add(notice.name)
        alarm = self._alarms.get(notice.name)
        if alarm is None:
            alarm = self._alarms[notice.name] = Alarm(notice, since=self._clock.utc())
        if alarm.group != Alarm(notice).group:
            self._first.note(alarm.group, alarm.name, is_open=False)
        alarm.notice = notice
        self._settle(alarm)
        return Signal(self, notice.name)

    def forget(self, name: str) -> None:
        """Nobody watches for it any more. What has not been acknowledged stays until it is."""
        self._owned.discard(name)
        alarm = self._alarms[name]
        alarm.suppressed = False
        if not self.clear(name, Message("nothing watches for it any more")):
            self.drop_if_over(alarm)

    def begin(self, rows: Iterable[AlarmRow]) -> None:
        """Go on with what was not normal when the agent last ended."""
        firsts: list[Alarm] = []
        for row in rows:
            alarm = restore(row, self._alarms.get(row.alarm))
            self._alarms[row.alarm] = alarm
            if row.shelved_until is not None:
                left = row.shelved_until - self._clock.utc()
                self.end_shelf_in(alarm.name, min(max(left, 0.0), LONGEST_SHELF_S))
            self._settle(alarm)
            if row.is_first:
                firsts.append(alarm)
        for alarm in firsts:
            self._first.restore(alarm.group, alarm.name)
        for name in self._alarms.keys() - self._owned:
            self.forget(name)

    def begin_late(self, rows: Iterable[AlarmRow]) -> None:
        """Know again what nobody had acknowledged, when that could not be read at the start.

        What is so now was judged meanwhile, and counts; a shelf of before is over.
        """
        for row in rows:
            known = self._alarms.get(row.alarm)
            if known is None or known.is_settled:
                late = replace(row, active=False, shelved_until=None)
                alarm = self._alarms[row.alarm] = restore(late, known)
                self.record.note(self.changed(alarm, "clear", alarm.state, alarm.reason))
                self.drop_if_over(alarm)

    async def run(self) -> None:
        """End delays and shelves when it is time for that, until cancelled."""
        await self.deadlines.run()

    def raise_(self, name: str, reason: str) -> None:
        """It is so, for this reason. Said again, nothing changes."""
        alarm = self._alarms[name]
        before = alarm.state
        if not alarm.raise_(reason):
            return
        self.record.note(self.changed(alarm, "raise", before, reason))
        is_shelved = alarm.state is State.SHELVED
        severity = Severity.INFO if is_shelved else SEVERITY[alarm.notice.priority]
        self.say("raised", alarm, joined([reason, Titled(alarm.notice.todo)]), severity)

    def clear(self, name: str, reason: str = "") -> bool:
        """It is so no more. Return whether that is new."""
        alarm = self._alarms[name]
        if not alarm.active:
            return False
        before = alarm.state
        alarm.clear()
        self.record.note(self.changed(alarm, "clear", before, reason))
        why = Message(": {reason}", reason=reason) if reason else ""
        waits = "" if alarm.acknowledged else Message("; it waits to be acknowledged")
        self.say("cleared", alarm, Message("it is so no more{why}{waits}", why=why, waits=waits))
        self.drop_if_over(alarm)
        return True

    def suppress(self, device: str, names: Iterable[str], *, so: bool, quietly: bool) -> None:
        """Suppress the alarms of a device of which nothing is known, or (not `so`) no longer.

        Quietly at the start, where nothing was known before.
        """
        changed = [it for it in map(self._alarms.__getitem__, names) if it.suppressed != so]
        for alarm in changed:
            alarm.suppressed = so
            self._settle(alarm)
        if quietly or not changed:
            return
        verb, word = ("suppress", "suppressed") if so else ("resume", "resumed")
        shown = [it.name for it in changed]
        entry = AlarmEntry(action=verb, target=device, after=shown)
        self.record.note(Change(AGENT, entry, frozenset()))
        why = Message("it does not answer, and nothing is known") if so else Message("it answers")
        text = Message(
            "alarms of {device} are {word}, for {why}: {shown}",
            device=device,
            word=Message(word),
            why=why,
            shown=", ".join(shown),
        )
        self._events.add(f"alarm.{word}", text, device=device, alarms=shown)

    def end_shelf_in(self, name: str, seconds: float) -> None:
        """Take a shelved alarm up again after so many seconds."""
        self.deadlines.put(_shelf(name), seconds, lambda: self._shelf_ends(name))

    def shelf_ends(self, name: str) -> float | None:
        """When a shelved alarm is taken up again, on the monotonic clock; None where it is not."""
        return self.deadlines.when(_shelf(name))

    def end_shelf_at(self, name: str, when: float | None) -> None:
        """Take it up again then, as `shelf_ends` has told before; None for not at all."""
        if when is None:
            self.deadlines.drop(_shelf(name))
        else:
            self.end_shelf_in(name, when - self._clock.monotonic())

    def unshelve(self, alarm: Alarm, reason: str, who: Who = AGENT) -> Change:
        """Take a shelved alarm up again; the change is still to be recorded."""
        self.deadlines.drop(_shelf(alarm.name))
        before = alarm.state
        alarm.unshelve()
        text = Message("{reason}; it is {state}", reason=reason, state=alarm.state)
        self.say("unshelved", alarm, text, actor=who.name)
        return self.changed(alarm, "unshelve", before, reason, who)

    def changed(
        self, alarm: Alarm, verb: str, before: State, reason: str, who: Who = AGENT
    ) -> Change:
        """Note that an alarm has changed, and return what is to be recorded of that."""
        if alarm.state is not before:
            alarm.since = self._clock.utc()
        names = {alarm.name, self._settle(alarm)} - {""}
        entry = AlarmEntry(
            action=verb, target=alarm.name, before=before, after=alarm.state, reason=reason
        )
        return Change(who, entry, frozenset(names))

    def say(
        self,
        kind: str,
        alarm: Alarm,
        text: str,
        severity: Severity = Severity.INFO,
        **data: Any,
    ) -> None:
        """Tell of a change as an event."""
        notice = alarm.notice
        self._events.add(
            f"alarm.{kind}",
            alarm.told(kind, text),
            device=notice.device,
            severity=severity,
            alarm=alarm.name,
            priority=notice.priority,
            state=alarm.state,
            **data,
        )

    def drop_if_over(self, alarm: Alarm) -> None:
        """Leave nothing of an alarm that nobody watches for and nobody has to see to."""
        if alarm.name not in self._owned and not alarm.is_worth_keeping:
            self._alarms.pop(alarm.name, None)
            self._tell(alarm.name)

    def rows(self, names: frozenset[str]) -> list[tuple[str, AlarmRow | None]]:
        """These alarms as they stand now, for the database."""
        found = {name: self._alarms.get(name) for name in sorted(names)}
        return [
            (name, row_of(it, is_first=self.is_first(it)) if it else None)
            for name, it in found.items()
        ]

    def _shelf_ends(self, name: str) -> None:
        alarm = self._alarms.get(name)
        if alarm is None or alarm.shelved_until is None:
            return  # nothing is left to take up
        self.record.note(self.unshelve(alarm, Message("its time is over")))
        self.drop_if_over(alarm)

    def _settle(self, alarm: Alarm) -> str:
        """Note whether it needs somebody; return whose mark as the first is lifted by that, or ""."""
        is_open = not alarm.is_settled and alarm.shelved_until is None
        lifted = self._first.note(alarm.group, alarm.name, is_open=is_open)
        for name in {alarm.name, lifted} - {""}:
            self._tell(name)
        return lifted

    def _tell(self, name: str) -> None:
        for watch in self._watches:
            watch.mark(name)


def _shelf(name: str) -> str:
    return f"the shelf of {name}"
