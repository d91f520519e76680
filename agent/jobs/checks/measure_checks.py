"""Checks of what is measured, and of what it must be to pass."""

from __future__ import annotations

from collections.abc import Iterable

from agent.jobs.checks.device_checks import define
from agent.jobs.checks.inspection import Inspection
from agent.jobs.checks.scope import Scope
from agent.jobs.language.expressions import Expression, Value
from agent.jobs.language.kinds import Kind, same_unit
from agent.jobs.language.values import Given
from agent.jobs.recipes.device_steps import Measured, MeasureStep
from agent.jobs.recipes.step import Step
from agent.languages.message import Message
from agent.settings.document import KeyPath
from agent.settings.sentences import suggest
from drivers import UNITS


def check_measure(look: Inspection, step: MeasureStep, scope: Scope) -> None:
    """Each value exists, and its limits can be held against it."""
    before = scope.copy()
    for name, measured in step.measure.items():
        kind = look.expression(step, ("measure", name, "value"), measured.value, before)
        _value(look, step, name, measured, kind)
        _limits(look, step, name, measured, kind, before)
        unit = measured.unit if measured.unit is not None else kind.unit
        define(look, step, name, Kind(kind.type, unit, kind.choices), scope)


def _value(look: Inspection, step: Step, name: str, measured: Measured, kind: Kind) -> None:
    at: KeyPath = ("measure", name)
    if not measured.value.names:
        look.say(
            step,
            (*at, "value"),
            Message("{value} is always the same: nothing is measured", value=measured.value),
        )
    if measured.unit is not None and measured.unit not in UNITS:
        text = Message(
            "{unit!r} is not a unit of this lab; {suggest}",
            unit=measured.unit,
            suggest=suggest(measured.unit, UNITS),
        )
        look.say(step, (*at, "unit"), text)
    elif measured.unit is not None and not same_unit(measured.unit, kind.unit):
        look.say(
            step,
            (*at, "unit"),
            Message(
                "{value} is in {unit}", value=measured.value, unit=kind.unit or Message("no unit")
            ),
        )


def _limits(
    look: Inspection, step: Step, name: str, measured: Measured, kind: Kind, scope: Scope
) -> None:
    at: KeyPath = ("measure", name)
    low, high, equals = measured.low, measured.high, measured.equals
    for key, end in (("low", low), ("high", high)):
        if end is None:
            continue
        found = look.given(step, (*at, key), end, scope)
        if not kind.may_be("number", "integer"):
            text = Message("{value} is {kind}: use equals instead", value=measured.value, kind=kind)
            look.say(step, (*at, key), text, at_key=True)
        else:
            look.fits(step, (*at, key), found, kind)
    if low is not None and high is not None:
        lows, highs = (_numbers(look.plain(it, scope)) for it in (low, high))
        if lows and highs and min(lows) > max(highs):
            text = Message(
                "{lows:g} is above high, {highs:g}: nothing would pass",
                lows=min(lows),
                highs=max(highs),
            )
            look.say(step, (*at, "low"), text)
    if equals is not None:
        if low is not None or high is not None:
            look.say(
                step,
                (*at, "equals"),
                Message("give low and high, or equals: not both"),
                at_key=True,
            )
        _equals(look, step, (*at, "equals"), equals, kind, scope)


def _numbers(values: Iterable[Value]) -> list[float]:
    return [it for it in values if isinstance(it, int | float) and not isinstance(it, bool)]


def _equals(
    look: Inspection, step: Step, key: KeyPath, equals: Given, kind: Kind, scope: Scope
) -> None:
    fits = look.fits(step, key, look.given(step, key, equals, scope), kind)
    known = not isinstance(equals, Expression)
    if fits and known and kind.choices and equals not in kind.choices:
        look.say(
            step,
            key,
            Message(
                "{equals!r} never comes; {suggest}",
                equals=equals,
                suggest=suggest(str(equals), kind.choices),
            ),
        )
