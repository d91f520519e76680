"""SIGHUP: read the config again, and apply only what changed, or keep the old and say why."""

import asyncio
from pathlib import Path
from typing import Final

from agent.errors import ConfigError
from agent.fleet.events import EventLog, Severity
from agent.fleet.fleet import Fleet
from agent.fleet.plan import plan_for
from agent.settings import Changes, Station, changed, load

AT_START_ONLY: Final = "they take effect when the agent is restarted"


async def reload(config: Path, old: Station, fleet: Fleet, events: EventLog) -> Station:
    """Return the config in force afterwards: the new one, or the old when the new is wrong."""
    try:
        new = await asyncio.to_thread(load, config)
    except ConfigError as error:
        events.add(
            "config.refused",
            f"the config was not taken over, the old one stays in force: {error}",
            severity=Severity.ERROR,
        )
        return old
    changes = changed(old, new)
    await _apply(changes, new, fleet)
    events.add("config.reloaded", _summary(changes))
    return new


async def _apply(changes: Changes, new: Station, fleet: Fleet) -> None:
    """Retire what is gone or different; the others keep their link and only learn the new plan."""
    for name in (*changes.removed, *changes.changed):
        if name in fleet.workers:
            await fleet.retire(name)
    for name, device in new.devices.items():
        plan = plan_for(device, new.reconnect)
        if name in fleet.workers:
            fleet.workers[name].adopt(plan)
        elif device.enabled:
            fleet.start(plan)


def _summary(changes: Changes) -> str:
    parts = [
        f"{word}: {', '.join(names)}"
        for word, names in (
            ("added", changes.added),
            ("removed", changes.removed),
            ("changed", changes.changed),
        )
        if names
    ]
    if late := [key for key in changes.keys if key != "reconnect"]:
        parts.append(f"changed keys: {', '.join(late)}; {AT_START_ONLY}")
    return f"the config was read again; {'; '.join(parts) or 'nothing changed'}"
