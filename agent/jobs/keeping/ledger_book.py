"""The journal of record: what happens in jobs goes into the ledger, and the jobs into its database.

Rows of `record` steps come too often for a ledger; they are for other journals.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final

from agent.jobs.keeping.book import NO_MARKS, Key, Marks, Recalled
from agent.jobs.keeping.journal import Entry, Kind
from agent.jobs.states import FINAL, JobState
from agent.languages.message import Message, listed
from agent.languages.words import term
from agent.roles import Actor
from agent.store import job_table
from agent.store.database import Connection
from agent.store.entries import AGENT, JobEntry, StepEntry, Who
from agent.store.entries import Entry as LedgerRow
from agent.store.job_table import JobRow, KeyRow
from agent.store.ledger import Ledger

ENDED_KEPT: Final = 200
"""Jobs that have ended and can be listed."""
BY_THE_BOOK: Final[frozenset[Kind]] = frozenset({"submitted", "moved", "queue", "plate"})
"""Entries that are entered with what belongs to them, and need no second row."""
NOT_HERE: Final[frozenset[Kind]] = BY_THE_BOOK | {"row"}
ACTIONS: Final[Mapping[Kind, str]] = {
    "submitted": "submit",
    "moved": "move",
    "question": "ask",
}
"""The verb of the ledger, where it is not the kind itself."""
KINDS: Final = {action: kind for kind, action in ACTIONS.items()}


class LedgerBook:
    """Journal and Book of a station that has a ledger."""

    def __init__(self, ledger: Ledger, *, ended_kept: int = ENDED_KEPT) -> None:
        self._ledger, self._ended_kept = ledger, ended_kept

    async def add(self, entry: Entry) -> None:
        """See Journal."""
        if entry.kind not in NOT_HERE:
            await self.enter([entry])

    async def enter(
        self, entries: Sequence[Entry], *, key: Key | None = None, marks: Marks = NO_MARKS
    ) -> None:
        """See Book."""
        rows = [(_who(entry.by), _row(entry)) for entry in entries]
        along = partial(self._along, entries, key, marks)
        what = listed(
            Message("{kind} of job {job}", kind=term(it.kind), job=it.job) for it in entries
        ) or Message("the marks of jobs")
        await self._ledger.record_all(rows, along, what)

    async def recall(self) -> Recalled:
        """See Book."""
        wholes, marks = await self._ledger.read(_recalled, Message("the jobs of before"))
        return Recalled(wholes=tuple(wholes), marks=marks)

    async def known(self, key: str) -> Key | None:
        """See Book."""
        read = partial(job_table.find_key, key=key)
        row = await self._ledger.read(read, Message("the keys of submissions"))
        return Key(key=row.key, sha256=row.sha256, job=row.job) if row else None

    async def log(self, job: str, after: int, most: int) -> tuple[Mapping[str, Any], ...]:
        """See Book."""
        read: Callable[[Connection], list[tuple[int, str]]]
        read = partial(job_table.job_rows, job=job, after=after, most=most)
        rows = await self._ledger.read(read, Message("what is on record of job {job}", job=job))
        return tuple(_told(seq, json.loads(text)) for seq, text in rows)

    def _along(
        self, entries: Sequence[Entry], key: Key | None, marks: Marks, connection: Connection
    ) -> None:
        """Keep the jobs as they are after these entries, in the same transaction."""
        for entry in entries:
            if entry.whole is not None:
                is_final = entry.whole["state"] in FINAL
                row = JobRow(job=entry.job, is_final=is_final, form=entry.whole)
                job_table.put_job(connection, row, ended_kept=self._ended_kept)
        if key is not None:
            row_of_key = KeyRow(key=key.key, sha256=key.sha256, job=key.job)
            job_table.put_key(connection, row_of_key)
        for name, value in marks.items():
            job_table.put_mark(connection, name, value)


def _recalled(connection: Connection) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    return job_table.jobs(connection), job_table.marks(connection)


def _who(actor: Actor | None) -> Who:
    if actor is None:
        return AGENT
    return Who(name=actor.name, role=actor.role.name.lower(), origin=actor.origin)


def _row(entry: Entry) -> LedgerRow:
    """The entry as the ledger has it: `after` is its data, where its words do not say it all."""
    data = dict(entry.data)
    target, job = entry.recipe or "queue", entry.job
    if entry.kind == "state":
        return JobEntry(
            action=data["state"],
            target=target,
            job=job,
            before=data["was"],
            after=data["state"],
            reason=data["why"],
        )
    if entry.kind == "step":
        return StepEntry(
            action=data["phase"],
            target=target,
            job=job,
            step=data["key"],
            after=data["place"],
            reason=data.get("why", ""),
        )
    reason = str(data.pop("reason", "")) if entry.kind == "queue" else ""
    action = ACTIONS.get(entry.kind, entry.kind)
    return JobEntry(action=action, target=target, job=job, after=data, reason=reason)


def _told(seq: int, body: Mapping[str, Any]) -> Mapping[str, Any]:
    """A row of the ledger as `Book.log` gives it."""
    return {
        "row": seq,
        "time": datetime.fromisoformat(body["utc"]).timestamp(),
        "by": body["actor"]["name"],
        "origin": body["actor"]["origin"],
        **_what(body),
    }


def _what(body: Mapping[str, Any]) -> Mapping[str, Any]:
    action, after, why = body["action"], body.get("after"), body.get("reason", "")
    match body["kind"]:
        case "step":
            data = {"key": body["step"], "place": after, "phase": action, "why": why}
            return {"what": "step", "data": data}
        case "job" if action in set(JobState):
            data = {"state": action, "was": body.get("before", ""), "why": why}
            return {"what": "state", "data": data}
        case "job":
            return {"what": KINDS.get(action, action), "data": after or {}}
        case kind:
            data = {name: body[name] for name in ("object", "stage", "after") if name in body}
            return {"what": kind, "data": {"action": action, **data, "why": why}}
