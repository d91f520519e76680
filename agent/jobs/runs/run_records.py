"""Writes a folder for each job that begins: the journal of jobs as files that a lab keeps.

A step waits until what it leaves is with the system, and no longer than `run_thread.LATE_S`: then its
job fails, as it does where the disk takes nothing. After that the job's end goes on, and what is lost
is counted. Rows of tables and events wait for nobody; what is left out is counted as well, said, and
stands in the manifest. Nothing of a run is ever deleted by the agent.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from agent.clock import Clock
from agent.errors import AgentError
from agent.fleet.board import Board
from agent.fleet.device import DeviceWorker
from agent.fleet.events import EventLog, Severity
from agent.jobs.job import Job
from agent.jobs.keeping.journal import Entry
from agent.jobs.runs.open_run import OpenRun, seen_before
from agent.jobs.runs.run_closing import Closer
from agent.jobs.runs.run_facts import Place, columns_of, devices_form, known_at_last
from agent.jobs.states import JobState
from agent.languages.message import Message
from agent.languages.words import term
from agent.store.files import FileStore
from agent.store.run_shelf import RunShelf, job_of
from agent.store.run_tables import moment
from agent.store.run_thread import LATE_S
from agent.store.run_writer import RunWriter
from agent.store.store_errors import DiskFailed

if TYPE_CHECKING:
    from agent.jobs.recipes.library import Entry as Recipe
    from agent.jobs.recipes.library import Library
    from agent.jobs.runs.run_sources import Prepared

TICK_S: Final = 1.0
CLOSED_WITHIN_S: Final = 1.0
"""How long the end of a job waits for its folder; a long table in other forms may take longer."""
SYNC_EVERY: Final = 5
"""Ticks from one fsync to the next: what a power cut may take."""

log = logging.getLogger("labkeeper")


class RunRecords:
    """A Journal. `run` has to be running, and `end` closes what is open when the agent ends."""

    def __init__(
        self,
        shelf: RunShelf,
        place: Place,
        closer: Closer,
        *,
        tasks: asyncio.TaskGroup,
        clock: Clock,
        events: EventLog,
        board: Board,
        workers: Mapping[str, DeviceWorker],
        files: FileStore,
    ) -> None:
        self.shelf, self._place, self._closer = shelf, place, closer
        self._tasks, self._clock, self._events = tasks, clock, events
        self._board, self._workers, self._files = board, workers, files
        self._thread = closer.thread
        self._prepared: dict[str, Prepared] = {}
        self._open: dict[str, OpenRun] = {}
        self._refused: set[str] = set()
        """Jobs whose folder could not be made, of which their first step has been told."""
        self._making: dict[str, asyncio.Future[RunWriter]] = {}
        self._missed: Counter[str] = Counter()
        """How many entries of jobs came before there was a folder for them."""

    def prepare(self, job: Job, entry: Recipe, library: Library) -> None:
        """Remember what a job will run; its folder is made when it begins."""
        from agent.jobs.runs.run_sources import Prepared

        self._prepared[job.id] = Prepared(job=job, entry=entry, library=library)

    def forget(self, job: str) -> None:
        """Remember nothing of a job that is listed no longer. Its folder stays."""
        self._prepared.pop(job, None)
        self._refused.discard(job)
        self._missed.pop(job, None)

    async def add(self, entry: Entry) -> None:
        """See Journal. No state is refused: the journal of record has it, and would get it again."""
        if entry.job not in self._open and entry.job in self._prepared:
            await self._begin(entry)
        run = self._open.get(entry.job)
        if run is None or run.closing is not None:
            return
        if entry.kind == "row":
            self._row(run, entry)
            return
        if entry.kind == "print":
            run.printed.append(await self._printed(entry))
        await self._keep(run, entry)
        if entry.kind == "state" and JobState(entry.data["state"]).is_final:
            await asyncio.wait([self._closing(run)], timeout=CLOSED_WITHIN_S)

    async def run(self, jobs: Iterable[Job] = ()) -> None:
        """Close what an earlier agent has left open; then look after what is open, until cancelled.

        `jobs` are those of before, as far as they are known.
        """
        await self._closer.close_left(self.shelf, self._is_ours, jobs)
        ticks = 0
        while True:
            await self._clock.sleep(TICK_S)
            ticks += 1
            for run in tuple(self._open.values()):
                await self._look_after(run, is_time_to_sync=ticks % SYNC_EVERY == 0)

    async def end(self) -> None:
        """Close every folder: the agent ends."""
        if self._making:
            await asyncio.wait(self._making.values())
        if closing := [self._closing(run) for run in self._open.values()]:
            await asyncio.wait(closing)
        await self._thread.end()

    def _is_ours(self, folder: Path) -> bool:
        return job_of(folder) in self._prepared

    async def _begin(self, entry: Entry) -> None:
        """Have the folder of a job that has begun. Raises AgentError, to its first step alone."""
        job, what = entry.job, _folder_of(entry.job)
        if not _begins(entry) and job not in self._missed:
            return
        try:
            making = self._making.get(job) or self._make(job)
            if job not in self._refused:  # else nobody waits for this disk again
                await self._thread.waited(asyncio.shield(making), what)
        except AgentError as error:
            if entry.kind == "step":
                self._refused.add(job)
                raise
            log.warning("%s", error)  # the first step is told
        finally:
            if job not in self._open:
                self._missed[job] += 1

    def _make(self, job: str) -> asyncio.Future[RunWriter]:
        """Have the folder made once, however long that takes and whoever waits for it."""
        from agent.jobs.runs.run_sources import facts_of

        prepared = self._prepared[job]
        began = prepared.job.began or self._clock.utc()
        devices = devices_form(prepared.job, self._workers, self._board)
        facts = {
            **facts_of(prepared, self._place, self._closer.ledger.provenance),
            "devices": devices,
            "simulated": any(it["simulated"] for it in devices),
        }
        work = partial(self._written, prepared, facts, began)
        making = self._thread.begun(work, _folder_of(job))
        self._making[job] = making
        making.add_done_callback(partial(self._made, prepared, devices, began))
        return making

    def _written(self, prepared: Prepared, facts: Mapping[str, Any], began: float) -> RunWriter:
        from agent.jobs.runs.run_sources import sources_of

        job = prepared.job
        writer = RunWriter(self.shelf.new(job.id, job.recipe), facts, began)
        writer.begin(sources_of(prepared))
        return writer

    def _made(
        self,
        prepared: Prepared,
        devices: list[dict[str, Any]],
        began: float,
        making: asyncio.Future[RunWriter],
    ) -> None:
        job = prepared.job
        del self._making[job.id]
        if making.cancelled() or making.exception() is not None:
            return
        writer = making.result()
        job.folder = str(writer.folder)
        run = OpenRun(prepared, writer, devices, seen_before(self._events, began))
        run.lost["entries"] += self._missed.pop(job.id, 0)
        self._open[job.id] = run

    async def _keep(self, run: OpenRun, entry: Entry) -> None:
        """Write an entry, and wait until it is written. Raises NotRecorded, once."""
        what = Message("{kind} of job {job}", kind=term(entry.kind), job=entry.job)
        run.hear(self._events)  # what led to it stands before it
        item = run.offer(partial(run.writer.entry, entry.time, entry.kind, entry.data), "entries")
        if item is None:
            late = DiskFailed(
                Message("not recorded: {what}: too much waits for the disk", what=what)
            )
            self._fail(run, entry, late)
        elif run.has_failed:  # nobody waits for this disk again
            self._thread.later(run.flush, what)
        else:
            try:
                await self._thread.soon(run.flush, what)
            except AgentError as error:
                self._fail(run, entry, error)
            if item.error is not None:
                self._fail(run, entry, item.error)

    def _fail(self, run: OpenRun, entry: Entry, error: AgentError) -> None:
        if run.has_failed:
            return
        run.trouble = str(error)
        self._say_lost(run)
        if entry.kind != "state":
            run.has_failed = True
            raise error
        run.has_failed = entry.data["state"] == JobState.STOPPING  # what follows is the job's end

    def _row(self, run: OpenRun, entry: Entry) -> None:
        table, samples = entry.data["table"], entry.data["readings"]
        key = (table, tuple(samples))
        if key not in run.columns:
            run.columns[key] = columns_of(key[1], entry.data["devices"], self._workers)
        is_idle = not run.waiting
        run.offer(partial(run.writer.row, entry.time, table, run.columns[key], samples), "rows")
        if is_idle:
            self._thread.later(run.flush, Message("the run of job {job}", job=entry.job))

    async def _printed(self, entry: Entry) -> dict[str, Any]:
        name = entry.data["file"]
        listing = await self._files.listing()
        return {
            "file": name,
            "sha256": next((it.sha256 for it in listing.files if it.name == name), ""),
            "device": entry.data["device"],
            "time": moment(entry.time),
        }

    async def _look_after(self, run: OpenRun, *, is_time_to_sync: bool) -> None:
        job, what = run.prepared.job, Message("the run of job {id}", id=run.prepared.job.id)
        run.hear(self._events)
        if run.waiting and run.closing is None:
            self._thread.later(run.flush, what)
        if is_time_to_sync and run.closing is None:
            self._thread.later(run.writer.sync, what)
        self._say_lost(run)
        if job.state.is_final and self._clock.utc() - (job.ended or 0.0) > LATE_S:
            # What says that it ended did not come this far.
            await asyncio.wait([self._closing(run)], timeout=CLOSED_WITHIN_S)

    def _closing(self, run: OpenRun) -> asyncio.Task[None]:
        """Close a folder; whoever waits for that may give up, and it goes on."""
        if run.closing is None:
            name = f"{run.prepared.job.id}.folder"
            run.closing = self._tasks.create_task(self._closed(run), name=name)
        return run.closing

    async def _closed(self, run: OpenRun) -> None:
        job = run.prepared.job
        try:
            ended = devices_form(job, self._workers, self._board)
            await self._closer.close(run, known_at_last(run.devices, ended))
        except Exception as error:  # a defect of ours costs this folder its end, never the agent
            log.exception("closing the folder of job %s", job.id)
            self._closer.say_failed(
                job, Message("a defect of the agent, {error}", error=repr(error))
            )
        finally:
            self._say_lost(run)
            self._open.pop(job.id, None)
            self._prepared.pop(job.id, None)

    def _say_lost(self, run: OpenRun) -> None:
        """Say why something was lost, each reason once."""
        why, run.trouble = run.trouble, ""
        if why and why not in run.said:
            run.said.add(why)
            job = run.prepared.job.id
            text = Message(
                "job {job}: its folder lacks something: {why}; its manifest says how much",
                job=job,
                why=why,
            )
            self._events.add("run.incomplete", text, severity=Severity.ERROR, job=job)


def _folder_of(job: str) -> str:
    return Message("the run folder of job {job}", job=job)


def _begins(entry: Entry) -> bool:
    """Whether a job that leaves this has begun."""
    return entry.kind == "step" or (
        entry.kind == "state" and entry.data["state"] == JobState.RUNNING
    )
