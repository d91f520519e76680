"""The station's database and the end of its ledger: read alone, and given up after some seconds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Final

from agent.doctor.finding import Finding, right, unknown, wrong
from agent.doctor.patient import Patient
from agent.languages.message import N_, Message
from agent.store.chain import Head
from agent.store.database import NAME, Connection, reading
from agent.store.head_file import NAME as HEAD_NAME
from agent.store.head_file import HeadFile
from agent.store.ledger_check import Check
from agent.store.store_errors import Damaged, NotRead

WITHIN_S: Final = 3.0
"""A database of 1 GB takes about a second."""
STEPS: Final = 20_000
"""Instructions of SQLite between two looks at the time: some milliseconds."""
TAIL: Final = 1000
"""Rows of the ledger that are held against each other; `ledger verify` takes all."""


def database(patient: Patient) -> Iterator[Finding]:
    """Whether its pages are whole, and its last rows follow from each other."""
    folder = patient.station.state
    path = folder / NAME
    try:
        if not path.exists():
            text = N_("{path} is not there yet: the first start makes it")
            yield right(Message(text, path=path))
            return
        yield _pages(path)
        yield _tail(path, folder / HEAD_NAME)
    except Damaged as error:
        yield _damaged(path, str(error))
    except (NotRead, PermissionError) as error:
        yield unread(path, error)


def unread(path: Path, error: NotRead | PermissionError) -> Finding:
    """What to say of a database that this user can't read."""
    hidden = isinstance(error, PermissionError)
    said = Message("{path} is not yours to read", path=path) if hidden else str(error)
    return unknown(said, Message("ask as root: put sudo before it"))


def _pages(path: Path) -> Finding:
    try:
        with reading(path) as connection:
            _bounded(connection)
            (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except Damaged:
        raise
    except NotRead as error:
        if "interrupted" not in str(error):
            raise
        text = N_("{path} was not read through within {within:g} s; as far as it was, it is whole")
        todo = N_("nothing, or at a quiet hour `labkeeper ledger verify`, which takes its time")
        return unknown(Message(text, path=path, within=WITHIN_S), Message(todo))
    if found != b"ok":
        return _damaged(path, found.decode(errors="replace"))
    size = path.stat().st_size / 1e6
    return right(Message("{path} is whole ({size:.1f} MB)", path=path, size=size))


def _tail(path: Path, beside: Path) -> Finding:
    """The last rows. The head is read first: what is appended meanwhile is beyond it, and no fault."""
    kept = HeadFile(beside).read()
    query = "SELECT seq, prev_hash, body, hash FROM ledger ORDER BY seq DESC LIMIT ?"
    with reading(path) as connection:
        _bounded(connection)
        rows = connection.execute(query, (TAIL + 1,)).fetchall()[::-1]
    check = Check(() if kept is None else (kept,))
    if len(rows) > TAIL:
        check.begin_after(*rows.pop(0))
    if rows:
        check.take(rows)
    todo = N_(
        "`labkeeper ledger verify` tells all of it; keep a copy of {folder} before anything else"
    )
    if check.findings:
        first = check.findings[0]
        text = N_("the ledger was changed: row {seq} {what}")
        found = Message(text, seq=first.seq, what=first.text)
        return wrong(found, Message(todo, folder=path.parent))
    if _is_behind(kept, check.last):
        text = N_("rows are missing at the end of the ledger: row {seq} is the last of them")
        found = Message(text, seq=kept.seq if kept else 0)
        return wrong(found, Message(todo, folder=path.parent))
    text = N_("the last {count} rows of the ledger, up to {seq}, follow from each other")
    return right(Message(text, count=len(rows), seq=check.last.seq))


def _is_behind(kept: Head | None, last: Head) -> bool:
    return kept is not None and kept.seq > last.seq


def _damaged(path: Path, why: str) -> Finding:
    text = N_("{path} is damaged: {why}")
    todo = N_(
        "stop the agent and keep a copy of {folder}; the next start puts the file aside and "
        "begins a new one, and `labkeeper ledger verify` reads what is left of the old one"
    )
    return wrong(Message(text, path=path, why=why), Message(todo, folder=path.parent))


def _bounded(connection: Connection) -> None:
    """Have it give up after WITHIN_S."""
    end = monotonic() + WITHIN_S
    connection.set_progress_handler(lambda: monotonic() > end, STEPS)
