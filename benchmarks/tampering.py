"""The ledger in the hands of somebody who takes its triggers away: is each change found, at its place?

A small ledger is copied, one change is made to the copy, and it is verified as `labkeeper ledger
verify` does, with the head that is kept beside it. The changes are drawn at random: a byte of a text
or of a hash, a text whose hash was made to fit, rows deleted (with a gap, and with the gap closed),
inserted, swapped, and the end cut off. Goal: all of 100,000 found, and the row named.

TAMPER_SEED and TAMPER_CHANGES in the environment choose another seed, and another number of changes.
"""

import asyncio
import os
import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Final

from agent.clock import SystemClock
from agent.store.boot import boot_id
from agent.store.chain import link
from agent.store.database import NAME, Database
from agent.store.entries import EventEntry, Provenance, Who
from agent.store.head_file import NAME as HEAD_NAME
from agent.store.ledger import Ledger
from agent.store.ledger_verify import verify
from benchmarks.result import Result

CHANGES: Final = 100_000
QUICK: Final = 1_000
ROWS: Final = 40
AWAY: Final = 1_000_000
"""Where rows are put while others are numbered anew: no two may have one number."""
WHO: Final = Who(name="technician", role="technician", origin="cli")

Change = Callable[[sqlite3.Connection, int, int], int]
"""Changes something at a row, and returns the row at which it must show first."""


async def measure(quick: bool) -> list[Result]:
    """Make and look for 100,000 changes, or 1,000 when quick."""
    changes = int(os.environ.get("TAMPER_CHANGES", QUICK if quick else CHANGES))
    rng = Random(os.environ.get("TAMPER_SEED", "1"))
    with tempfile.TemporaryDirectory(prefix="lk-bench-") as made:
        whole = Path(made) / "whole"
        whole.mkdir()
        await _fill(whole)
        made_of, missed = await asyncio.to_thread(_all, Path(made), whole, rng, changes)
    kinds = ", ".join(f"{count:,} {name}" for name, count in sorted(made_of.items()))
    return [
        Result(
            name="tampering",
            figure=f"{sum(missed.values())} of {changes:,} changes not found at their row: {kinds}",
            goal="all found, and the row named",
            reached=0.0 if missed else 1.0,
            more={"missed": dict(missed)},
        )
    ]


async def _fill(folder: Path) -> None:
    clock = SystemClock()
    async with Database(folder / NAME, clock) as database:
        provenance = Provenance(boot_id=boot_id(), software_version="0", config_hash="c0ffee")
        ledger = Ledger(
            *(database,),
            clock=clock,
            rng=Random(1),
            provenance=provenance,
            is_clock_synced=lambda: True,
        )
        await ledger.begin("bench-1")
        while ledger.head.seq < ROWS:
            entry = EventEntry(action="device.lost", target="psu1", reason=f"at {ledger.head.seq}")
            await ledger.record(WHO, entry)


def _all(folder: Path, whole: Path, rng: Random, changes: int) -> tuple[Counter[str], Counter[str]]:
    made_of, missed = Counter[str](), Counter[str]()
    copy = folder / "copy"
    for _ in range(changes):
        shutil.copytree(whole, copy)
        name = rng.choice(tuple(KINDS))
        place = _changed(copy / NAME, KINDS[name], rng)
        found = verify(copy / NAME, beside=copy / HEAD_NAME, most_parts=1).findings
        made_of[name] += 1
        # A row whose hash was made to fit is no longer what the next one follows from.
        if not found or found[0].seq not in {place, place + 1}:
            missed[name] += 1
        shutil.rmtree(copy)
    return made_of, missed


def _changed(database: Path, change: Change, rng: Random) -> int:
    with closing(sqlite3.connect(database)) as connection:
        for trigger in ("ledger_has_no_gaps", "ledger_is_not_changed", "ledger_is_not_deleted"):
            connection.execute(f"DROP TRIGGER {trigger}")
        place = change(connection, rng.randint(1, ROWS - 2), rng.randrange(1 << 20))
        connection.commit()
    return place


def _row(connection: sqlite3.Connection, seq: int) -> tuple[bytes, str, bytes]:
    query = "SELECT prev_hash, body, hash FROM ledger WHERE seq = ?"
    prev_hash, body, its_hash = connection.execute(query, (seq,)).fetchone()
    return prev_hash, body, its_hash


def _put(connection: sqlite3.Connection, seq: int, **columns: object) -> int:
    for name, value in columns.items():
        connection.execute(f"UPDATE ledger SET {name} = ? WHERE seq = ?", (value, seq))
    return seq


def _moved(connection: sqlite3.Connection, first: int, by: int) -> None:
    connection.execute("UPDATE ledger SET seq = seq + ? WHERE seq >= ?", (AWAY, first))
    connection.execute("UPDATE ledger SET seq = seq + ? WHERE seq > ?", (by - AWAY, AWAY))


def _text(connection: sqlite3.Connection, seq: int, luck: int) -> int:
    body = _row(connection, seq)[1]
    at = luck % len(body)
    return _put(connection, seq, body=body[:at] + chr(ord(body[at]) ^ 1) + body[at + 1 :])


def _hash(connection: sqlite3.Connection, seq: int, luck: int) -> int:
    changed = bytearray(_row(connection, seq)[2])
    changed[luck % len(changed)] ^= 1 + luck % 255
    return _put(connection, seq, hash=bytes(changed))


def _forgery(connection: sqlite3.Connection, seq: int, luck: int) -> int:
    prev_hash, body, _ = _row(connection, seq)
    forged = body.replace('"utc":"', f'"utc":"{luck}', 1)
    return _put(connection, seq, body=forged, hash=link(prev_hash, forged.encode()))


def _deletion(connection: sqlite3.Connection, seq: int, _: int) -> int:
    connection.execute("DELETE FROM ledger WHERE seq = ?", (seq,))
    return seq


def _closed_gap(connection: sqlite3.Connection, seq: int, _: int) -> int:
    _deletion(connection, seq, 0)
    _moved(connection, seq + 1, -1)
    return seq


def _insertion(connection: sqlite3.Connection, seq: int, luck: int) -> int:
    row = _row(connection, luck % ROWS + 1)
    _moved(connection, seq, 1)
    connection.execute("INSERT INTO ledger VALUES (?, ?, ?, ?)", (seq, *row))
    return seq


def _swap(connection: sqlite3.Connection, seq: int, luck: int) -> int:
    other = (seq + luck % (ROWS - 1)) % ROWS + 1
    both = {seq: _row(connection, other), other: _row(connection, seq)}
    for at, (prev_hash, body, its_hash) in both.items():
        _put(connection, at, prev_hash=prev_hash, body=body, hash=its_hash)
    return min(seq, other)


def _cut(connection: sqlite3.Connection, seq: int, _: int) -> int:
    connection.execute("DELETE FROM ledger WHERE seq >= ?", (seq,))
    return seq


KINDS: Final[dict[str, Change]] = {
    "texts": _text,
    "hashes": _hash,
    "forged rows": _forgery,
    "deletions": _deletion,
    "deletions with the gap closed": _closed_gap,
    "insertions": _insertion,
    "swaps": _swap,
    "cut tails": _cut,
}
