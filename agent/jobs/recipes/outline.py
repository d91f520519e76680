"""A recipe as a person reads it: each step in a line, indented as it stands inside others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from agent.jobs.language.expressions import Expression
from agent.jobs.language.values import Given
from agent.jobs.recipes.device_steps import (
    DoStep,
    Measured,
    MeasureStep,
    PrintStep,
    RampStep,
    RecordStep,
    SetStep,
)
from agent.jobs.recipes.flow_steps import (
    CallStep,
    IfStep,
    ParallelStep,
    Repeat,
    RepeatStep,
    UntilStep,
    WaitStep,
)
from agent.jobs.recipes.person_steps import ConfirmStep, FailStep, InputStep, LogStep
from agent.jobs.recipes.recipe import Recipe
from agent.jobs.recipes.step import Step
from agent.languages.catalogues import in_language
from agent.languages.message import N_, Message, listed

LIMITS: Final[Mapping[str, str]] = MappingProxyType(
    {"low": N_("low {end}"), "high": N_("high {end}"), "equals": N_("equals {end}")}
)


@dataclass(frozen=True, slots=True)
class Line:
    """One step, or the name of a list of steps, which has no place of its own."""

    depth: int
    text: str
    step: Step | None = None


def outline(recipe: Recipe, language: str) -> Iterator[Line]:
    """Yield the lines of a recipe in a language, "ko" or "en"."""
    for key, steps in recipe.lists():
        yield Line(0, f"{key}:")
        yield from _lines(steps, 1, language)


def _lines(steps: tuple[Step, ...], depth: int, language: str) -> Iterator[Line]:
    for step in steps:
        yield Line(depth, summary(step, language), step)
        lists = list(step.nested())
        for key, inner in lists:
            named = len(lists) > 1 or key not in ("steps", "then")
            if named:
                yield Line(depth + 1, f"{key}:")
            yield from _lines(inner, depth + (2 if named else 1), language)


def title(step: Step, language: str) -> str:
    """What people call a step: its title in the language or another, else what it does."""
    own, other = (
        (step.title.ko, step.title.en) if language == "ko" else (step.title.en, step.title.ko)
    )
    return own or other or in_language(summary(step, language), language)


def summary(step: Step, language: str) -> str:
    """What a step does, in a line."""
    return _of_device(step) or _of_flow(step) or _of_person(step, language) or step.verb


def _of_device(step: Step) -> str:
    match step:
        case SetStep():
            return Message("set {items}", items=", ".join(_set(step)))
        case DoStep():
            result = Message(" as {name}", name=step.as_) if step.as_ else ""
            what = {"do": step.do, "arguments": _arguments(step.with_), "result": result}
            return Message("do {do}{arguments}{result}", **what)
        case RampStep():
            to = _value(step.to)
            return Message("ramp {ramp} to {to} at {rate}", ramp=step.ramp, to=to, rate=step.rate)
        case MeasureStep():
            return Message("measure {items}", items=measured(step))
        case RecordStep():
            readings = ", ".join(map(str, step.record))
            return Message("record {items} every {every}", items=readings, every=step.every)
        case PrintStep():
            return Message("print {file} on {on}", file=_value(step.print), on=step.on)
    return ""


def ordered(step: DoStep) -> str:
    """The command that a step gives, with its arguments."""
    return f"{step.do}{_arguments(step.with_)}"


def measured(step: MeasureStep) -> str:
    """What a step measures, with the limits of each."""
    return listed(_measured(*it) for it in step.measure.items())


def _set(step: SetStep) -> Iterator[str]:
    return (f"{it} = {_value(to)}" for it, to in step.set.items())


def _of_flow(step: Step) -> str:
    match step:
        case WaitStep():
            return Message("wait {time}", time=step.wait)
        case UntilStep():
            how = step.wait
            text = N_("wait until {condition}, within {within}")
            return Message(text, condition=how.until, within=how.within)
        case RepeatStep():
            return Message("repeat {often}", often=_often(step.repeat))
        case IfStep():
            return Message("if {condition}", condition=step.if_)
        case ParallelStep():
            return Message("parallel {branches}", branches=", ".join(step.parallel))
        case CallStep():
            given = _arguments(step.with_)
            return Message("call {recipe}{arguments}", recipe=step.call, arguments=given)
    return ""


def _of_person(step: Step, language: str) -> str:
    match step:
        case ConfirmStep():
            return Message("confirm “{text}”", text=step.confirm.wording(language).text)
        case InputStep():
            text = step.input.wording(language).text
            return Message("input {name}: “{text}”", name=step.as_, text=text)
        case LogStep():
            return Message("log “{text}”", text=step.log.wording(language).text)
        case FailStep():
            return Message("fail “{text}”", text=step.fail.wording(language).text)
    return ""


def _often(how: Repeat) -> str:
    name = Message(" as {name}", name=how.as_) if how.as_ else ""
    if how.over is not None:
        values = ", ".join(map(_value, how.over))
        return Message("over {values}{name}", values=values, name=name)
    if how.while_ is not None:
        text = N_("while {condition}, at most {most} times{name}")
        return Message(text, condition=how.while_, most=how.most, name=name)
    times = _value(how.times) if how.times is not None else "?"
    return Message("{times} times{name}", times=times, name=name)


def _measured(name: str, its: Measured) -> str:
    limits = listed(
        Message(text, end=_value(end))
        for key, text in LIMITS.items()
        if (end := getattr(its, key)) is not None
    )
    if not limits:
        return Message("{name} = {value}", name=name, value=str(its.value))
    return Message("{name} = {value} ({limits})", name=name, value=str(its.value), limits=limits)


def _arguments(given: Mapping[str, Given]) -> str:
    return "".join(f" {name}={_value(it)}" for name, it in given.items())


def _value(given: Given) -> str:
    match given:
        case bool():
            return "true" if given else "false"
        case float():
            return f"{given:.10g}"
        case Expression() | int():
            return str(given)
    return repr(given)
