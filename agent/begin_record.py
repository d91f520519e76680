"""Begins the ledger of a station: what wrote it, and which devices are blocked by what it holds."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from random import Random

from agent.clock import Clock
from agent.errors import AgentError, CannotStart
from agent.fleet.board import Board
from agent.fleet.events import EventLog, Severity
from agent.safety.record import LedgerRecord, Record, Unwritable
from agent.settings import Station as Settings
from agent.store.boot import boot_id
from agent.store.clock_sync import clock_synced
from agent.store.database import Database
from agent.store.entries import Provenance
from agent.store.ledger import Ledger
from agent.store.store_errors import NewerSchema


@asynccontextmanager
async def opened(database: Database) -> AsyncIterator[Database | str]:
    """The database, or why there is none: devices can be watched and stopped all the same.

    Raises:
        NewerSchema: A later agent has written it, and knows better what was left.
    """
    async with AsyncExitStack() as stack:
        found: Database | str = database
        try:
            await stack.enter_async_context(database)
        except NewerSchema:
            raise
        except CannotStart as error:
            found = str(error)
        yield found


async def begin_record(
    database: Database | str,
    settings: Settings,
    *,
    clock: Clock,
    rng: Random,
    board: Board,
    events: EventLog,
) -> Record:
    """The record of this station. Where the disk takes none, nothing can be changed, only stopped.

    `database` may be the reason why there is none.
    """
    if isinstance(database, str):
        return _unwritable(database, events)
    ledger = Ledger(
        database,
        clock=clock,
        rng=rng,
        provenance=await asyncio.to_thread(provenance, settings),
        is_clock_synced=clock_synced,
    )
    record = LedgerRecord(ledger, board, clock)
    try:
        await ledger.begin(settings.name)
        blocked = await record.begin()
    except AgentError as error:
        return _unwritable(str(error), events)
    if database.quarantined is not None:
        text = "the ledger was damaged and put aside: what was under way is not known, look at every device"
        events.add("record.damaged", text, severity=Severity.ERROR)
    for device in sorted(blocked):
        text = await record.blocked(device)
        events.add("record.unsettled", text, device=device, severity=Severity.WARNING)
    return record


def _unwritable(why: str, events: EventLog) -> Record:
    text = f"devices are watched and can be stopped, and nothing else is sent: {why}"
    events.add("record.failed", text, severity=Severity.ERROR)
    return Unwritable(why)


def provenance(settings: Settings) -> Provenance:
    """What writes: this boot, this version, and the SHA-256 of the config's files in order."""
    places = {device.place.rpartition(":")[0] for device in settings.devices.values()}
    digest = hashlib.sha256()
    for file in sorted({str(settings.file), *places}):
        digest.update(Path(file).read_bytes())
    return Provenance(
        boot_id=boot_id(), software_version=version("labkeeper"), config_hash=digest.hexdigest()
    )
