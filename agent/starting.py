"""What a start asks of its disk, and how long it waits: one that hangs keeps nobody from watching devices."""

import asyncio
import logging
from typing import Final

from agent.fleet.events import EventLog, Severity
from agent.store.files import FileStore
from drivers.errors import RequestError

DISK_WITHIN_S: Final = 5.0
"""How long devices wait to be watched for what the disk has to tell, or to take, of each part."""

log = logging.getLogger("labkeeper")


async def waited_for(part: asyncio.Task[None], what: str, events: EventLog) -> None:
    """Wait for a part of the start, such as `the jobs of before`; one that hangs goes on by itself."""
    await asyncio.wait([part], timeout=DISK_WITHIN_S)
    if not part.done():
        text = (
            f"the start goes on without {what}: the disk has not answered within {DISK_WITHIN_S:g} s. "
            "Devices are watched and can be stopped; the rest follows as soon as the disk answers"
        )
        events.add("start.disk_hangs", text, severity=Severity.ERROR)


async def tidied(files: FileStore) -> None:
    """Remove what uploads have left that were cut off. No device waits for the disk."""
    try:
        await files.tidy()
    except RequestError as error:
        log.warning("%s", error)
