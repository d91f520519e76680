"""SIGHUP: read the config again, and apply only what changed, or keep the old and say why."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeAlias

from agent.errors import ConfigError
from agent.fleet.ends import of
from agent.fleet.events import EventLog, Severity
from agent.fleet.fleet import Fleet
from agent.fleet.plan import Plan, plan_for
from agent.languages.message import Message, joined
from agent.safety.arrivals import Arrivals
from agent.safety.interlock import Interlocks
from agent.safety.reservations import Holder
from agent.settings import Changes, Station, changed, load
from agent.store.disk_threads import DiskBusy, at_disk_thread

Holders: TypeAlias = Callable[[], Mapping[str, Holder]]
"""Which devices are jobs' now, and whose: asked when the config has been read, which takes its time."""
NOBODY: Final[Mapping[str, Holder]] = MappingProxyType({})
AT_ONCE: Final = ("reconnect", "interlocks", "alarms", "schedules")
AT_START_ONLY: Final = Message("they take effect when the agent is restarted")

log = logging.getLogger("labkeeper")


async def reload(
    config: Path,
    old: Station,
    fleet: Fleet,
    events: EventLog,
    interlocks: Interlocks,
    holders: Holders = lambda: NOBODY,
    *,
    adopted: Callable[[Station], None] = lambda _: None,
) -> Station:
    """Return the config in force afterwards: the new one, or the old when the new is wrong.

    Its interlocks are in force before any device of it is there to be commanded. A device of a
    running job (`holders`) is neither replaced nor removed: nothing is taken over. `adopted` is told
    of the new config together with its interlocks: one that trips at once needs its alarm.
    """
    try:
        new = await at_disk_thread(load, config)
    except ConfigError as error:
        return _refused(old, events, joined(map(str, error.problems)))
    except DiskBusy as error:
        return _refused(old, events, str(error))
    except Exception as error:  # a plugin's or a parser's own bug must not end the station
        log.exception("reading the config again")
        return _refused(old, events, Message("an error of the agent, {error}", error=repr(error)))
    for warning in new.warnings:
        log.warning("%s", warning)
    changes = changed(old, new)
    held = holders()
    if pinned := [it for it in (*changes.removed, *changes.changed) if it in held]:
        return _refused(old, events, _pinned(pinned, held))
    interlocks.adopt(new.interlocks)
    adopted(new)
    await _apply(changes, new, fleet, interlocks.arrivals)
    events.add("config.reloaded", _summary(changes))
    return new


def _refused(old: Station, events: EventLog, why: str) -> Station:
    text = Message("the config was not taken over, the old one stays in force: {why}", why=why)
    events.add("config.refused", text, severity=Severity.ERROR)
    return old


def _pinned(devices: Iterable[str], holders: Mapping[str, Holder]) -> str:
    its = [
        Message("{device} belongs to the job {job}", device=device, job=holders[device].job)
        for device in devices
    ]
    return Message("{its}: read the config again when it has ended, or stop it", its=joined(its))


async def _apply(changes: Changes, new: Station, fleet: Fleet, arrivals: Arrivals) -> None:
    """Retire what is gone or different, all at once: a device must not wait for its neighbours.

    The others keep their link and only learn the new plan.
    """
    plans = {name: plan_for(it, new.reconnect) for name, it in new.devices.items() if it.enabled}
    leaving = {name for name in (*changes.removed, *changes.changed) if name in fleet.workers}
    for name, plan in plans.items():
        if name in fleet.workers and name not in leaving:
            fleet.workers[name].adopt(plan)
        elif name not in leaving:
            fleet.start(plan)
    async with asyncio.TaskGroup() as tasks:
        for name in leaving:
            replacing = _replace(fleet, name, plans.get(name), arrivals)
            tasks.create_task(replacing, name=f"{name}.reload")


async def _replace(fleet: Fleet, name: str, plan: Plan | None, arrivals: Arrivals) -> None:
    arrivals.leaves(name)
    await fleet.retire(name)
    if plan is not None:
        fleet.start(plan)
        arrivals.expect([name])


def _summary(changes: Changes) -> str:
    parts = [
        of(word, ", ".join(names))
        for word, names in (
            (Message("added"), changes.added),
            (Message("removed"), changes.removed),
            (Message("changed"), changes.changed),
        )
        if names
    ]
    if now := [key for key in changes.keys if key in AT_ONCE]:
        parts.append(Message("changed keys, in force now: {now}", now=", ".join(now)))
    if late := [key for key in changes.keys if key not in AT_ONCE]:
        parts.append(
            Message(
                "changed keys: {late}; {at_start_only}",
                late=", ".join(late),
                at_start_only=AT_START_ONLY,
            )
        )
    return Message(
        "the config was read again; {parts}", parts=joined(parts) or Message("nothing changed")
    )
