"""What follows from the end of the agent before this one: notes for the record, doubts, the next file."""

import asyncio
from pathlib import Path
from typing import Final

from agent.errors import AgentError
from agent.fleet.events import EventLog, Severity
from agent.languages.message import Message
from agent.public import utc_text
from agent.roles import Actor
from agent.safety.dirty_start import Before, look_back
from agent.safety.record import Record
from agent.store.disk_threads import at_disk_thread
from agent.store.safe_state import MADE_SAFE, MadeSafe
from agent.store.whole_file import remove
from drivers import Role

MAKE_SAFE: Final = Actor(name="labkeeper make-safe", origin="agent", role=Role.OBSERVER)
DISK_WITHIN_S: Final = 5.0
"""How long devices wait to be watched for what the disk has to tell, or to take, of this."""


async def what_was_left(folder: Path, record: Record, events: EventLog) -> Before:
    """Look back, and take into the record what `labkeeper make-safe` did meanwhile, once.

    It settles the commands of the agent before this one as a confirmed stop does. What a person has to
    look at it settles for nobody; and a note from before another agent ran settles nothing.
    """
    before = await _looked_back(folder)
    if before.trouble:
        text = Message(
            "what `labkeeper make-safe` did is not known: {trouble}", trouble=before.trouble
        )
        events.add("safe.unknown", text, severity=Severity.ERROR)
    if before.made is None:
        return before
    why = ""
    try:
        async with asyncio.timeout(DISK_WITHIN_S):
            await _noted(before.made, record, events, is_settling=before.is_made_since)
            await at_disk_thread(remove, folder / MADE_SAFE)
    except TimeoutError:
        why = Message(
            "the disk had not taken it within {disk_within_s:g} s", disk_within_s=DISK_WITHIN_S
        )
    except AgentError as error:
        why = str(error)
    if why:
        text = Message("what `labkeeper make-safe` did is not on record yet: {why}", why=why)
        events.add("safe.unrecorded", text, severity=Severity.ERROR)
    return before


async def _looked_back(folder: Path) -> Before:
    try:
        async with asyncio.timeout(DISK_WITHIN_S):
            return await at_disk_thread(look_back, folder)
    except TimeoutError:
        why = Message(
            "nobody knows what the agent before this one has left: the disk had not told "
            "of it within {disk_within_s:g} s",
            disk_within_s=DISK_WITHIN_S,
        )
        return Before(why=why, is_lost=True, was_cut_off=True)


async def _noted(made: MadeSafe, record: Record, events: EventLog, *, is_settling: bool) -> None:
    at = utc_text(made.at)
    for device, it in made.devices.items():
        how = Message("made safe") if it.confirmed else Message("NOT CONFIRMED SAFE")
        text = Message(
            "{device} was {how} at {at} by `labkeeper make-safe`: {text}",
            device=device,
            how=how,
            at=at,
            text=it.text,
        )
        severity = Severity.INFO if it.confirmed else Severity.ERROR
        events.add("safe.made", text, device=device, severity=severity)
        await record.noted(MAKE_SAFE, "make-safe", device, text)
        if it.confirmed and is_settling:
            await record.settle_commands(MAKE_SAFE, device, text)
