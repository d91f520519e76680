"""Stopping every device at once, whatever becomes of each."""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from typing import Final

from agent.fleet.samples import Outcome, Status
from agent.roles import Actor
from agent.safety.gate import Gate

WORST_FIRST: Final = (Status.UNKNOWN, Status.FAILED, Status.REFUSED)

log = logging.getLogger("labkeeper")


async def stop_everything(gate: Gate, devices: Iterable[str], actor: Actor) -> dict[str, Outcome]:
    """Stop these devices side by side, and say of each how that ended. Never raises."""
    names = list(devices)
    outcomes = await asyncio.gather(*(_stopped(gate, actor, name) for name in names))
    return dict(zip(names, outcomes, strict=True))


def said_of(outcomes: Mapping[str, Outcome]) -> Outcome:
    """All in one: the worst of them, the devices that were not confirmed safe, and each by its name."""
    value = {name: str(it.status) for name, it in outcomes.items()}
    unsafe = [name for name, it in outcomes.items() if it.status is not Status.DONE]
    if not unsafe:
        return Outcome(
            status=Status.DONE, message=f"made safe: {', '.join(value) or 'none'}", value=value
        )
    worst = next(it for it in WORST_FIRST if it in {outcomes[name].status for name in unsafe})
    first = next(it.message for it in outcomes.values() if it.status is worst)
    text = f"not confirmed safe: {', '.join(unsafe)}; go and look. {first}"
    return Outcome(status=worst, message=text, value=value)


async def _stopped(gate: Gate, actor: Actor, device: str) -> Outcome:
    """Stop one of many: whatever happens to it must not keep the others from being stopped."""
    try:
        return await gate.stop(actor, device)
    except Exception as error:
        log.exception("stopping %s", device)
        return Outcome(
            status=Status.UNKNOWN, message=f"{device}: stop ended with a defect, {error!r}"
        )
