"""What one run of the agent has to do with its ledger, from opening it to its end."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from random import Random
from typing import Final

from agent.clock import Clock
from agent.errors import AgentError
from agent.fleet.board import Board
from agent.fleet.events import EventLog, Severity
from agent.languages.message import Message
from agent.provenance import config_hash
from agent.safety.alarm import Notice
from agent.safety.alarm_record import LedgerAlarms, Unkeepable
from agent.safety.alarms import Alarms
from agent.safety.event_record import recorder
from agent.safety.ledger_record import LedgerRecord
from agent.safety.unwritable import Unwritable
from agent.settings import Station as Settings
from agent.settings.flat import flat
from agent.store.alarm_rows import AlarmRow, kept_alarms
from agent.store.clock_sync import clock_synced
from agent.store.database import Database
from agent.store.entries import AGENT, Provenance
from agent.store.ledger import Ledger
from agent.store.rows import Row, Wanted
from agent.store.start import renewed
from agent.store.store_errors import RecordingEnded
from agent.store.worker import told

OPEN_AGAIN_S: Final = 5.0
"""How long to wait before a ledger is tried again that the disk would not open."""

ANEW: Final = Message(
    "the disk takes the record again, and settings and commands are sent; jobs, "
    "schedules and reservations need the agent to be started anew"
)
OPEN_WITHIN_S: Final = 10.0
"""How long a start waits for its disk before devices are watched without a record: a database of
500 MB is open within a second."""

RECORD_FAILED: Final = Notice(
    name="record.failed",
    priority="high",
    titles={"ko": "기록할 수 없음", "en": "Nothing can be recorded"},
    todo={
        "ko": "디스크를 확인하고 에이전트를 다시 시작하십시오.",
        "en": "Mend the disk and start the agent anew.",
    },
)


class Recording:
    """What one run of the agent has to do with its ledger. `record` is where the gate records."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        provenance: Provenance,
        *,
        clock: Clock,
        rng: Random,
        board: Board,
        events: EventLog,
        alarms: Alarms,
    ) -> None:
        self._database, self._settings = database, settings
        self._clock, self._events, self._alarms = clock, events, alarms
        self._ledger = Ledger(
            database, clock=clock, rng=rng, provenance=provenance, is_clock_synced=clock_synced
        )
        self.record = LedgerRecord(self._ledger, board, clock)
        self._is_open = False
        self._kept: tuple[AlarmRow, ...] = ()
        events.also(recorder(self.record.notes.add))

    async def open(self) -> None:
        """Open the ledger and say what it does not know. Where the disk has none, `run` tries again."""
        try:
            async with asyncio.timeout(OPEN_WITHIN_S):
                await self._opened()
        except TimeoutError:
            why = Message(
                "the disk had not begun the ledger within {open_within_s:g} s",
                open_within_s=OPEN_WITHIN_S,
            )
            _say_that_it_failed(why, self._events, self._alarms)
            return
        except AgentError as error:
            _say_that_it_failed(str(error), self._events, self._alarms)
            return
        self._say_what_is_unknown()

    async def run(self) -> None:
        """Keep it going until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._kept_open(), name="record.open")
            await self.record.run()

    async def adopt(self, settings: Settings) -> None:
        """Record what of the config has changed. What the disk does not take is told at the next start.

        After a reload that was refused the settings are those of before. Then the files hold another
        config than the one in force, and nothing of them belongs on record.
        """
        if settings is self._settings:
            return
        self._settings = settings
        self._ledger.provenance = replace(
            self._ledger.provenance, config_hash=await asyncio.to_thread(config_hash, settings)
        )
        try:
            if self._is_open:
                await self._ledger.adopt_config(AGENT, flat(settings))
        except AgentError as error:
            text = Message("the changes of the config are not on record: {error}", error=str(error))
            self._events.add("record.failed", text, severity=Severity.ERROR)

    async def rows(self, wanted: Wanted) -> tuple[Row, ...]:
        """The rows that are wanted, oldest first. Raises NotRead."""
        return await self._ledger.rows(wanted)

    def end(self) -> None:
        """Tell of what was left out so far; the database is about to be closed."""
        self.record.notes.end()

    async def _kept_open(self) -> None:
        """Open it at last where it was not, then keep the alarms in it."""
        while not self._is_open:
            await self._clock.sleep(OPEN_AGAIN_S)
            try:
                await self._opened()
            except AgentError:
                continue
            self._events.add("record.recovered", ANEW, severity=Severity.WARNING)
            self._say_what_is_unknown()
        await self._alarms.record.run()

    async def _opened(self) -> None:
        """Open the ledger. Its gate opens last, so that what the disk takes is all or nothing.

        Who was made before a late opening has no ledger and gets none: that goes on to be an alarm.
        """
        settings, before = self._settings, self._alarms.record
        tell = partial(hand_over, asyncio.get_running_loop(), self._head_was_renewed)
        self._ledger.beside.renewed = tell
        await self.record.open(settings.name, settings.devices, first=self._known_again)
        self._alarms.record = LedgerAlarms(self._ledger, self._clock, self._alarms.rows)
        for change in before.waiting if isinstance(before, Unkeepable) else ():
            self._alarms.record.note(change)
        failed = self._alarms.signal(RECORD_FAILED)
        if isinstance(before, Unkeepable):
            self._alarms.begin_late(self._kept)
            failed.off()
            failed.on(ANEW)
        else:
            self._alarms.begin(self._kept)
            failed.off()
        self._is_open = True

    async def _known_again(self) -> None:
        await self._ledger.adopt_config(AGENT, flat(self._settings))
        self._kept = await self._database.read(kept_alarms, Message("the alarms"))

    def _head_was_renewed(self, why: str) -> None:
        """Somebody has changed the head beside the ledger while the agent ran: that is on record as well."""
        tell_of_head(self._events, why)
        with suppress(RecordingEnded):
            self._ledger.record_soon(AGENT, renewed(why)).add_done_callback(told)

    def _say_what_is_unknown(self) -> None:
        if why := self._ledger.beside.found:
            tell_of_head(self._events, why)
        if self._database.quarantined is not None:
            text: str = Message(
                "the ledger was damaged and put aside: what was under way is not known. Look "
                'at every device, then `labkeeper settle --all --reason "…"`'
            )
            self._events.add("record.damaged", text, severity=Severity.ERROR)
        for device in sorted(self.record.doubts):
            text = self.record.doubted(device)
            if device not in self._settings.devices:
                text = Message(
                    "{text}. The config has no {device} any more", text=text, device=device
                )
            self._events.add("record.unsettled", text, device=device, severity=Severity.WARNING)


class NoRecording:
    """A run without a database: devices are watched and can be stopped, and nothing else is sent."""

    def __init__(self, why: str, events: EventLog, alarms: Alarms) -> None:
        self.record = Unwritable(why)
        _say_that_it_failed(why, events, alarms)

    async def run(self) -> None:
        """There is nothing to keep going."""

    async def adopt(self, settings: Settings) -> None:
        """The config is not on record."""

    def end(self) -> None:
        """There is nothing to tell."""


def tell_of_head(events: EventLog, why: str) -> None:
    """Tell everybody that the head beside the ledger is another than it was, and why."""
    text = Message("the head beside the ledger was written anew: {why}", why=why)
    events.add("ledger.head_renewed", text, severity=Severity.WARNING)


def hand_over(loop: asyncio.AbstractEventLoop, work: Callable[[str], None], text: str) -> None:
    """Have something done in the loop, from a thread of the database. At the end there is no loop."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(work, text)


def _say_that_it_failed(why: str, events: EventLog, alarms: Alarms) -> None:
    text = Message(
        "devices are watched and can be stopped, and nothing else is sent: {why}", why=why
    )
    events.add("record.failed", text, severity=Severity.ERROR)
    alarms.record = Unkeepable(why)
    alarms.signal(RECORD_FAILED).on(text)
