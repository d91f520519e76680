"""One run folder that is being written: what waits for the disk, and what the disk did not take."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from agent.errors import AgentError
from agent.fleet.events import Event, EventLog, Severity
from agent.jobs.job import Job
from agent.jobs.states import JobState
from agent.languages.message import Message
from agent.store.run_files import not_recorded
from agent.store.run_tables import Column, moment
from agent.store.run_writer import RunWriter

if TYPE_CHECKING:
    from agent.jobs.runs.run_sources import Prepared

MOST_WAITING: Final = 5000
"""Rows and entries of one run that may wait for the disk; rows beyond it are left out, and counted."""
RECORDED: Final = "recording.written"
"""The kind of the event that tells where the recording of a line is."""


@dataclass(slots=True)
class Item:
    """Something that is to be written, what it is called, and why it was not."""

    work: Callable[[], None]
    what: str
    error: AgentError | None = None


@dataclass(slots=True)
class OpenRun:
    """`lost` is counted by the loop, `untaken` by the thread that writes: by rows, entries, events."""

    prepared: Prepared
    writer: RunWriter
    devices: list[dict[str, Any]]
    seen: int
    """The number of the last event that was looked at."""
    waiting: deque[Item] = field(default_factory=deque)
    lost: Counter[str] = field(default_factory=Counter)
    untaken: Counter[str] = field(default_factory=Counter)
    trouble: str = ""
    """Why something was lost at last, until that is said."""
    said: set[str] = field(default_factory=set)
    has_failed: bool = False
    """Whether a step has been told that its entry could not be kept."""
    printed: list[dict[str, Any]] = field(default_factory=list)
    columns: dict[tuple[str, tuple[str, ...]], tuple[Column, ...]] = field(default_factory=dict)
    closing: asyncio.Task[None] | None = None

    def offer(self, work: Callable[[], None], kind: str) -> Item | None:
        """Have something written later; None, and counted, where too much waits already."""
        if len(self.waiting) >= MOST_WAITING:
            self.lost[kind] += 1
            self.trouble = Message(
                "the disk is too slow: {most_waiting} entries wait for it",
                most_waiting=MOST_WAITING,
            )
            return None
        item = Item(work, kind)
        self.waiting.append(item)
        return item

    def flush(self) -> None:
        """Write what waits, in the thread that writes. What the disk does not take is counted."""
        while self.waiting:
            item = self.waiting.popleft()
            try:
                item.work()
            except OSError as error:
                item.error = not_recorded(
                    Message("{what} of job {id}", what=item.what, id=self.prepared.job.id), error
                )
                self.untaken[item.what] += 1
                self.trouble = str(item.error)

    def hear(self, events: EventLog) -> None:
        """Take in what has happened since last time at the station, as far as it concerns the run."""
        kept = events.kept
        if kept and kept[0].number > self.seen + 1:
            self.lost["events"] += kept[0].number - self.seen - 1
            self.trouble = Message("more events came than the agent keeps")
        for event in kept:
            if event.number > self.seen and self._concerns(event):
                self.offer(partial(self.writer.event, _form(event)), "events")
                if event.kind == RECORDED:
                    self.offer(partial(self.writer.copy, _path(event)), "recordings")
        if kept:
            self.seen = kept[-1].number

    def ending(
        self, closed_at: str, devices: list[dict[str, Any]], notes: list[str]
    ) -> dict[str, Any]:
        """What the manifest says of the end."""
        job = self.prepared.job
        return {
            **end_of(job),
            "closed": closed_at,
            "devices": devices,
            "printed": list(self.printed),
            "lost": dict(self.lost + self.untaken),
            "notes": notes,
        }

    def _concerns(self, event: Event) -> bool:
        job = self.prepared.job
        if event.device:
            return event.device in job.claimed
        if of_job := event.data.get("job"):
            return bool(of_job == job.id)
        return event.severity is not Severity.INFO


def end_of(job: Job) -> dict[str, Any]:
    """How a job has ended, as a manifest says it."""
    return {
        "state": str(job.state) if job.state.is_final else str(JobState.INTERRUPTED),
        "why": job.why,
        "verdict": job.verdict,
        "ended": None if job.ended is None else moment(job.ended),
    }


def seen_before(events: EventLog, began: float) -> int:
    """The number of the last event before a run began."""
    earlier = [event.number for event in events.kept if event.time < began]
    return max(earlier, default=0)


def _form(event: Event) -> Mapping[str, Any]:
    return {
        "number": event.number,
        "time": event.time,
        "kind": event.kind,
        "severity": str(event.severity),
        "device": event.device,
        "text": event.text,
        "data": dict(event.data),
    }


def _path(event: Event) -> Path:
    return Path(str(event.data["file"]))
