"""What a step does, in words of the languages of the lab, where it has no title of its own."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from agent.jobs.recipes.device_steps import DoStep, MeasureStep, PrintStep, RampStep, RecordStep
from agent.jobs.recipes.flow_steps import RepeatStep, UntilStep
from agent.jobs.recipes.outline import Line, measured, ordered, summary, title
from agent.jobs.recipes.step import Step
from agent.languages.catalogues import in_language
from agent.languages.message import ENGLISH, N_, Message

VERBS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "set": N_("Set {what}"),
        "do": N_("Do {what}"),
        "measure": N_("Measure {what}"),
        "wait": N_("Wait {what}"),
        "if": N_("If {what}"),
        "parallel": N_("Side by side: {what}"),
        "call": N_("Recipe {what}"),
        "confirm": N_("Ask {what}"),
        "input": N_("Ask for {what}"),
        "log": N_("Say {what}"),
        "fail": N_("Fail {what}"),
    }
)
"""What a step does that has no title, by its verb."""

LISTS: Final[Mapping[str, Message]] = MappingProxyType(
    {
        "steps": Message("Steps"),
        "finally": Message("At the end in any case"),
        "on_stop": Message("After a stop"),
        "then": Message("Then"),
        "else": Message("Otherwise"),
    }
)
"""What lists of steps are called in a recipe, and what people call them."""


def line_said(line: Line, language: str) -> str:
    """A line of a recipe: in English by the words of its file, else in words of the language."""
    if language == ENGLISH:
        return line.text
    if line.step is not None:
        return step_said(line.step, language)
    key = line.text.removesuffix(":")
    return f"{in_language(LISTS.get(key, key), language)}:"


def step_said(step: Step, language: str) -> str:
    """What people call a step, in this language: its title, else what it does."""
    if step.title.ko or step.title.en:
        return title(step, language)
    return in_language(_what(step, language), language)


def _what(step: Step, language: str) -> str:
    said = summary(step, language)
    match step:
        case UntilStep():
            of = {"condition": step.wait.until, "time": step.wait.within}
            return Message("Wait until {condition}, at most {time}", **of)
        case RampStep():
            ramp = said.removeprefix("ramp ")
            setting, _, to = ramp.partition(" to ")
            end, _, rate = to.rpartition(" at ")
            return Message("Take {setting} to {end} at {rate}", setting=setting, end=end, rate=rate)
        case MeasureStep():
            return Message("Measure {what}", what=measured(step))
        case DoStep() if step.as_:
            what = {"what": ordered(step), "name": step.as_}
            return Message("Do {what}, and keep it as {name}", **what)
        case RecordStep():
            of = {"what": ", ".join(map(str, step.record)), "time": step.every}
            return Message("Record {what} every {time}", **of)
        case RepeatStep():
            return _repeat(step, said)
        case PrintStep():
            file, _, printer = said.removeprefix("print ").rpartition(" on ")
            return Message("Print {file} on {printer}", file=file, printer=printer)
    verb, _, rest = said.partition(" ")
    return Message(VERBS[verb], what=rest) if verb in VERBS else said


def _repeat(step: RepeatStep, said: str) -> Message:
    how, rest = step.repeat, said.removeprefix("repeat ").partition(" as ")[0]
    if how.over is not None:
        return Message("For each of {values}", values=rest.removeprefix("over "))
    if how.while_ is not None:
        return Message(
            "As long as {condition}, at most {n} times", condition=how.while_, n=how.most
        )
    return Message("Repeat {n} times", n=rest.removesuffix(" times"))
