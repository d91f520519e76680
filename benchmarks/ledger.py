"""The ledger: rows a second that are on the disk when their callers go on, and its verification.

Commits: a thousand callers record at once, each waiting until its row is on the disk, beside a
program that commits the same texts one by one (WAL, synchronous=FULL). Goal: 100 times as many. How
far that can be reached is the disk's affair: where it takes 0.1 ms for a commit and not 4, one by
one is no longer slow.

Verification: a ledger is read and verified, beside a loop that hashes the same rows and does nothing
else; the time in which that loop is given its rows does not count. Goal: a million rows a second, or
half of the loop's rate.
"""

import asyncio
import sqlite3
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from functools import partial
from hashlib import sha256
from pathlib import Path
from random import Random
from statistics import median
from typing import Final

from agent.clock import SystemClock
from agent.store.append import append
from agent.store.boot import boot_id
from agent.store.chain import BEGINNING, canonical
from agent.store.clock_sync import clock_synced
from agent.store.database import NAME, Connection, Database, reading
from agent.store.entries import EventEntry, Moment, Provenance, Who, body
from agent.store.head_file import NAME as HEAD_NAME
from agent.store.ledger import Ledger
from agent.store.ledger_verify import verify
from benchmarks.result import Result

COMMITS_GOAL, RATE_GOAL, SHARE_GOAL = 100.0, 1e6, 0.5
CALLERS: Final = 1000
SLICE: Final = 20_000
"""Rows that the bare loop is given at a time."""

_WHO: Final = Who(name="technician", role="technician", origin="cli")
_ENTRY: Final = EventEntry(
    action="device.lost", target="psu1", reason="no answer within 2 s, twice"
)


async def measure(quick: bool) -> list[Result]:
    """Commit for five rounds of 2 s, verify a million rows five times; quick: 0.4 s, 0.4 million, two."""
    rounds, seconds, rows = (2, 0.4, 400_000) if quick else (5, 2.0, 1_000_000)
    with tempfile.TemporaryDirectory(prefix="lk-bench-") as made:
        commits = await _commits(Path(made), rounds, seconds)
    with tempfile.TemporaryDirectory(prefix="lk-bench-") as made:
        return [commits, await _verification(Path(made), rounds, rows)]


async def _commits(folder: Path, rounds: int, seconds: float) -> Result:
    ours, single = [], []
    async with _ledger(folder) as (_, ledger):
        text = (await ledger.rows())[0].text
        for _ in range(rounds):
            ours.append(await _rate_of(ledger, seconds))
            single.append(await asyncio.to_thread(_rate_one_by_one, folder, text, seconds))
        head = ledger.head
    verdict = await asyncio.to_thread(verify, folder / NAME, [head], beside=folder / HEAD_NAME)
    ratios = [a / b for a, b in zip(ours, single, strict=True)]
    return Result(
        name="ledger_commits",
        figure=(
            f"{median(ours):,.0f} rows/s of {CALLERS:,} callers, each on the disk before its caller goes "
            f"on; one by one {median(single):,.0f}/s, {1000 / median(single):.2f} ms each: "
            f"×{median(ratios):.1f} (worst round ×{min(ratios):.1f})"
        ),
        goal=f"×{COMMITS_GOAL:g}",
        reached=median(ratios) / COMMITS_GOAL if verdict.is_whole else 0.0,
        more={"rows_per_s": ours, "one_by_one_per_s": single, "rows": verdict.rows},
    )


async def _rate_of(ledger: Ledger, seconds: float) -> float:
    """Rows that were acknowledged a second."""
    first, began = ledger.head.seq, time.perf_counter()

    async def caller() -> None:
        while time.perf_counter() - began < seconds:
            await ledger.record(_WHO, _ENTRY)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(CALLERS):
            tasks.create_task(caller())
    return (ledger.head.seq - first) / (time.perf_counter() - began)


def _rate_one_by_one(folder: Path, text: str, seconds: float) -> float:
    with closing(sqlite3.connect(folder / "bare.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE IF NOT EXISTS bare (seq INTEGER PRIMARY KEY, body TEXT)")
        count, began = 0, time.perf_counter()
        while time.perf_counter() - began < seconds:
            connection.execute("INSERT INTO bare (body) VALUES (?)", (text,))
            count += 1
        return count / (time.perf_counter() - began)


async def _verification(folder: Path, rounds: int, rows: int) -> Result:
    async with _ledger(folder) as (database, ledger):
        await _fill(database, ledger, rows)
    bare, ours, are_whole = [], [], True
    for _ in range(rounds):
        bare.append(rows / await asyncio.to_thread(_seconds_of_hashing, folder))
        began = time.perf_counter()
        verdict = await asyncio.to_thread(verify, folder / NAME, beside=folder / HEAD_NAME)
        ours.append(rows / (time.perf_counter() - began))
        are_whole &= verdict.is_whole and verdict.rows == rows
    shares = [a / b for a, b in zip(ours, bare, strict=True)]
    return Result(
        name="ledger_verify",
        figure=(
            f"{median(ours):,.0f} of {rows:,} rows verified a second, the bare loop hashes "
            f"{median(bare):,.0f}: {median(shares):.0%} (worst round {min(shares):.0%})"
        ),
        goal=f"{RATE_GOAL:,.0f} a second, or {SHARE_GOAL:.0%} of the bare loop",
        reached=max(median(ours) / RATE_GOAL, median(shares) / SHARE_GOAL) if are_whole else 0.0,
        more={"rows_per_s": ours, "bare_rows_per_s": bare, "rows": rows},
    )


def _seconds_of_hashing(folder: Path) -> float:
    """How long it takes to hash all rows, without the time in which they are read."""
    taken, previous = 0.0, BEGINNING
    with reading(folder / NAME) as connection:
        rows = connection.execute("SELECT body, hash FROM ledger ORDER BY seq")
        while some := rows.fetchmany(SLICE):
            began = time.perf_counter()
            for text, kept in some:
                previous = sha256(previous + text).digest()
                if previous != kept:
                    raise RuntimeError("the ledger of the benchmark is not chained")
            taken += time.perf_counter() - began
    return taken


async def _fill(database: Database, ledger: Ledger, rows: int) -> None:
    """Append rows of different content until there are so many, as fast as SQLite takes them."""
    form = body(_ENTRY, _WHO, Moment(utc="", mono=0.0, clock_synced=True), ledger.provenance)
    text = canonical(form)

    def some(first: int, connection: Connection) -> None:
        for number in range(first, min(first + SLICE, rows)):
            append(text.replace('"mono":0.0', f'"mono":{number}.5'), _ENTRY, None, connection)

    for first in range(ledger.head.seq, rows, SLICE):
        await database.write(partial(some, first), "rows of the benchmark")


@asynccontextmanager
async def _ledger(folder: Path) -> AsyncIterator[tuple[Database, Ledger]]:
    clock = SystemClock()
    async with Database(folder / NAME, clock) as database:
        provenance = Provenance(boot_id=boot_id(), software_version="0.1.0", config_hash="0" * 64)
        ledger = Ledger(
            database,
            clock=clock,
            rng=Random(),
            provenance=provenance,
            is_clock_synced=clock_synced,
        )
        await ledger.begin("bench")
        yield database, ledger
