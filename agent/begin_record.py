"""Begins the ledger of a station: what wrote it, and which devices are blocked by what it holds."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from random import Random

from agent.clock import Clock
from agent.errors import CannotStart
from agent.fleet.board import Board
from agent.fleet.events import EventLog
from agent.languages.message import Message
from agent.provenance import provenance
from agent.recording import OPEN_WITHIN_S, NoRecording, Recording
from agent.safety.alarms import Alarms
from agent.settings import Station as Settings
from agent.store.database import Database
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
            async with asyncio.timeout(OPEN_WITHIN_S):
                await stack.enter_async_context(database)
        except NewerSchema:
            raise
        except CannotStart as error:
            found = str(error)
        except TimeoutError:  # the thread that waits for the disk is left to itself
            found = Message(
                "the disk had not opened {path} within {open_within_s:g} s",
                path=database.path,
                open_within_s=OPEN_WITHIN_S,
            )
        yield found


async def begin_record(
    database: Database | str,
    settings: Settings,
    *,
    clock: Clock,
    rng: Random,
    board: Board,
    events: EventLog,
    alarms: Alarms,
) -> Recording | NoRecording:
    """Begin the record of this station. `database` may be the reason why there is none."""
    if isinstance(database, str):
        return NoRecording(database, events, alarms)
    made = await asyncio.to_thread(provenance, settings)
    recording = Recording(
        *(database, settings, made), clock=clock, rng=rng, board=board, events=events, alarms=alarms
    )
    await recording.open()
    return recording
