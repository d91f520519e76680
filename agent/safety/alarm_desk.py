"""What people do with alarms: acknowledge them, shelve them, take them up again. Always by name."""

from __future__ import annotations

from agent.clock import Clock
from agent.errors import AgentError, NoSuchThing, NotAllowed, NotNow, Refused
from agent.fleet.events import Severity
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
        alarm = self._asked(actor, name, "acknowledging")
        before = alarm.state
        if not alarm.acknowledge(actor.name):
            raise NotNow(f"{name} is {before}: there is nothing to acknowledge")
        change = self._alarms.changed(alarm, "acknowledge", before, reason, _who(actor))
        try:
            await self._alarms.record.noted(change)
        except AgentError:
            state, alarm.acknowledged = alarm.state, False
            self._withdrawn(alarm, state)
            raise
        text = f"by {actor.name}{_because(reason)}"
        self._alarms.say("acknowledged", alarm, text, actor=actor.name)
        self._alarms.drop_if_over(alarm)
        return alarm

    async def shelve(self, actor: Actor, name: str, seconds: float, reason: str) -> Alarm:
        """Put an alarm aside for some seconds, at most LONGEST_SHELF_S, else Refused is raised."""
        alarm = self._asked(actor, name, "shelving")
        if not 0 < seconds <= LONGEST_SHELF_S:
            hours = LONGEST_SHELF_S / 3600
            raise Refused(f"{name} can be shelved for more than 0 s, and for {hours:g} h at most")
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
        text = f"for {seconds:g} s by {actor.name}{_because(reason)}"
        self._alarms.say("shelved", alarm, text, Severity.WARNING, actor=actor.name)
        return alarm

    async def unshelve(self, actor: Actor, name: str) -> Alarm:
        """Take an alarm up again before its time. What can't be recorded of it is tried again."""
        alarm = self._asked(actor, name, "unshelving")
        if alarm.shelved_until is None:
            raise NotNow(f"{name} is {alarm.state}, not shelved")
        change = self._alarms.unshelve(alarm, f"by {actor.name}", _who(actor))
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
            raise NoSuchThing(f"no alarm is called {name}; `labkeeper alarm list --all` shows them")
        if why := refusal(actor, Role.TECHNICIAN, f"{what} {name}"):
            raise NotAllowed(why)
        return alarm

    def _withdrawn(self, alarm: Alarm, before: State) -> None:
        """Put on record, when the disk takes it, that it is as it was before."""
        why = "what somebody did with it could not be recorded"
        self._alarms.record.note(self._alarms.changed(alarm, "withdraw", before, why))


def _who(actor: Actor) -> Who:
    return Who(name=actor.name, role=actor.role.name.lower(), origin=actor.origin)


def _because(reason: str) -> str:
    return f": {reason}" if reason else ""
