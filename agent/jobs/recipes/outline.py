"""A recipe as a person reads it: each step in a line, indented as it stands inside others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

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
    return own or other or summary(step, language)


def summary(step: Step, language: str) -> str:
    """What a step does, in a line."""
    return _of_device(step) or _of_flow(step) or _of_person(step, language) or step.verb


def _of_device(step: Step) -> str:
    match step:
        case SetStep():
            return f"set {', '.join(f'{it} = {_value(to)}' for it, to in step.set.items())}"
        case DoStep():
            result = f" as {step.as_}" if step.as_ else ""
            return f"do {step.do}{_arguments(step.with_)}{result}"
        case RampStep():
            return f"ramp {step.ramp} to {_value(step.to)} at {step.rate}"
        case MeasureStep():
            return f"measure {', '.join(_measured(*it) for it in step.measure.items())}"
        case RecordStep():
            return f"record {', '.join(map(str, step.record))} every {step.every}"
        case PrintStep():
            return f"print {_value(step.print)} on {step.on}"
    return ""


def _of_flow(step: Step) -> str:
    match step:
        case WaitStep():
            return f"wait {step.wait}"
        case UntilStep():
            return f"wait until {step.wait.until}, within {step.wait.within}"
        case RepeatStep():
            return f"repeat {_often(step.repeat)}"
        case IfStep():
            return f"if {step.if_}"
        case ParallelStep():
            return f"parallel {', '.join(step.parallel)}"
        case CallStep():
            return f"call {step.call}{_arguments(step.with_)}"
    return ""


def _of_person(step: Step, language: str) -> str:
    match step:
        case ConfirmStep():
            return f"confirm “{step.confirm.wording(language).text}”"
        case InputStep():
            return f"input {step.as_}: “{step.input.wording(language).text}”"
        case LogStep():
            return f"log “{step.log.wording(language).text}”"
        case FailStep():
            return f"fail “{step.fail.wording(language).text}”"
    return ""


def _often(how: Repeat) -> str:
    name = f" as {how.as_}" if how.as_ else ""
    if how.over is not None:
        return f"over {', '.join(map(_value, how.over))}{name}"
    if how.while_ is not None:
        return f"while {how.while_}, at most {how.most} times{name}"
    return f"{_value(how.times) if how.times is not None else '?'} times{name}"


def _measured(name: str, its: Measured) -> str:
    ends = [
        f"{key} {_value(end)}"
        for key in ("low", "high", "equals")
        if (end := getattr(its, key)) is not None
    ]
    limits = f" ({', '.join(ends)})" if ends else ""
    return f"{name} = {its.value}{limits}"


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
