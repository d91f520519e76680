"""Jobs in memory whose runs are written down in real folders, and a folder that is closed by hand."""

from __future__ import annotations

import asyncio
import csv
import json
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from agent.clock import SystemClock
from agent.jobs.job import Job
from agent.jobs.keeping.journals import Journals
from agent.jobs.runs.run_closing import Closer
from agent.jobs.runs.run_facts import Place
from agent.jobs.runs.run_ledger import RunLedger
from agent.jobs.runs.run_records import RunRecords
from agent.store.run_columns import Format
from agent.store.run_manifest import Closed
from agent.store.run_shelf import RunShelf
from agent.store.run_verify import RunVerdict, verify
from agent.store.run_writer import RunWriter
from tests.agent.jobs_bench import JobsBench, jobs_in_memory


class ToldLedger(RunLedger):
    """Keeps what the ledger would be told of runs."""

    def __init__(self) -> None:
        super().__init__(None)
        self.told: list[Closed] = []

    async def closed(self, closed: Closed) -> None:
        self.told.append(closed)


@dataclass
class RunsBench:
    """Jobs, where they are written down, and what the ledger would be told."""

    jobs: JobsBench
    records: RunRecords
    ledger: ToldLedger
    shelf: RunShelf

    async def folder(self, job: Job) -> Path:
        """The folder of a job that has ended, once it is closed."""
        await self.jobs.over(job)
        await self.jobs.until(lambda: job.id in [it.job for it in self.ledger.told])
        return Path(job.folder)


@asynccontextmanager
async def runs_in_memory(
    folder: Path, *formats: Format, recording: Path | None = None, before: Iterable[Job] = ()
) -> AsyncIterator[RunsBench]:
    """Jobs over two toy supplies, with a folder for each; `recording` is a fault's.

    `before` are jobs that are on record from an agent before.
    """
    async with jobs_in_memory(folder) as bench:
        station, ledger = bench.station, ToldLedger()
        clock, shelf = SystemClock(), RunShelf(folder / "state" / "runs")

        async def faults() -> None:
            if recording is not None:
                station.events.add("recording.written", "kept", device="psu1", file=str(recording))

        shop = bench.jobs._shop
        records = RunRecords(
            shelf,
            Place(station="bench-1", version="0.0.0", titles={"ko": "3번 작업대"}),
            Closer(
                clock=clock, events=station.events, ledger=ledger, faults=faults, formats=formats
            ),
            tasks=shop.tasks,
            clock=clock,
            events=station.events,
            board=station.board,
            workers=station.fleet.workers,
            files=station.station.files,
        )
        shop.journal, shop.prepare = Journals(bench.journal, records), records.prepare
        looking = shop.tasks.create_task(records.run(before), name="runs")
        yield RunsBench(bench, records, ledger, shelf)
        looking.cancel()
        await bench.jobs.end()
        await records.end()


FACTS: dict[str, Any] = {
    "job": "20261128-051602-1",
    "recipe": {
        "name": "시험",
        "version": "1",
        "titles": {"ko": "열 사이클"},
        "file": "recipe.yaml",
    },
    "called": [],
    "by": {"name": "kim", "origin": "cli", "role": "technician"},
    "parameters": {"lot": "L-3"},
    "devices": [],
}
ENDING: dict[str, Any] = {"state": "done", "why": "", "verdict": "pass"}


def closed_folder(
    shelf: Path, job: str = FACTS["job"], ending: Mapping[str, str] = MappingProxyType({})
) -> Closed:
    """A run folder with something in every kind of file."""
    from agent.store.run_tables import Column

    facts = {**FACTS, "job": job}
    writer = RunWriter(RunShelf(shelf).new(job, "시험"), facts, 100.0)
    writer.begin({"recipe.yaml": b"name: x\n", "recipes/inner.yaml": b"name: inner\n"})
    sample = {"value": 21.5, "quality": "good", "time": 100.5, "reason": ""}
    columns = (Column("oven.temperature", "oven1", "Cel", "number"),)
    for number in range(3):
        writer.row(101.0 + number, "온도", columns, {"oven.temperature": sample})
    measure = {"name": "r", "value": 1.0, "unit": "Ohm", "verdict": "pass", "reason": ""}
    writer.entry(102.0, "measure", measure)
    writer.finish()
    return writer.seal({**ENDING, **ending})


def table(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV as Excel reads them: by its byte order mark, by heading."""
    raw = path.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf"), "Excel in Korea would take it for CP949"
    text = raw.decode("utf-8-sig")
    assert raw.count(b"\n") == raw.count(b"\r\n"), "RFC 4180 ends lines with CR LF"
    return list(csv.DictReader(text.splitlines(keepends=True)))


def manifest(folder: Path) -> Any:
    """The manifest of a folder."""
    return json.loads((folder / "manifest.json").read_text("utf-8"))


async def whole(folder: Path) -> RunVerdict:
    """The verdict on a folder that must be whole."""
    verdict = await asyncio.to_thread(verify, folder)
    assert verdict.is_whole, [str(it) for it in verdict.faults]
    return verdict


def names(folder: Path) -> Iterator[str]:
    """The files of a folder."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.relative_to(folder).as_posix()
