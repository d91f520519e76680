"""Runs the steps that look: measure, with verdicts, and record, row by row."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from agent.errors import DeviceTrouble, Refused
from agent.fleet.ends import of
from agent.fleet.samples import Quality, Sample
from agent.jobs.job import Measure, Verdict
from agent.jobs.language.expressions import ExpressionError, Value
from agent.jobs.language.kinds import unit_symbol
from agent.jobs.language.values import Given, names_of, resolved
from agent.jobs.progress import StepNow
from agent.jobs.recipes.device_steps import Measured, MeasureStep, RecordStep
from agent.jobs.running.frame import Frame, Known
from agent.languages.message import Message, joined
from drivers.errors import DriverError

LEAST_FIRST: Final = (
    *(Quality.BAD, Quality.STALE, Quality.SIMULATED, Quality.MANUAL, Quality.GOOD),
)
SHORTEST_S = 0.05
"""Shortest period of a table, as a recipe's check has it."""

log = logging.getLogger("labkeeper")


async def run_measure(frame: Frame, step: MeasureStep, _: StepNow) -> None:
    """Read anew, judge each value, and end the job at a fail where the recipe says so."""
    fresh = await _read_anew(frame, _needed(step.measure.values()))
    known, failed = Known(frame, fresh), []
    found = {name: _judged(frame, name, its, known) for name, its in step.measure.items()}
    for name, measure in found.items():
        frame.values.pop(name, None)
        if measure.value is not None:
            frame.values[name] = measure.value
        await frame.means.notes.measured(measure)
        if measure.verdict == "fail":
            failed.append(of(name, measure.reason))
    if failed and step.on_fail == "end":
        raise DeviceTrouble(Message("the verdict is fail: {failed}", failed=joined(failed)))


def _needed(measured: Iterable[Measured]) -> dict[str, list[str]]:
    """The readings that values and limits need, by role."""
    needed: dict[str, list[str]] = {}
    for its in measured:
        for name in names_of(its.value, its.low, its.high, its.equals):
            role, dot, reading = name.partition(".")
            if dot and reading not in needed.setdefault(role, []):
                needed[role].append(reading)
    return needed


async def _read_anew(frame: Frame, needed: Mapping[str, list[str]]) -> dict[str, Sample]:
    """Fresh samples by role.reading, all devices at once; what can't be read is a bad sample."""
    samples = await asyncio.gather(*(_of_role(frame, it, names) for it, names in needed.items()))
    return {name: sample for of_role in samples for name, sample in of_role.items()}


async def _of_role(frame: Frame, role: str, names: list[str]) -> dict[str, Sample]:
    try:
        read = await frame.means.hands.read(frame.devices[role], tuple(names))
    except (DriverError, Refused) as error:
        lost = Sample(None, Quality.BAD, frame.means.clock.utc(), str(error))
        return {f"{role}.{name}": lost for name in names}
    return {f"{role}.{name}": read[name] for name in names}


def _judged(frame: Frame, name: str, its: Measured, known: Known) -> Measure:
    time, unit = frame.means.clock.utc(), _unit(frame, its)
    value: Value | None = None
    verdict: Verdict = "none"
    limits, reason = _limits(its, known)
    try:
        value = its.value.value(known)
        reason = reason or _wrong(value, unit, known, **limits)
        if its.has_limits:
            verdict = "fail" if reason else "pass"
    except ExpressionError as error:
        verdict, reason = "fail", str(error)
    quality = _quality(known, names_of(its.value))
    judged = Measure(name=name, time=time, value=value, unit=unit, verdict=verdict, reason=reason)
    return replace(judged, quality=quality, **limits)


def _unit(frame: Frame, its: Measured) -> str:
    """The unit that the recipe gives, else that of the one reading which is measured as it is."""
    if its.unit is not None:
        return its.unit
    for name in names_of(its.value):
        role, dot, reading = name.partition(".")
        if dot and str(its.value) in (name, f"abs({name})"):
            return frame.means.hands.unit(frame.devices[role], reading)
    return ""


def _limits(its: Measured, known: Known) -> tuple[dict[str, Any], str]:
    """The limits as they are now, and why one of them has no value; "" where all have."""
    limits: dict[str, Any] = {}
    try:
        for name, given in (("low", its.low), ("high", its.high)):
            if given is not None:
                limits[name] = _number(given, known)
        if its.equals is not None:
            limits["equals"] = resolved(its.equals, known)
    except ExpressionError as error:
        return limits, str(error)
    return limits, ""


def _wrong(
    value: Value,
    unit: str,
    known: Known,
    low: float | None = None,
    high: float | None = None,
    equals: Value | None = None,
) -> str:
    """Why a value does not pass; "" where it does."""
    if equals is not None and value != equals:
        return Message("{said} is not {limit}", said=_said(value, unit), limit=_said(equals, unit))
    if low is not None and not _number(value, known) >= low:
        return Message("{said} is below {limit}", said=_said(value, unit), limit=_said(low, unit))
    if high is not None and not _number(value, known) <= high:
        return Message("{said} is above {limit}", said=_said(value, unit), limit=_said(high, unit))
    return ""


def _said(value: Value, unit: str) -> str:
    """A value in a verdict, with digits enough to tell it from the limit that it has missed."""
    match value:
        case bool():
            return Message("on") if value else Message("off")
        case float():
            return f"{value:.10g} {unit_symbol(unit)}".rstrip()
        case _:
            return f"{value} {unit_symbol(unit)}".rstrip()


def _quality(known: Known, names: Iterable[str]) -> str:
    """The least that is to be said of these readings."""
    found = {it.quality for name in names if (it := known.sample(name)) is not None}
    return next((str(it) for it in LEAST_FIRST if it in found), "")


def _number(given: Given, known: Known) -> float:
    found = resolved(given, known)
    if isinstance(found, bool | str):
        raise ExpressionError(
            Message("{given}: gives {found!r}, which is not a number", given=given, found=found)
        )
    return float(found)


async def run_record(frame: Frame, step: RecordStep, _: StepNow) -> None:
    """Write rows while the inner steps run, or from here to the end of the recipe."""
    every = max(step.every.seconds(frame.known), SHORTEST_S)
    task = frame.means.tasks.create_task(
        _record(frame, step, every), name=f"{frame.means.job.id}.record.{step.as_}"
    )
    if step.steps is None:
        earlier = frame.recorders.get(step.place.key)
        frame.recorders[step.place.key] = task
        if earlier is not None:  # the same step of an earlier turn
            earlier.cancel()
        return
    try:
        await frame.run(step.steps)
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _record(frame: Frame, step: RecordStep, every: float) -> None:
    """A row at once and then at every period; one that is late is left out, never made up."""
    clock, hands, notes = frame.means.clock, frame.means.hands, frame.means.notes
    due = clock.monotonic()
    try:
        while True:
            row = {str(it): hands.latest(frame.devices[it.role], it.name) for it in step.record}
            await notes.row(step.as_, row, frame.devices)
            due += every * max(1, -(-(clock.monotonic() - due) // every))
            await clock.sleep(due - clock.monotonic())
    except Exception as error:  # a table that can't be kept is said, and stops nothing
        log.exception("%s: recording", step.place)
        text = Message(
            "{place}: record: nothing more is written down: {error}",
            place=step.place,
            error=repr(error),
        )
        await notes.line("warning", text, text)
