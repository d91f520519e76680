"""Holds the rows of a ledger against each other, and says where they do not fit. Pure."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from operator import add
from typing import Any, Final

from agent.languages.message import Message
from agent.store.chain import EMPTY, Head, link, missing
from agent.store.entries import Kind
from agent.store.start import BEGAN, LACKS, RENEWED

MOST_FINDINGS: Final = 100
"""What is listed; of more only the number is told."""

RawRow = tuple[int, bytes, bytes, bytes]
"""seq, prev_hash, body, hash, just as they are stored."""

_OF_ITSELF: Final = b'"kind":"ledger"'
"""What every row about the ledger itself has in its text. In the words of others quotes have a \\ before."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing that is wrong: the row where it shows, and what it is."""

    seq: int
    text: str

    def __str__(self) -> str:
        return Message("row {row}: {text}", row=self.seq, text=self.text)


class Check:
    """Takes the rows of a ledger in order, in batches, and finds what does not fit."""

    def __init__(self, heads: Iterable[Head] = ()) -> None:
        self.last = EMPTY
        """The last row that was taken."""
        self.findings: list[Finding] = []
        self.more = 0
        """How many there are beyond MOST_FINDINGS."""
        self.notes: list[str] = []
        """What a reader has to know, and what is no fault of the rows."""
        self.rows = 0
        self.is_broken_off = False
        """Whether there are more rows, which can't be read."""
        self._heads = [head for head in heads if head.seq > 0]
        self._real_hash: bytes | None = None
        """What the last row's hash should have been, where it is another."""
        self._is_gap = False

    def begin_after(self, seq: int, prev_hash: bytes, body: bytes, kept: bytes) -> None:
        """Take this row for the one before the first, and do not judge it."""
        real = _real_hash(prev_hash, body)
        self.last, self._real_hash = Head(seq, kept), real if real != kept else None

    def take(self, batch: list[RawRow]) -> None:
        """Take the next rows."""
        self.rows += len(batch)
        fits = self._fits(batch)
        if fits:
            seq, _, _, kept = batch[-1]
            self.last, self._real_hash = Head(seq, kept), None
        else:
            for row in batch:
                self._look_at(*row)
        self._hold_against_heads(batch)
        # One look at all texts together, where they are known to be texts.
        if not fits or _OF_ITSELF in b"".join([body for _, _, body, _ in batch]):
            self._look_for_own(batch)

    def broken_off(self, seq: int, why: str) -> None:
        """Note that this row and the next can't be read."""
        self.is_broken_off = True
        self.found(seq, Message("and what follows can't be read: {why}", why=why))

    def found(self, seq: int, text: str) -> None:
        """Add a finding."""
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(Finding(seq=seq, text=text))
        else:
            self.more += 1

    def _fits(self, batch: list[RawRow]) -> bool:
        """The fast path: whether a whole batch is as it should be, and without saying where not.

        Everything that is done for each row is done inside `map`, `zip` and a comparison of lists,
        which is close to what hashing alone takes. Rows are looked at one by one only where
        a batch does not fit.
        """
        if self._is_gap or self._real_hash is not None:
            return False
        seqs, prev_hashes, bodies, hashes = zip(*batch, strict=True)
        first = self.last.seq + 1
        if seqs != tuple(range(first, first + len(batch))):
            return False
        if prev_hashes != (self.last.hash, *hashes[:-1]):
            return False
        try:
            hashed = map(sha256, map(add, prev_hashes, bodies))
            return hashes == tuple([it.digest() for it in hashed])
        except TypeError:  # something in it is neither text nor hash
            return False

    def _look_at(self, seq: int, prev_hash: bytes, body: bytes, kept: bytes) -> None:
        """Hold one row against itself and against the one before it."""
        self._look_at_place(seq)
        real = _real_hash(prev_hash, body)
        is_altered = real is None or real != kept
        if is_altered:
            self.found(seq, Message("was altered: its content and its hash do not belong together"))
        elif not self._is_gap and prev_hash not in {self.last.hash, self._real_hash}:
            self.found(
                seq,
                Message(
                    "does not follow from row {row}: rows were altered, added, removed or moved "
                    "here, and their hashes made anew",
                    row=self.last.seq,
                ),
            )
        self._is_gap = False
        self.last, self._real_hash = Head(seq, kept), real if is_altered else None

    def _look_at_place(self, seq: int) -> None:
        expected = self.last.seq + 1
        if seq > expected:
            self._is_gap = True
            self.found(expected, missing(expected, seq - 1))
        elif seq < expected:
            self.found(
                seq,
                Message(
                    "was added, or stands in the wrong place: row {row} belongs here",
                    row=expected,
                ),
            )

    def _hold_against_heads(self, batch: list[RawRow]) -> None:
        first, last = batch[0][0], batch[-1][0]
        for head in self._heads:
            if first <= head.seq <= last and all(
                kept != head.hash for seq, _, _, kept in batch if seq == head.seq
            ):
                self.found(
                    head.seq,
                    Message("is not the row of the head that was kept: it was written anew"),
                )

    def _look_for_own(self, batch: list[RawRow]) -> None:
        """What the agent has written about the ledger itself is told of again."""
        for seq, _, body, _ in batch:
            if isinstance(body, bytes) and _OF_ITSELF in body:
                self._tell_again(seq, _parsed(body))

    def _tell_again(self, seq: int, entry: dict[str, Any]) -> None:
        if entry.get("kind") != Kind.LEDGER:
            return  # the same words in a value of another's
        if entry.get("action") == LACKS:
            self.found(
                seq, Message("here the agent found at a start: {why}", why=entry.get("reason"))
            )
        elif entry.get("action") == RENEWED:
            self.notes.append(
                Message(
                    "row {row}: the head was written anew: {why}", row=seq, why=entry.get("reason")
                )
            )
        elif entry.get("action") == BEGAN and "after" in entry:
            self.notes.append(
                Message(
                    "row {row}: {why}; it is kept: {file}",
                    row=seq,
                    why=entry.get("reason"),
                    file=entry["after"],
                )
            )


def _real_hash(prev_hash: bytes, body: bytes) -> bytes | None:
    """What a row's hash should be; None where somebody has put a number in place of a text."""
    try:
        return link(prev_hash, body)
    except TypeError:
        return None


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}  # it was altered, which is told of already
    return found if isinstance(found, dict) else {}
