"""Finds what was changed in a ledger behind the agent's back, and names the place. Needs no agent.

Rows are read once, in order, and each is held against the row before it. What can't be seen from
the rows alone, that the end is missing or that all was written anew, is seen by a head that was kept
elsewhere: in the file beside the ledger, at the broker, on paper.

A long ledger is cut in as many parts as there are processors. That is possible because each row
holds the hash of the row before: a part begins where the part before it should have ended.
"""

import multiprocessing
import os
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path
from typing import Final

from agent.languages.message import Message
from agent.store.chain import EMPTY, Head, missing
from agent.store.database import Connection, reading
from agent.store.head_file import HeadFile
from agent.store.ledger_check import MOST_FINDINGS, Check, Finding, RawRow
from agent.store.store_errors import Damaged, NotRead

WORTH_A_PROCESS: Final = 200_000
"""Rows: to start a process takes as long as reading so many."""
MOST_PARTS: Final = 8
_LAST_OF_ALL: Final = 2**63 - 1
"""The greatest number of a row that SQLite knows."""
_BATCH: Final = 500
"""Rows that are looked at together; more would not fit into the processor's own memory."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What a verification has found."""

    rows: int
    head: Head
    """The last row that was read."""
    findings: tuple[Finding, ...]
    """In the order of the rows, the first MOST_FINDINGS of them."""
    more: int
    """How many more there are."""
    notes: tuple[str, ...]
    """What a reader has to know, and what is no fault of the rows."""

    @property
    def is_whole(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings

    def form(self) -> dict[str, object]:
        """As JSON."""
        return {
            "verified": self.is_whole,
            "rows": self.rows,
            "head": self.head.form(),
            "findings": [{"seq": it.seq, "text": it.text} for it in self.findings],
            "more_findings": self.more,
            "notes": list(self.notes),
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class _Part:
    """Some rows of a ledger: from `first` to `last`, both included."""

    database: Path
    first: int
    last: int
    heads: tuple[Head, ...]


def verify(
    database: Path,
    heads: Iterable[Head] = (),
    *,
    beside: Path | None = None,
    most_parts: int | None = None,
) -> Verdict:
    """Read a ledger from its first row to its last, and say what is wrong with it.

    `heads` were kept elsewhere, and `beside` is the file that the agent writes beside its database.
    It is read in `most_parts` at once, as many as there are processors if not said.

    Raises:
        NotRead: There is no database, or it can't be opened.
    """
    # Before the rows: what an agent appends meanwhile is beyond this head, and no fault.
    written = None if beside is None else _written(beside)
    kept = tuple(heads) if written is None else (*heads, written)
    parts = _parts(database, kept, most_parts or min(_processors(), MOST_PARTS))
    checks = _looked_at(parts)
    end = checks[-1].last
    findings = [it for check in checks for it in check.findings]
    if not checks[-1].is_broken_off:
        is_head_lost = beside is not None and written is None
        findings += _at_the_end(end, kept, is_head_lost=is_head_lost)
    notes = [note for check in checks for note in check.notes]
    if written is not None and written.seq < end.seq:
        notes.append(
            Message(
                "the head beside the ledger is of row {row}, {count} before the last: so it is "
                "when an agent is writing just now, or after a power cut",
                row=written.seq,
                count=end.seq - written.seq,
            )
        )
    return Verdict(
        rows=sum(check.rows for check in checks),
        head=end,
        findings=tuple(findings[:MOST_FINDINGS]),
        more=len(findings[MOST_FINDINGS:]) + sum(check.more for check in checks),
        notes=tuple(notes),
    )


def _parts(database: Path, heads: tuple[Head, ...], most: int) -> list[_Part]:
    ends = _ends(database)
    if ends is None:  # as far as it can be read, to tell where the damage is
        return [_Part(database=database, first=1, last=_LAST_OF_ALL, heads=heads)]
    begins = [*_begins(*ends, most), ends[1] + 1]
    return [
        _Part(
            database=database,
            first=first,
            last=next_first - 1,
            heads=tuple(head for head in heads if first <= head.seq < next_first),
        )
        for first, next_first in pairwise(begins)
    ]


def _begins(first: int, last: int, most: int) -> Iterable[int]:
    """Where the parts begin: the first is longer, since the others have to be started."""
    count = max(1, min(most, (last - first + 1) // WORTH_A_PROCESS))
    share = (last - first + 1 - WORTH_A_PROCESS) // count
    return [first, *(last + 1 - share * number for number in range(count - 1, 0, -1))]


def _ends(database: Path) -> tuple[int, int] | None:
    """The first row and the last; None where damage hides them."""
    try:
        with reading(database) as connection:
            first, last = connection.execute("SELECT min(seq), max(seq) FROM ledger").fetchone()
    except Damaged:
        return None
    return first or 1, last or 1


def _looked_at(parts: list[_Part]) -> list[Check]:
    """All parts in their order: the first here, and each of the others in a process of its own."""
    first, *others = parts
    if not others:
        return [_look_at(first)]
    # Not forked: a fork of a process with threads, such as pytest's, may never end.
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(len(others), mp_context=spawn) as pool:
        under_way = pool.map(_look_at, others)
        return [_look_at(first), *under_way]


def _look_at(part: _Part) -> Check:
    check = Check(part.heads)
    try:
        with reading(part.database) as connection:
            _begin_after(connection, check, part.first)
            _take_all(connection, check, part)
    except NotRead as error:
        check.broken_off(max(part.first, check.last.seq + 1), str(error))
    return check


def _begin_after(connection: Connection, check: Check, first: int) -> None:
    """Go on from the row before the part, which is looked at by another."""
    query = "SELECT seq, prev_hash, body, hash FROM ledger WHERE seq < ? ORDER BY seq DESC LIMIT 1"
    before = connection.execute(query, (first,)).fetchone()
    if before is not None:
        check.begin_after(*before)


def _take_all(connection: Connection, check: Check, part: _Part) -> None:
    query = "SELECT seq, prev_hash, body, hash FROM ledger WHERE seq BETWEEN ? AND ? ORDER BY seq"
    rows = iter(connection.execute(query, (part.first, part.last)))
    while True:
        batch: list[RawRow] = []
        try:
            batch.extend(islice(rows, _BATCH))
        finally:  # what was read before the damage is looked at as well
            if batch:
                check.take(batch)
        if not batch:
            return


def _at_the_end(end: Head, heads: Iterable[Head], *, is_head_lost: bool) -> list[Finding]:
    """What a ledger lacks behind its last row."""
    found = []
    last = max((head.seq for head in heads), default=0)
    if last > end.seq:
        text = Message("{what} at the end", what=missing(end.seq + 1, last))
        found.append(Finding(seq=end.seq + 1, text=text))
    if is_head_lost and end != EMPTY:
        text = Message(
            "the head beside the ledger is missing, or no head: whether rows are missing "
            "at the end can't be told; give the last head that was kept elsewhere"
        )
        found.append(Finding(seq=end.seq + 1, text=text))
    return found


def _written(path: Path) -> Head | None:
    try:
        return HeadFile(path).read()
    except OSError as error:
        raise NotRead(
            Message("{path} can't be read: {why}", path=path, why=error.strerror)
        ) from error


def _processors() -> int:
    return len(os.sched_getaffinity(0))
