"""The history that Moonraker keeps of the prints that it saw.

Source: moonraker.readthedocs.io, External API, "Job History".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from simulators.networked_job import Job

Entry = dict[str, Any]
API_USER: Final = "_API_KEY_USER_"
"""The user whom Moonraker makes of somebody with the API key."""


@dataclass
class _Record:
    number: int
    job: Job
    status: str = "in_progress"
    ended: float | None = None


class History:
    """Prints by their id, six hexadecimal digits. `on_change` hears "added" and "finished"."""

    def __init__(self, exists: Callable[[str], bool]) -> None:
        self._exists = exists
        self._records: list[_Record] = []
        self._count = 0
        self.on_change: Callable[[str, Entry], None] = lambda *_: None

    def note(self, job: Job, end: str, now: float) -> None:
        """See a print change; `end` is how it has ended, "" while it goes on. `now` is Unix time."""
        record = next((kept for kept in self._records if kept.job is job), None)
        if record is None:
            self._count += 1
            record = _Record(self._count, job)
            self._records.append(record)
            self.on_change("added", self._entry(record))
        if end and record.status == "in_progress":
            record.status, record.ended = end, now
            self.on_change("finished", self._entry(record))

    def interrupt(self) -> None:
        """Mark what was being printed when Moonraker itself was cut off."""
        for record in self._records:
            if record.status == "in_progress":
                record.status = "interrupted"

    def entries(
        self,
        *,
        limit: int = 50,
        start: int = 0,
        since: float | None = None,
        before: float | None = None,
        order: str = "desc",
    ) -> list[Entry]:
        """Return entries as `server.history.list` does."""
        chosen = [
            record
            for record in self._records
            if (since is None or record.job.started > since)
            and (before is None or (record.ended is not None and record.ended < before))
        ]
        if order.lower() != "asc":
            chosen.reverse()
        end = start + limit if limit > 0 else None
        return [self._entry(record) for record in chosen[start:end]]

    def entry(self, uid: str) -> Entry | None:
        """Return one entry by its id, None when there is none."""
        return next((self._entry(r) for r in self._records if _uid(r) == uid.upper()), None)

    def delete(self, uid: str) -> bool:
        """Forget an entry; return whether it was there."""
        kept = [record for record in self._records if _uid(record) != uid.upper()]
        gone = len(kept) < len(self._records)
        self._records = kept
        return gone

    def last_of(self, name: str) -> Entry | None:
        """Return the latest entry of a file, None when it was never printed."""
        return next((e for e in self.entries(limit=0) if e["filename"] == name), None)

    def _entry(self, record: _Record) -> Entry:
        job = record.job
        return {
            "job_id": _uid(record),
            "user": API_USER if job.by == "api" else None,
            "filename": job.name,
            "exists": self._exists(job.name),
            "status": record.status,
            "start_time": job.started,
            "end_time": record.ended,
            "print_duration": job.printing - job.heating,
            "total_duration": job.total,
            "filament_used": job.filament,
            "metadata": {"size": job.size},
            "auxiliary_data": [],
        }


def _uid(record: _Record) -> str:
    return f"{record.number:06X}"
