"""A ledger in a folder of the test, people who write in it, and hands that tamper with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

from agent.clock import SystemClock
from agent.store import database as store
from agent.store.chain import Head
from agent.store.database import Database
from agent.store.entries import ConfigEntry, EventEntry, Provenance, Stage, Who
from agent.store.head_file import NAME as HEAD_NAME
from agent.store.ledger import Ledger
from agent.store.ledger_verify import Verdict, verify

KIM = Who(name="김하나", role="technician", origin="cli")
LEE = Who(name="lee", role="engineer", origin="api")
PROVENANCE = Provenance(boot_id="a-boot", software_version="0.1.0", config_hash="c0ffee")


class SetClock(SystemClock):
    """A clock that stands still."""

    def utc(self) -> float:
        return 1_790_000_000.25

    def monotonic(self) -> float:
        return 4711.5


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Ledger]:
    """The ledger of a state folder, begun, until the context ends."""
    async with Database(folder / store.NAME, SetClock()) as database:
        ledger = ledger_of(database)
        await ledger.begin("bench-1")
        yield ledger


def ledger_of(database: Database) -> Ledger:
    """The ledger of an open database, not begun yet."""
    return Ledger(
        database,
        clock=SetClock(),
        rng=Random(),
        provenance=PROVENANCE,
        is_clock_synced=lambda: True,
    )


def happening(number: int = 1) -> EventEntry:
    """Some event or other."""
    return EventEntry(action="device.lost", target="psu1", reason=f"the {number}. time")


def fill(folder: Path, rows: int) -> None:
    """Make a ledger of so many rows, of which some tell of commands."""

    async def write() -> None:
        async with opened(folder) as ledger:
            intent = await ledger.intend(KIM, "set", "psu1.voltage", before=5.0, after=6.0)
            await ledger.sent_soon(intent)
            await ledger.ended(intent, Stage.CONFIRMED, after=6.0)
            await ledger.record(LEE, ConfigEntry(action="change", target="poll", after=[1, None]))
            async with asyncio.TaskGroup() as tasks:
                for number in range(rows - ledger.head.seq):
                    tasks.create_task(ledger.record(KIM, happening(number)))

    asyncio.run(write())


def verdict_on(folder: Path, *heads: Head, most_parts: int = 1) -> Verdict:
    """What the verification says, with the head beside the ledger."""
    return verify(folder / store.NAME, heads, beside=folder / HEAD_NAME, most_parts=most_parts)
