"""What is kept of schedules: how far each has come, its last job, and whether a person switched it off.

Each change of it is written together with an entry of the ledger: both are on the disk, or neither.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Final

from agent.store.database import Connection, Database
from agent.store.entries import Entry, Who
from agent.store.ledger import Ledger

_COLUMNS: Final = "name, timetable, enabled, fired, job, lived, trouble"


@dataclass(frozen=True, kw_only=True, slots=True)
class Trouble:
    """A firing for which no job was started."""

    time: float
    """When it was to fire, in seconds UTC."""
    what: str
    """What became of it: refused, skipped or missed."""
    text: str
    """Why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptSchedule:
    """One schedule as it is on record."""

    name: str
    timetable: str
    """What it was followed by; empty while config has it switched off, or has it no longer."""
    enabled: bool = True
    """False where a person has switched it off."""
    fired: float | None = None
    """The time for which its last job was started, in seconds UTC."""
    job: str = ""
    """That job."""
    lived: str = "[]"
    """The stretches of time whose firings have been dealt with, as JSON."""
    trouble: Trouble | None = None
    """The last one; None if there never was any."""


class ScheduleBook:
    """The schedules of one database. Every call that writes returns when it is on the disk."""

    def __init__(self, database: Database, ledger: Ledger) -> None:
        self._database, self._ledger = database, ledger

    async def kept(self) -> Mapping[str, KeptSchedule]:
        """All that is kept, by name. Raises NotRead."""
        return await self._database.read(_kept, "the schedules")

    async def keep(self, kept: KeptSchedule, who: Who, entry: Entry) -> None:
        """Keep this of a schedule, along with what it is kept for. Raises NotRecorded."""
        await self._ledger.record(who, entry, partial(_put, kept))


def _kept(connection: Connection) -> dict[str, KeptSchedule]:
    found: dict[str, KeptSchedule] = {}
    query = f"SELECT {_COLUMNS} FROM schedules ORDER BY name"  # noqa: S608 - names of columns
    for name, timetable, enabled, fired, job, lived, trouble in connection.execute(query):
        found[name] = KeptSchedule(
            name=name,
            timetable=timetable,
            enabled=bool(enabled),
            fired=fired,
            job=job,
            lived=lived,
            trouble=Trouble(**json.loads(trouble)) if trouble else None,
        )
    return found


def _put(kept: KeptSchedule, connection: Connection) -> None:
    trouble = json.dumps(asdict(kept.trouble)) if kept.trouble else None
    connection.execute(
        f"INSERT OR REPLACE INTO schedules ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
        (kept.name, kept.timetable, kept.enabled, kept.fired, kept.job, kept.lived, trouble),
    )
