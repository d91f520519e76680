"""Which events are records, and how the ledger tells of them.

A record is what somebody who looks back will ask for: trouble of any kind, and what changed how the
station works. The values of the day are none, nor is what has rows of its own already.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from agent.fleet.events import Event, Severity
from agent.store.entries import AGENT, EventEntry, Origin, Who

OWN_ROWS: Final = frozenset({"set", "do", "stop", "settle", "alarm", "disk", "ledger"})
"""What the gate records itself, and alarms, which tell of the disk too, and the ledger of itself; by the
first word of the kind."""
OWN_ROWS_OF_PARTS: Final = frozenset(
    {
        *("clock.stepped", "clock.suspended", "agent.stalled"),
        *("schedule.fired", "schedule.missed", "schedule.skipped", "schedule.refused"),
        *("schedule.enabled", "schedule.disabled"),
        "waiver.recorded",
    }
)
"""What the clock watch, schedules and waivers record themselves. Other events of theirs have no row."""
OF_JOBS: Final = frozenset({"job.unsafe"})
"""Of a job's events, those that are not told by the rows of the job itself."""
SAFE: Final = "device.safe"
"""What the end of the agent has done to a device."""
ALWAYS: Final = frozenset(
    {
        *("agent", "config", "interlock", "record", "reconnect", "files"),
        "schedule",
    }
)
"""What is a record however quiet it is, by the first word of the kind."""
ORIGINS: Final[frozenset[Origin]] = frozenset(
    {"cli", "api", "web", "mqtt", "schedule", "agent", "job"}
)


def is_record(event: Event) -> bool:
    """Whether the ledger tells of it."""
    first = event.kind.partition(".")[0]
    if first in OWN_ROWS or event.kind in OWN_ROWS_OF_PARTS:
        return False
    if first == "job" and event.kind not in OF_JOBS:
        return False
    return first in ALWAYS or event.kind == SAFE or event.severity is not Severity.INFO


def entry_of(event: Event) -> tuple[Who, EventEntry]:
    """Who did it, and the entry. `object` is the device, or what else the event is about."""
    data = event.data
    about = event.device or _first(data, "file", "interlock", "bus", "job", "alarm") or "station"
    job = str(data.get("job", ""))
    return _who(event), EventEntry(action=event.kind, target=about, reason=event.text, job=job)


def recorder(add: Callable[[Who, EventEntry], None]) -> Callable[[Event], None]:
    """What hears every event, and hands the records among them on to `add`."""

    def hear(event: Event) -> None:
        if is_record(event):
            add(*entry_of(event))

    return hear


def _first(data: Any, *names: str) -> str:
    return next((str(data[name]) for name in names if data.get(name)), "")


def _who(event: Event) -> Who:
    """The person or program that the event names; else the agent itself."""
    name, origin = event.data.get("actor"), event.data.get("origin")
    for known in ORIGINS:
        if name and origin == known:
            return Who(name=str(name), role="", origin=known)
    return AGENT
