"""Runs the steps that say when, how often and what next."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import suppress
from typing import Any

from agent.errors import DeviceTrouble, Refused
from agent.jobs.language.expressions import NoValue, Value
from agent.jobs.language.values import resolved
from agent.jobs.progress import StepNow
from agent.jobs.recipes.claims import called_devices
from agent.jobs.recipes.flow_steps import (
    CallStep,
    IfStep,
    ParallelStep,
    RepeatStep,
    UntilStep,
    WaitStep,
)
from agent.jobs.running.frame import Frame, StepFailed
from agent.languages.message import Message


async def run_wait(frame: Frame, step: WaitStep, now: StepNow) -> None:
    """Let the time pass; what is spent in a pause does not count."""

    def left(remaining: float) -> None:
        now.left = remaining

    now.expected = seconds = step.wait.seconds(frame.known)
    await frame.means.pace.wait(seconds, left)


async def run_until(frame: Frame, step: UntilStep, now: StepNow) -> None:
    """Wait until the condition has held for long enough; a pause begins that anew."""
    clock, pace, wait = frame.means.clock, frame.means.pace, step.wait
    left, steady = wait.within.seconds(frame.known), wait.steady.seconds(frame.known)
    held, now.expected = 0.0, left
    while True:
        began, holds = clock.monotonic(), _holds_now(frame, step)
        if holds and held >= steady:
            return
        if left <= 0:
            break
        now.limit = left
        await clock.sleep(min(left, 0.05))
        passed = clock.monotonic() - began
        left -= passed
        held = held + passed if holds and _holds_now(frame, step) else 0.0
        if await pace.rest():
            held = 0.0
    if wait.otherwise == "fail":
        raise DeviceTrouble(
            Message("{until} did not hold within {within}", until=wait.until, within=wait.within)
        )


def _holds_now(frame: Frame, step: UntilStep) -> bool:
    try:
        return step.wait.until.holds(frame.known)
    except NoValue:
        return False


async def run_if(frame: Frame, step: IfStep, _: StepNow) -> None:
    """One side or the other. A reading that is not to be believed ends the job."""
    if step.if_.holds(frame.known):
        await frame.run(step.then)
    elif step.else_ is not None:
        await frame.run(step.else_)


async def run_repeat(frame: Frame, step: RepeatStep, now: StepNow) -> None:
    """Run the steps again and again; the variable ends with the loop."""
    how = step.repeat
    if how.over is not None:
        now.turns = len(how.over)
    elif how.times is not None:
        now.turns = _times(frame, step)
    try:
        for number, value in enumerate(_turns(frame, step, now.turns), 1):
            now.turn = number
            if how.as_:
                frame.values[how.as_] = value
            await frame.run(step.steps)
            await asyncio.sleep(0)  # steps that wait for nothing must leave room for a stop
    finally:
        if how.as_:
            frame.values.pop(how.as_, None)


def _times(frame: Frame, step: RepeatStep) -> int:
    given = resolved(step.repeat.times or 0, frame.known)
    if isinstance(given, bool | str) or given < 0 or given != int(given):
        raise Refused(Message("{given!r} is not a number of times", given=given))
    return int(given)


def _turns(frame: Frame, step: RepeatStep, turns: int | None) -> Iterator[Value]:
    """The value of each turn: of `over`, or its number. What is asked for is looked at as it comes."""
    how = step.repeat
    if how.over is not None:
        yield from (resolved(given, frame.known) for given in how.over)
        return
    if turns is not None:
        yield from range(1, turns + 1)
        return
    number = 0
    while how.while_ is not None and how.while_.holds(frame.known):
        number += 1
        if how.most is not None and number > how.most:
            raise DeviceTrouble(
                Message("{while_} still holds after {most} times", while_=how.while_, most=how.most)
            )
        yield number


async def run_parallel(frame: Frame, step: ParallelStep, _: StepNow) -> None:
    """Run the branches side by side. When one fails, the others and what they have begun are ended."""
    branches = {name: frame.branch() for name in step.parallel}
    before = dict(frame.values)
    pace = frame.means.pace

    async def branch(name: str) -> None:
        with pace.lane():
            await branches[name].run(step.parallel[name])

    with pace.fork():
        failure = await _side_by_side(frame, {name: branch(name) for name in step.parallel})
    if failure is not None:
        await frame.means.hands.end_unfinished()
        raise failure
    for its in branches.values():
        changed = {n: v for n, v in its.values.items() if n not in before or before[n] is not v}
        frame.values |= changed


async def _side_by_side(
    frame: Frame, works: dict[str, Coroutine[Any, Any, None]]
) -> Exception | None:
    """Run all to their ends, or to the first failure, which is returned when all have ended."""
    tasks, job = frame.means.tasks, frame.means.job.id
    pending = {
        tasks.create_task(_failure_of(work), name=f"{job}.{name}") for name, work in works.items()
    }
    try:
        while pending:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            if failures := [failure for task in done if (failure := task.result())]:
                return failures[0]
    finally:
        for task in pending:
            task.cancel()
        if pending:
            await asyncio.wait(pending)
    return None


async def _failure_of(work: Coroutine[Any, Any, None]) -> Exception | None:
    try:
        await work
    except Exception as error:  # noqa: BLE001 - raised again by the step, when all have ended
        return error
    return None


async def run_call(frame: Frame, step: CallStep, _: StepNow) -> None:
    """Run the other recipe with values of its own; its `finally` runs when it ends.

    Where it fails, and the job by that, its `finally` has its turn at the end of the job. A function
    may go on after a failure: for that the recipe ends here, with all that it has called.
    """
    entry = frame.means.library.find(step.call)
    recipe = entry.recipe
    values = recipe.arguments({n: resolved(it, frame.known) for n, it in step.with_.items()})
    devices = called_devices(recipe, step, frame.devices)
    inner = Frame(frame.means, recipe, devices, values)
    inner.is_ending, inner.callers = frame.is_ending, (*frame.callers, frame.whole)
    frame.means.frames.append(inner)
    try:
        await inner.run(recipe.steps)
    except StepFailed:
        if frame.is_asked:
            await _left(inner)
        raise
    await _ended(inner)


async def _left(failed: Frame) -> None:
    """End a recipe that has failed, those that it called first. The failure is told already."""
    for frame in reversed(tuple(failed.means.frames)):
        if frame is failed or failed in frame.callers:
            with suppress(StepFailed):  # on record, as each step's failure is
                await _ended(frame)


async def _ended(frame: Frame) -> None:
    """Run the `finally` of a recipe, if a step of it had begun, and record nothing more of it."""
    frame.means.frames.remove(frame)  # its `finally` has begun, and begins no second time
    frame.is_ending = True
    try:
        if frame.begun and frame.recipe.finally_ is not None:
            await frame.run(frame.recipe.finally_)
    finally:
        await frame.end_recorders()
