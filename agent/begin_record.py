"""Begins the ledger of a station: what wrote it, and which devices are blocked by what it holds."""

import asyncio
import hashlib
from importlib.metadata import version
from pathlib import Path
from random import Random
from typing import Final

from agent.clock import Clock
from agent.errors import AgentError
from agent.fleet.board import Board
from agent.fleet.events import EventLog, Severity
from agent.safety.alarm import Notice
from agent.safety.alarm_record import LedgerAlarms, Unkeepable
from agent.safety.alarms import Alarms
from agent.safety.record import LedgerRecord, Record, Unwritable
from agent.settings import Station as Settings
from agent.store.alarm_rows import kept_alarms
from agent.store.boot import boot_id
from agent.store.clock_sync import clock_synced
from agent.store.database import Database
from agent.store.entries import Provenance
from agent.store.ledger import Ledger

RECORD_FAILED: Final = Notice(
    name="record.failed",
    priority="high",
    titles={"ko": "기록할 수 없음", "en": "Nothing can be recorded"},
    todo={
        "ko": "디스크를 확인하고 에이전트를 다시 시작하십시오.",
        "en": "Mend the disk and start the agent anew.",
    },
)


async def begin_record(
    database: Database,
    settings: Settings,
    *,
    clock: Clock,
    rng: Random,
    board: Board,
    events: EventLog,
    alarms: Alarms,
) -> Record:
    """The record of this station. Where the disk takes none, nothing can be changed, only stopped."""
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
        kept = await database.read(kept_alarms, "the alarms")
    except AgentError as error:
        text = f"devices are watched and can be stopped, and nothing else is sent: {error}"
        events.add("record.failed", text, severity=Severity.ERROR)
        alarms.record = Unkeepable(str(error))
        alarms.signal(RECORD_FAILED).on(text)
        return Unwritable(str(error))
    alarms.record = LedgerAlarms(ledger, clock, alarms.rows)
    alarms.signal(RECORD_FAILED)
    alarms.begin(kept)
    alarms.signal(RECORD_FAILED).off()
    if database.quarantined is not None:
        text = "the ledger was damaged and put aside: what was under way is not known, look at every device"
        events.add("record.damaged", text, severity=Severity.ERROR)
    for device in sorted(blocked):
        text = await record.blocked(device)
        events.add("record.unsettled", text, device=device, severity=Severity.WARNING)
    return record


def provenance(settings: Settings) -> Provenance:
    """What writes: this boot, this version, and the SHA-256 of the config's files in order."""
    places = {device.place.rpartition(":")[0] for device in settings.devices.values()}
    digest = hashlib.sha256()
    for file in sorted({str(settings.file), *places}):
        digest.update(Path(file).read_bytes())
    return Provenance(
        boot_id=boot_id(), software_version=version("labkeeper"), config_hash=digest.hexdigest()
    )
