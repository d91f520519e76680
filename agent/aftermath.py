"""What follows from the end of the agent before this one: notes for the record, doubts, the next file."""

import asyncio
from pathlib import Path
from typing import Final

from agent.errors import AgentError
from agent.fleet.events import EventLog, Severity
from agent.public import utc_text
from agent.roles import Actor
from agent.safety.dirty_start import Before, look_back
from agent.safety.record import Record
from agent.store.safe_state import MADE_SAFE
from agent.store.whole_file import remove
from drivers import Role

MAKE_SAFE: Final = Actor(name="labkeeper make-safe", origin="agent", role=Role.OBSERVER)


async def what_was_left(folder: Path, record: Record, events: EventLog) -> Before:
    """Look back, and take into the record what `labkeeper make-safe` did meanwhile, once.

    It settles the commands of the agent before this one as a confirmed stop does. What a person has to
    look at it settles for nobody; and a note from before another agent ran settles nothing.
    """
    before = await asyncio.to_thread(look_back, folder)
    if before.trouble:
        text = f"what `labkeeper make-safe` did is not known: {before.trouble}"
        events.add("safe.unknown", text, severity=Severity.ERROR)
    if before.made is None:
        return before
    at = utc_text(before.made.at)
    try:
        for device, made in before.made.devices.items():
            how = "made safe" if made.confirmed else "NOT CONFIRMED SAFE"
            text = f"{device} was {how} at {at} by `labkeeper make-safe`: {made.text}"
            severity = Severity.INFO if made.confirmed else Severity.ERROR
            events.add("safe.made", text, device=device, severity=severity)
            await record.noted(MAKE_SAFE, "make-safe", device, text)
            if made.confirmed and before.is_made_since:
                await record.settle_commands(MAKE_SAFE, device, text)
        await asyncio.to_thread(remove, folder / MADE_SAFE)
    except AgentError as error:
        text = f"what `labkeeper make-safe` did is not on record yet: {error}"
        events.add("safe.unrecorded", text, severity=Severity.ERROR)
    return before
