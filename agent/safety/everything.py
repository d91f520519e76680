"""Stopping every device at once, whatever becomes of each."""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from agent.fleet.samples import Cause, Outcome, Status, Value
from agent.languages.message import Message
from agent.roles import Actor
from agent.safety.gate import Gate

TRYING: Final = "trying"
"""What is said of a device that is still being stopped, in place of how that ended."""
WORST_FIRST: Final = (Status.UNKNOWN, Status.FAILED, Status.REFUSED)

log = logging.getLogger("labkeeper")


async def stop_everything(gate: Gate, devices: Iterable[str], actor: Actor) -> dict[str, Outcome]:
    """Stop these devices side by side, and say of each how that ended. Never raises.

    What has not ended within a second is still being tried, and goes on to its end.
    """
    names = list(devices)
    outcomes = await asyncio.gather(*(_stopped(gate, actor, name) for name in names))
    return dict(zip(names, outcomes, strict=True))


def said_of(outcomes: Mapping[str, Outcome]) -> Outcome:
    """All in one: the worst of them, the devices that were not confirmed safe, and each by its name."""
    value = states_of(outcomes)
    unsafe = [name for name, it in outcomes.items() if it.status is not Status.DONE]
    if not unsafe:
        return Outcome(
            status=Status.DONE,
            message=Message("made safe: {value}", value=", ".join(value) or Message("none")),
            value=value,
        )
    worst = next(it for it in WORST_FIRST if it in {outcomes[name].status for name in unsafe})
    first = next(it.message for it in outcomes.values() if it.status is worst)
    text = Message(
        "not confirmed safe: {unsafe}; go and look. {first}", unsafe=", ".join(unsafe), first=first
    )
    return Outcome(status=worst, message=text, value=value)


def states_of(outcomes: Mapping[str, Outcome]) -> dict[str, Value]:
    """In a word for each: how it ended, or that it is still being tried."""
    late = set(still_tried(outcomes))
    return {name: TRYING if name in late else str(it.status) for name, it in outcomes.items()}


def said_alone(device: str, outcome: Outcome) -> Outcome:
    """The same of one device: by its name that it is still being tried, for who can't see the cause."""
    is_late = outcome.cause is Cause.STILL_TRYING
    return replace(outcome, value={device: TRYING}) if is_late else outcome


def still_tried(outcomes: Mapping[str, Outcome]) -> list[str]:
    """The devices that are still being stopped."""
    return [name for name, it in outcomes.items() if it.cause is Cause.STILL_TRYING]


async def _stopped(gate: Gate, actor: Actor, device: str) -> Outcome:
    """Stop one of many: whatever happens to it must not keep the others from being stopped."""
    try:
        return await gate.stop_soon(actor, device)
    except Exception as error:
        log.exception("stopping %s", device)
        return Outcome(
            status=Status.UNKNOWN,
            message=Message(
                "{device}: stop ended with a defect, {error}", device=device, error=repr(error)
            ),
        )
