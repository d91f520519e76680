"""What people do with alarms: acknowledge them, shelve them, take them up again. Always by name."""

from __future__ import annotations

from agent.clock import Clock
from agent.errors import AgentError, NoSuchThing, NotAllowed, NotNow, Refused
from agent.fleet.events import Severity
from agent.languages.message import Message
from agent.roles import Actor, refusal
from agent.safety.alarm import Alarm, State
from agent.safety.alarms import LONGEST_SHELF_S, Alarms
from agent.store.entries import Who
from drivers import Role


class AlarmDesk:
    """Every deed returns when it is on record, or raises.

    NoSuchThing: there is no alarm of this name. NotAllowed: the role does not suffice. NotNow: the
    alarm is in a state in which this can't be done. NotRecorded: the disk does not take it, and the
    alarm waits for somebody as before.
    """

    def __init__(self, alarms: Alarms, clock: Clock) -> None:
        self._alarms, self._clock = alarms, clock

    async def acknowledge(self, actor: Actor, name: str, reason: str = "") -> Alarm:
        """Take a person's word that they know."""
        alarm = self._asked(actor, name, Message("acknowledging {name}", name=name))
        before = alarm.state
        if not alarm.acknowledge(actor.name):
            raise NotNow(
                Message(
                    "{name} is {before}: there is nothing to acknowledge", name=name, before=before
                )
            )
        change = self._alarms.changed(alarm, "acknowledge", before, reason, _who(actor))
        try:
            await self._alarms.record.noted(change)
        except AgentError:
            state, alarm.acknowledged = alarm.state, False
            self._withdrawn(alarm, state)
            raise
        text = Message("by {name}{because}", name=actor.name, because=_because(reason))
        self._alarms.say("acknowledged", alarm, text, actor=actor.name)
        self._alarms.drop_if_over(alarm)
        return alarm

    async def shelve(self, actor: Actor, name: str, seconds: float, reason: str) -> Alarm:
        """Put an alarm aside for some seconds, at most LONGEST_SHELF_S, else Refused is raised."""
        alarm = self._asked(actor, name, Message("shelving {name}", name=name))
        if not 0 < seconds <= LONGEST_SHELF_S:
            hours = LONGEST_SHELF_S / 3600
            raise Refused(
                Message(
                    "{name} can be shelved for more than 0 s, and for {hours:g} h at most",
                    name=name,
                    hours=hours,
                )
            )
        before, was = alarm.state, (alarm.shelved_until, alarm.by)
        ended, until = self._alarms.shelf_ends(name), self._clock.utc() + seconds
        alarm.shelve(actor.name, until)
        self._alarms.end_shelf_in(name, seconds)
        change = self._alarms.changed(alarm, "shelve", before, reason, _who(actor))
        try:
            await self._alarms.record.noted(change)
        except AgentError:
            if alarm.shelved_until == until:  # it is still this shelf
                state = alarm.state
                alarm.shelved_until, alarm.by = was
                self._alarms.end_shelf_at(name, ended)
                self._withdrawn(alarm, state)
            raise
        text = Message(
            "for {seconds:g} s by {name}{because}",
            seconds=seconds,
            name=actor.name,
            because=_because(reason),
        )
        self._alarms.say("shelved", alarm, text, Severity.WARNING, actor=actor.name)
        return alarm

    async def unshelve(self, actor: Actor, name: str) -> Alarm:
        """Take an alarm up again before its time. What can't be recorded of it is tried again."""
        alarm = self._asked(actor, name, Message("unshelving {name}", name=name))
        if alarm.shelved_until is None:
            raise NotNow(Message("{name} is {state}, not shelved", name=name, state=alarm.state))
        change = self._alarms.unshelve(alarm, Message("by {name}", name=actor.name), _who(actor))
        try:
            await self._alarms.record.noted(change)
        except AgentError:
            self._alarms.record.note(change)
            raise
        self._alarms.drop_if_over(alarm)
        return alarm

    def _asked(self, actor: Actor, name: str, what: str) -> Alarm:
        alarm = self._alarms.all.get(name)
        if alarm is None:
            raise NoSuchThing(
                Message(
                    "no alarm is called {name}; `labkeeper alarm list --all` shows them", name=name
                )
            )
        if why := refusal(actor, Role.TECHNICIAN, what):
            raise NotAllowed(why)
        return alarm

    def _withdrawn(self, alarm: Alarm, before: State) -> None:
        """Put on record, when the disk takes it, that it is as it was before."""
        why = Message("what somebody did with it could not be recorded")
        self._alarms.record.note(self._alarms.changed(alarm, "withdraw", before, why))


def _who(actor: Actor) -> Who:
    return Who(name=actor.name, role=actor.role.name.lower(), origin=actor.origin)


def _because(reason: str) -> str:
    return Message(": {reason}", reason=reason) if reason else ""
