"""Runs a print to its end on any printer, and pauses it by the printer's own command."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from agent.errors import DeviceTrouble
from agent.fleet.samples import Cause, Outcome, Status
from agent.jobs.language.values import resolved
from agent.jobs.progress import StepNow
from agent.jobs.recipes.device_steps import PrintStep
from agent.jobs.running.frame import Frame, must_be_done
from agent.jobs.running.pace import TICK_S
from agent.jobs.running.person_work import confirmed
from agent.languages.message import Message
from agent.safety.condition import BELIEVED

PLATE_KO: Final = "{device}: 지난 출력물이 제거되고 출력판이 비어 있습니까?"
PLATE_EN: Final = "{device}: has the last print been taken off, and is the plate clear?"
NOT_TAKEN_KO: Final = (
    "{device}: 지금은 {word}을(를) 받지 않아 출력이 그대로이며, 다시 시도합니다: {why}"
)
NOT_TAKEN_EN: Final = (
    "{device} takes no {word} now, and the print is as it was; it is tried again: {why}"
)
RETRY_S: Final = 5.0
"""After which time a pause that was refused is tried again; then after twice that, and so on."""
LONGEST_RETRY_S: Final = 60.0
LEFT: Final = "print_left"
"""The reading in which a printer says how many seconds are left."""


async def run_print(frame: Frame, step: PrintStep, now: StepNow) -> None:
    """See that the plate is clear, print, and pause and resume with the job."""
    means, device = frame.means, frame.devices[step.on]
    file = resolved(step.print, frame.known)
    if device in means.plates:
        ko, en = (text.format(device=device) for text in (PLATE_KO, PLATE_EN))
        if not await confirmed(frame, ko, en, now):
            raise DeviceTrouble(Message("the plate of {device} is not clear", device=device))
        await means.plates.clear(device, means.notes)
    await means.pace.rest()
    await means.notes.printed(device, str(file))
    await means.plates.take(device, means.notes)
    printing = means.tasks.create_task(
        means.hands.do(device, "print", {"file": file}), name=f"{means.job.id}.{device}.printing"
    )
    try:
        while not printing.done():
            now.left = _left(frame, device)
            await means.clock.sleep(TICK_S)
            if means.pace.wants_rest and not printing.done():
                await _pause(frame, device, printing)
    finally:
        printing.cancel()  # what the printer does goes on, and is stopped by the job's stop
    outcome = printing.result()
    if outcome.status is Status.REFUSED:
        await means.plates.clear(
            device, means.notes
        )  # nothing was begun: the plate is as clear as before
    must_be_done(outcome)


async def _pause(frame: Frame, device: str, printing: asyncio.Task[Outcome]) -> None:
    """Pause the print and rest; where the printer can't pause, the print goes on to its end."""
    hands, pace = frame.means.hands, frame.means.pace
    if not (hands.offers(device, "pause") and hands.offers(device, "resume")):
        await asyncio.wait([printing])
        return
    if not await _taken(frame, device, "pause", printing, lambda: pace.wants_rest):
        return
    while not printing.done():
        await pace.rest()
        if await _taken(frame, device, "resume", printing, lambda: not pace.wants_rest):
            return


async def _taken(
    frame: Frame,
    device: str,
    word: str,
    printing: asyncio.Task[Outcome],
    is_wanted: Callable[[], bool],
) -> bool:
    """Ask the printer until it takes it; False where the print ended, or nobody wants it any more.

    What is refused, or was never sent, has changed nothing, and is no reason to end a print.
    """
    means, retry = frame.means, RETRY_S
    while not printing.done() and is_wanted():
        outcome = await means.hands.do(device, word, {})
        if outcome.status is not Status.REFUSED and outcome.cause is not Cause.NOT_SENT:
            must_be_done(outcome)
            return True
        if retry == RETRY_S:
            told = {"device": device, "word": word, "why": outcome.message}
            await means.notes.line(
                "warning", NOT_TAKEN_KO.format(**told), NOT_TAKEN_EN.format(**told)
            )
        again = means.clock.monotonic() + retry
        while means.clock.monotonic() < again and not printing.done() and is_wanted():
            await means.clock.sleep(TICK_S)
        retry = min(2 * retry, LONGEST_RETRY_S)
    return False


def _left(frame: Frame, device: str) -> float | None:
    sample = frame.means.hands.latest(device, LEFT)
    if sample is None or sample.quality not in BELIEVED:
        return None  # what an old value would say is a guess
    return float(sample.value) if isinstance(sample.value, int | float) else None
