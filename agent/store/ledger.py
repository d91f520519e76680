"""The ledger: what was done with this station, by whom, when and why. Written once, never changed.

A command goes through it in stages: INTENT, which is on disk before the first byte goes out, then
SENT, then an end. What the agent's own end has cut off is `unknown` from the next start on, until
somebody settles it. Each row is chained to the one before it; `ledger_verify` finds what was
changed behind the agent's back.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from random import Random
from typing import TypeVar

from agent.clock import Clock
from agent.store import head_file
from agent.store.append import Along, append, last
from agent.store.chain import EMPTY, Head, canonical
from agent.store.database import Connection, Database
from agent.store.entries import (
    AGENT,
    CommandEntry,
    Ending,
    Entry,
    Json,
    Moment,
    Provenance,
    Stage,
    Who,
    body,
)
from agent.store.head_file import HeadFile
from agent.store.moments import exact
from agent.store.open_commands import Unsettled, unsettled
from agent.store.rows import EVERYTHING, Row, Wanted, rows
from agent.store.start import reset_head, start
from agent.store.store_errors import WriteRefused

T = TypeVar("T")

log = logging.getLogger("labkeeper")


@dataclass(frozen=True, kw_only=True, slots=True)
class Intent:
    """A command whose intent is on disk: it may be sent now, and must be ended."""

    who: Who
    entry: CommandEntry
    seq: int
    """The row of the intent."""

    @property
    def command(self) -> str:
        """The id that ties its rows together."""
        return self.entry.command


class Ledger:
    """The ledger of one database. Every call that records returns when it is on the disk.

    All of them raise NotRecorded where the disk does not take it, and BadEntry where it has no form
    in JSON. `begin` comes first.
    """

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock,
        rng: Random,
        provenance: Provenance,
        is_clock_synced: Callable[[], bool | None],
    ) -> None:
        self.provenance = provenance
        """What is written into every row from now on; replaced when the config changes."""
        self.head = EMPTY
        """The last row that is on disk, to be published."""
        self._database, self._clock, self._rng = database, clock, rng
        self._is_clock_synced = is_clock_synced
        self._head_file = HeadFile(database.path.with_name(head_file.NAME))
        self._head_is_written = True
        self._under_way: set[str] = set()

    async def begin(self, station: str) -> None:
        """Begin a new ledger, or go on with what is there.

        A tail that is missing is recorded, and so is a database that was put aside. Commands that
        have no end get `unknown` for one: the agent ended before they did. Where a database was put
        aside (`Database.quarantined`), those are not known: every device has to be looked at.
        """
        work = partial(
            start,
            station=station,
            file=self._head_file,
            write=self._write,
            quarantined=self._database.quarantined,
        )
        what = "the beginning of the ledger"
        self.head = await self._database.write(work, what)
        await self._database.write(partial(reset_head, file=self._head_file), what)
        self._database.after_commit = self._note_head

    async def intend(
        self,
        who: Who,
        action: str,
        target: str,
        *,
        before: Json = None,
        after: Json = None,
        reason: str = "",
        job: str = "",
    ) -> Intent:
        """Record what is about to be sent. Nothing may be sent before this returns.

        Who is cancelled while waiting has sent nothing, and the ledger says so.
        """
        entry = CommandEntry(
            action=action,
            target=target,
            before=before,
            after=after,
            reason=reason,
            job=job,
            command=f"{self._rng.getrandbits(64):016x}",
            stage=Stage.INTENT,
        )
        self._under_way.add(entry.command)
        try:
            head = await self._append(who, entry)
        except asyncio.CancelledError:
            self._withdraw(who, entry)
            raise
        except BaseException:
            self._under_way.discard(entry.command)
            raise
        return Intent(who=who, entry=entry, seq=head.seq)

    async def sent(self, intent: Intent) -> None:
        """Record that bytes of it may have reached the device. Raises WriteRefused after its end."""
        await self._append(intent.who, _next(intent.entry, Stage.SENT))

    async def ended(
        self, intent: Intent, stage: Ending, *, after: Json = None, reason: str = ""
    ) -> None:
        """Record how it ended, once. `after` is what was read back. Raises WriteRefused."""
        try:
            await self._append(intent.who, _next(intent.entry, stage, after=after, reason=reason))
        finally:
            self._under_way.discard(intent.command)

    async def record(self, who: Who, entry: Entry, along: Along | None = None) -> Head:
        """Record an entry, and return its place.

        What `along` does to other tables is done in the same transaction: both are, or neither.
        """
        return await self._append(who, entry, along)

    async def record_all(
        self, entries: Sequence[tuple[Who, Entry]], along: Along, what: str
    ) -> None:
        """Record several entries, and what `along` does, in one transaction: all or nothing."""
        texts = [(self._text(who, entry), entry) for who, entry in entries]

        def work(connection: Connection) -> Head:
            for text, entry in texts:
                append(text, entry, None, connection)
            along(connection)
            return last(connection)

        head = await self._database.write(work, what)
        if head.seq > self.head.seq:
            self.head = head

    async def read(self, work: Callable[[Connection], T], what: str) -> T:
        """Read what else is kept in the ledger's database. Raises NotRead."""
        return await self._database.read(work, what)

    async def unsettled(self) -> tuple[Unsettled, ...]:
        """The commands whose outcome nobody knows: their devices are to be left alone.

        What this agent is just doing is not among them.
        """
        found = await self._database.read(unsettled, "which commands are unsettled")
        return tuple(it for it in found if it.command not in self._under_way)

    async def settle(self, who: Who, command: str, *, reason: str, after: Json = None) -> None:
        """Record that somebody has looked how a command ended: who, why they know, what they found.

        Raises:
            WriteRefused: No command of this id waits for it.
        """
        for it in await self.unsettled():
            if it.command == command:
                entry = CommandEntry(
                    action=it.action,
                    target=it.target,
                    job=it.job,
                    after=after,
                    reason=reason,
                    command=command,
                    stage=Stage.SETTLED,
                )
                await self._append(who, entry)
                return
        raise WriteRefused(f"no command {command} waits for somebody to say how it ended")

    async def rows(self, wanted: Wanted = EVERYTHING) -> tuple[Row, ...]:
        """The rows that are wanted, oldest first."""
        return await self._database.read(lambda it: tuple(rows(it, wanted)), "the ledger")

    async def _append(self, who: Who, entry: Entry, along: Along | None = None) -> Head:
        head = await self._database.write(self._prepared(who, entry, along), _what(who, entry))
        if head.seq > self.head.seq:  # of several that share a commit, in whatever order they wake
            self.head = head
        return head

    def _prepared(
        self, who: Who, entry: Entry, along: Along | None = None
    ) -> Callable[[Connection], Head]:
        """The writing of an entry; its moment is now, whenever the disk gets to it."""
        return partial(append, self._text(who, entry), entry, along)

    def _write(self, connection: Connection, entry: Entry) -> Head:
        """Write an entry of the agent's own, in a transaction that is under way."""
        return self._prepared(AGENT, entry)(connection)

    def _text(self, who: Who, entry: Entry) -> str:
        moment = Moment(
            utc=exact(self._clock.utc()),
            mono=round(self._clock.monotonic(), 6),
            clock_synced=self._is_clock_synced(),
        )
        return canonical(body(entry, who, moment, self.provenance))

    def _withdraw(self, who: Who, entry: CommandEntry) -> None:
        """End an intent that nobody waits for any more. It is on its way to the disk, or there."""
        withdrawn = _next(entry, Stage.FAILED, reason="given up before anything was sent")
        self._under_way.discard(entry.command)
        self._database.write_unawaited(self._prepared(who, withdrawn), _what(who, withdrawn))

    def _note_head(self, connection: Connection) -> None:
        """Write the head beside the database, after a commit and in its thread."""
        try:
            self._head_file.write(last(connection))
        except OSError as error:
            if self._head_is_written:
                log.warning("%s can't be written: %s", self._head_file.path, error.strerror)
            self._head_is_written = False
        else:
            self._head_is_written = True


def _next(
    entry: CommandEntry, stage: Stage, *, after: Json = None, reason: str = ""
) -> CommandEntry:
    return replace(entry, stage=stage, before=None, after=after, reason=reason)


def _what(who: Who, entry: Entry) -> str:
    """What is missing if it is not recorded, in words."""
    stage = f" ({entry.stage})" if isinstance(entry, CommandEntry) else ""
    return f"{entry.action} {entry.target} by {who.name}{stage}"
