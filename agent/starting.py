"""What a start waits for, and how long: no disk, device or broker that hangs keeps others from being watched."""

import asyncio
import logging
from collections.abc import Collection
from typing import Final

from agent.fleet.events import EventLog, Severity
from agent.fleet.fleet import Fleet
from agent.jobs.jobs import Jobs
from agent.jobs.runs.run_records import RunRecords
from agent.languages.message import Message
from agent.store.files import FileStore
from drivers.errors import RequestError

DISK_WITHIN_S: Final = 5.0
"""How long devices wait to be watched for what the disk has to tell, or to take, of what was before."""

log = logging.getLogger("labkeeper")


async def waited_for(parts: Collection[asyncio.Task[None]], events: EventLog) -> None:
    """Wait for parts of the start, each named after what it brings; one that hangs goes on by itself."""
    _, hanging = await asyncio.wait(parts, timeout=DISK_WITHIN_S)
    for what in sorted(part.get_name() for part in hanging):
        text = Message(
            "the start goes on without {what}: the disk has not answered within "
            "{disk_within_s:g} s. Devices are watched and can be stopped; the rest follows "
            "as soon as the disk answers",
            what=what,
            disk_within_s=DISK_WITHIN_S,
        )
        events.add("start.disk_hangs", text, severity=Severity.ERROR)


async def after_jobs(jobs: Jobs, runs: RunRecords) -> None:
    """Look after run folders once the jobs of before are known, by whose ends those are closed that are left open.

    As long as the disk does not give these jobs, each folder would be closed as if nobody knew its end.
    """
    await jobs.taken_over.wait()
    await runs.run(jobs.listing)


async def tidied(files: FileStore) -> None:
    """Remove what uploads have left that were cut off. No device waits for the disk."""
    try:
        await files.tidy()
    except RequestError as error:
        log.warning("%s", error)


async def first_turns(fleet: Fleet, seconds: float, told: asyncio.Event | None = None) -> None:
    """Wait for every device's first turn, and until the broker is `told`; what takes longer holds nothing up."""
    try:
        async with asyncio.timeout(seconds):
            await fleet.first_round()
            if told is not None:
                await told.wait()
    except TimeoutError:
        log.debug("not every device had its first turn, and told it, within %g s", seconds)
