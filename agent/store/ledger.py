"""The ledger: what was done with this station, by whom, when and why. Written once, never changed.

A command goes through it in stages: INTENT, which is on disk before the first byte goes out, then
SENT, then an end. What the agent's own end has cut off is `unknown` from the next start on, until
somebody settles it. Each row is chained to the one before it; `ledger_verify` finds what was
changed behind the agent's back.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from random import Random
from typing import TypeVar

from agent.clock import Clock
from agent.languages.message import Message
from agent.store.append import Along, append, last
from agent.store.chain import EMPTY, Head, canonical
from agent.store.config_in_force import Flat, adopt
from agent.store.database import Connection, Database
from agent.store.doubted_devices import DoubtedDevice, doubted, trust
from agent.store.entries import (
    AGENT,
    CommandEntry,
    Ending,
    Entry,
    Json,
    LedgerEntry,
    Moment,
    Provenance,
    Stage,
    Who,
    body,
)
from agent.store.head_beside import HeadBeside
from agent.store.intent import Intent, in_words, next_stage
from agent.store.moments import exact
from agent.store.open_commands import Unsettled, settled, unsettled
from agent.store.rows import EVERYTHING, Row, Wanted, rows
from agent.store.start import reset_head, start
from agent.store.store_errors import RecordingEnded, TooSlow, WriteRefused
from agent.store.worker import told

T = TypeVar("T")


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
        self.commits = database.commits
        self._database, self._clock, self._rng = database, clock, rng
        self._is_clock_synced = is_clock_synced
        self.beside = HeadBeside(database.path)
        self._under_way = set[str]()

    async def begin(self, station: str, devices: Iterable[str] = ()) -> None:
        """Begin a new ledger, or go on with what is there.

        A tail that is missing is recorded, and so is a database that was put aside. Commands that
        have no end get `unknown` for one: the agent ended before they did. Where a database was put
        aside or lacks something, those are not known: all of `devices` have to be looked at.
        """
        work = partial(
            start,
            station=station,
            file=self.beside.file,
            write=self._write,
            quarantined=self._database.quarantined,
            devices=tuple(devices),
        )
        what = "the beginning of the ledger"
        self.head, self.beside.found = await self._database.write(work, what)
        await self._database.write(partial(reset_head, file=self.beside.file), what)
        self._database.after_commit = self.beside.note

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
        within: float | None = None,
    ) -> Intent:
        """Record what is about to be sent. Nothing may be sent before this returns.

        Who is cancelled while waiting, or has waited for `within` seconds, has sent nothing, and the
        ledger says so. Raises TooSlow after that time.
        """
        intent, recorded = self.intend_soon(
            who, action, target, before=before, after=after, reason=reason, job=job
        )
        try:
            async with asyncio.timeout(within):
                await asyncio.shield(recorded)
        except TimeoutError:
            why = Message("not sent: the disk had not taken it within {s:.1f} s", s=within)
            self._withdraw(intent, why)
            what = in_words(who, intent.entry)
            raise TooSlow(Message("{what}: {why}", what=what, why=why)) from None
        except asyncio.CancelledError:
            self._withdraw(intent, "given up before anything was sent")
            raise
        return intent

    def intend_soon(
        self,
        who: Who,
        action: str,
        target: str,
        *,
        before: Json = None,
        after: Json = None,
        reason: str = "",
        job: str = "",
    ) -> tuple[Intent, asyncio.Future[Head]]:
        """Begin to record an intent; the future tells whether it is on the disk."""
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
        recorded = self._begin_append(who, entry)
        self._under_way.add(entry.command)
        recorded.add_done_callback(partial(self._intended, entry.command))
        return Intent(who=who, entry=entry), recorded

    def sent_soon(self, intent: Intent) -> asyncio.Future[Head]:
        """Begin to record that bytes of it may have reached the device, which do not wait for the disk.

        The future raises WriteRefused after its end.
        """
        return self._begin_append(intent.who, next_stage(intent.entry, Stage.SENT))

    async def ended(
        self, intent: Intent, stage: Ending, *, after: Json = None, reason: str = ""
    ) -> None:
        """Record how it ended, once. `after` is what was read back. Raises WriteRefused."""
        try:
            await self._append(
                intent.who, next_stage(intent.entry, stage, after=after, reason=reason)
            )
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

        self._came_to(await self._database.write(work, what))

    async def read(self, work: Callable[[Connection], T], what: str) -> T:
        """Read what else is kept in the ledger's database. Raises NotRead."""
        return await self._database.read(work, what)

    def record_soon(self, who: Who, entry: Entry) -> asyncio.Future[Head]:
        """Begin to record an entry, after all that was begun before it, and don't wait for the disk."""
        return self._begin_append(who, entry)

    async def adopt_config(self, who: Who, now: Flat) -> None:
        """Record how the config differs from the one that the ledger knows, key by key."""

        def work(connection: Connection) -> Head:
            adopt(connection, now=now, write=partial(self._write_as, who))
            return last(connection)

        self._came_to(await self._database.write(work, "a change of the config"))

    async def unsettled(self) -> tuple[Unsettled, ...]:
        """The commands whose outcome nobody knows, but for what this agent is just doing."""
        found = await self._database.read(unsettled, "which commands are unsettled")
        return tuple(it for it in found if it.command not in self._under_way)

    async def doubted_devices(self) -> tuple[DoubtedDevice, ...]:
        """The devices that somebody has to look at, because the ledger could not tell of them."""
        return await self._database.read(doubted, "which devices are doubted")

    async def settle(self, who: Who, command: str, *, reason: str, after: Json = None) -> None:
        """Record that somebody has looked how a command ended: who, why they know, what they found.

        Raises:
            WriteRefused: No command of this id waits for it.
        """
        for it in await self.unsettled():
            if it.command == command:
                await self._append(who, settled(it, reason=reason, after=after))
                return
        raise WriteRefused(f"no command {command} waits for somebody to say how it ended")

    async def settle_device(self, who: Who, device: str, *, reason: str) -> None:
        """Record that somebody has looked at a doubted device. Raises WriteRefused."""
        entry = LedgerEntry(action="settle", target=device, reason=reason)
        await self._append(who, entry, trust(device))

    async def rows(self, wanted: Wanted = EVERYTHING) -> tuple[Row, ...]:
        """The rows that are wanted, oldest first."""
        return await self._database.read(lambda it: tuple(rows(it, wanted)), "the ledger")

    async def _append(self, who: Who, entry: Entry, along: Along | None = None) -> Head:
        return await self._begin_append(who, entry, along)

    def _begin_append(
        self, who: Who, entry: Entry, along: Along | None = None
    ) -> asyncio.Future[Head]:
        """Begin to write an entry; its moment is now, whenever the disk gets to it."""
        work = partial(append, self._text(who, entry), entry, along)
        recorded = self._database.begin_write(work, in_words(who, entry))
        recorded.add_done_callback(self._recorded)
        return recorded

    def _recorded(self, future: asyncio.Future[Head]) -> None:
        if not future.cancelled() and future.exception() is None:
            self._came_to(future.result())

    def _came_to(self, head: Head) -> None:
        if head.seq > self.head.seq:  # of several that share a commit, in whatever order they wake
            self.head = head

    def _write(self, connection: Connection, entry: Entry) -> Head:
        """Write an entry of the agent's own, in a transaction that is under way."""
        return self._write_as(AGENT, connection, entry)

    def _write_as(self, who: Who, connection: Connection, entry: Entry) -> Head:
        return append(self._text(who, entry), entry, None, connection)

    def _text(self, who: Who, entry: Entry) -> str:
        moment = Moment(
            utc=exact(self._clock.utc()),
            mono=round(self._clock.monotonic(), 6),
            clock_synced=self._is_clock_synced(),
        )
        return canonical(body(entry, who, moment, self.provenance))

    def _intended(self, command: str, future: asyncio.Future[Head]) -> None:
        """What is not on record is not under way."""
        if not future.cancelled() and future.exception() is not None:
            self._under_way.discard(command)

    def _withdraw(self, intent: Intent, why: str) -> None:
        """End an intent that nobody waits for any more. It is on its way to the disk, or there."""
        withdrawn = next_stage(intent.entry, Stage.FAILED, reason=why)
        self._under_way.discard(intent.command)
        with suppress(RecordingEnded):  # it is unknown at the next start then
            self._begin_append(intent.who, withdrawn).add_done_callback(told)
