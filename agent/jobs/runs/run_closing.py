"""Closes run folders: with a manifest whose hash goes into the ledger."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from agent.clock import Clock
from agent.errors import AgentError
from agent.fleet.ends import of
from agent.fleet.events import EventLog, Severity
from agent.jobs.job import Job
from agent.jobs.runs.open_run import OpenRun, end_of
from agent.jobs.runs.run_ledger import RunLedger
from agent.jobs.states import JobState
from agent.languages.message import Message
from agent.languages.words import term
from agent.store import run_columns
from agent.store.disk_threads import at_disk_thread
from agent.store.run_columns import Format
from agent.store.run_manifest import Closed
from agent.store.run_shelf import RunShelf, close_left, job_of
from agent.store.run_tables import moment
from agent.store.run_thread import RunThread
from agent.store.run_writer import RunWriter

FAULTS_WITHIN_S: Final = 1.0
"""How long the end of a run waits for recordings of faults that are just being written."""

log = logging.getLogger("labkeeper")


class Closer:
    """Has the thread that writes. `faults` waits until every fault so far is written down."""

    def __init__(
        self,
        *,
        clock: Clock,
        events: EventLog,
        ledger: RunLedger,
        faults: Callable[[], Awaitable[None]],
        formats: Sequence[Format],
    ) -> None:
        self.thread = RunThread()
        self._clock, self._events = clock, events
        self.ledger, self._faults, self._formats = ledger, faults, formats

    async def close(self, run: OpenRun, devices: list[dict[str, Any]]) -> None:
        """Close the folder of a run. What hinders it is said; the next start tries again."""
        job = run.prepared.job
        await self._faults_written(job.id)
        run.hear(self._events)
        try:
            await self.thread.done(run.flush, Message("the run of job {id}", id=job.id))
            await self.thread.done(
                run.writer.finish, Message("the end of the run of job {id}", id=job.id)
            )
            more, notes = await at_disk_thread(self._in_columns, run.writer)
            ending = run.ending(moment(self._clock.utc()), devices, notes)
            seal = partial(run.writer.seal, ending, more)
            closed = await self.thread.done(seal, Message("the manifest of job {id}", id=job.id))
        except AgentError as error:
            self.say_failed(job, str(error))
        else:
            await self._tell(closed)

    def say_failed(self, job: Job, why: str) -> None:
        """Say that the folder of a job stays open, and what becomes of it."""
        text = Message(
            "job {id}: its folder {folder} could not be closed: {why}; the next start of "
            "the agent closes it",
            id=job.id,
            folder=job.folder,
            why=why,
        )
        self._events.add("run.failed", text, severity=Severity.ERROR, job=job.id)

    async def close_left(
        self, shelf: RunShelf, is_ours: Callable[[Path], bool], jobs: Iterable[Job] = ()
    ) -> None:
        """Close what agents that were ended have left open, and nothing that this one writes.

        Jobs of before that have ended say what is known of their end, and are told where theirs is.
        """
        try:
            found = await self.thread.done(
                lambda: tuple(shelf.all()), Message("the folder of runs")
            )
        except AgentError as error:
            self._events.add("run.failed", str(error), severity=Severity.ERROR)
            return
        ended = {job.id: job for job in jobs if job.state.is_final}
        unplaced = {job.id: job for job in ended.values() if not job.folder}
        for it in found:  # the youngest of a job comes last
            if job := unplaced.get(job_of(it.path)):
                job.folder = str(it.path)
        for it in found:
            if not it.is_closed and not is_ours(it.path):
                await self._close_one_left(it.path, ended.get(job_of(it.path)))

    async def _close_one_left(self, folder: Path, job: Job | None) -> None:
        known = {} if job is None else end_of(job)
        try:
            # Not in the thread that writes: a long table is read through, and jobs may begin.
            closed = await at_disk_thread(close_left, folder, moment(self._clock.utc()), known)
        except (AgentError, OSError) as error:
            self._events.add("run.failed", of(str(folder), str(error)), severity=Severity.ERROR)
            return
        except Exception as error:  # one that is damaged keeps no agent from starting
            log.exception("closing %s", folder)
            self._events.add("run.failed", of(str(folder), str(error)), severity=Severity.ERROR)
            return
        how = (
            Message("was interrupted")
            if closed.state == JobState.INTERRUPTED
            else Message("is {state}", state=term(closed.state))
        )
        text = Message(
            "job {job} ({recipe}) {how}: what an ended agent left is in {folder}",
            job=closed.job,
            recipe=closed.recipe,
            how=how,
            folder=str(folder),
        )
        self._events.add("run.interrupted", text, severity=Severity.WARNING, job=closed.job)
        await self._tell(closed)

    async def _faults_written(self, job: str) -> None:
        try:
            async with asyncio.timeout(FAULTS_WITHIN_S):
                await self._faults()
        except TimeoutError:
            log.warning("job %s: a recording of a fault is late, and not in its folder", job)

    def _in_columns(self, writer: RunWriter) -> tuple[list[str], list[str]]:
        """Write the tables in other forms; return the new files, and what could not be had."""
        if not self._formats or not writer.tables:
            return [], []
        if not run_columns.is_possible():
            return [], [run_columns.MISSING]
        made: list[str] = []
        notes: list[str] = []
        for table in writer.tables.values():
            try:
                made += run_columns.write(writer.folder, table, self._formats)
            except OSError as error:
                notes.append(f"{table.file}: {error.strerror or error}")
            except Exception as error:  # the library's own: the CSV has it all the same
                log.exception("%s in other forms", table.file)
                notes.append(f"{table.file}: {error}")
        return made, notes

    async def _tell(self, closed: Closed) -> None:
        try:
            await self.ledger.closed(closed)
        except AgentError as error:
            text = Message(
                "job {job}: the hash of its folder is not in the ledger: {error}",
                job=closed.job,
                error=str(error),
            )
            self._events.add("run.failed", text, severity=Severity.ERROR, job=closed.job)
            return
        text = Message(
            "job {job} ({recipe}): {files} files in {folder}",
            job=closed.job,
            recipe=closed.recipe,
            files=closed.files,
            folder=closed.folder,
        )
        about: Mapping[str, Any] = {"job": closed.job, "sha256": closed.sha256}
        self._events.add("run.closed", text, **about)
