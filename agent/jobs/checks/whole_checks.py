"""Checks of a recipe as a whole, once all its steps have been looked at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from agent.errors import Problem
from agent.jobs.checks.inspection import Inspection
from agent.jobs.recipes.device_roles import DeviceRole
from agent.jobs.recipes.device_steps import PrintStep, RecordStep
from agent.jobs.recipes.flow_steps import CallStep, ParallelStep, RepeatStep, UntilStep
from agent.jobs.recipes.person_steps import ConfirmStep, InputStep
from agent.jobs.recipes.recipe import Recipe
from agent.jobs.recipes.step import Step, walk
from agent.languages.message import Message
from agent.settings.document import KeyPath
from agent.settings.sentences import suggest
from drivers import catalogue
from drivers.errors import UnknownName

TO_BE_RECORDED: Final = frozenset({"lot", "serial_number"})
"""Parameters that need no step that uses them: that the job knows them is their use."""
NOT_ON_STOP: Final[tuple[type[Step], ...]] = (
    ConfirmStep, InputStep, PrintStep, UntilStep, ParallelStep, CallStep,
)  # fmt: skip
"""Steps that have no place in `on_stop`, which must be over soon."""


def check_whole(look: Inspection) -> None:
    """Say what is unused, what has no place where it stands, and what two steps claim."""
    recipe = look.file.recipe
    look.problems += _double_names(look, recipe)
    look.problems += _unused_parameters(look, recipe)
    for role, wanted in recipe.devices.items():
        look.problems += _role(look, role, wanted)
    for step in walk(recipe.on_stop or ()):
        if isinstance(step, NOT_ON_STOP):
            text = Message(
                "{verb} has no place in on_stop: a stop waits for nothing and begins nothing",
                verb=step.verb,
            )
            look.say(step, (step.verb,), text, at_key=True)
    _check_records(look, recipe)


def _double_names(look: Inspection, recipe: Recipe) -> Iterator[Problem]:
    for name in sorted(recipe.parameters.keys() & recipe.devices.keys()):
        text = Message("{name} is the name of a parameter as well: choose another", name=name)
        yield look.file.problem(("devices", name), text, at_key=True)


def _unused_parameters(look: Inspection, recipe: Recipe) -> Iterator[Problem]:
    for name, parameter in recipe.parameters.items():
        if name not in look.names and parameter.type not in TO_BE_RECORDED:
            text = Message("no step uses it: delete it, or use it")
            yield look.file.problem(("parameters", name), text, at_key=True)


def _role(look: Inspection, role: str, wanted: DeviceRole) -> Iterator[Problem]:
    """A role is used, by what it `needs` alone, and each of its drivers offers what is used."""
    path: KeyPath = ("devices", role)
    if role not in look.used:
        yield look.file.problem(path, Message("no step uses it: delete it, or use it"), at_key=True)
    used = sorted(look.used.get(role, set()))
    more = [name for name in used if name not in {need.name for need in wanted.needs}]
    if wanted.needs and role in look.devices and more:
        text = Message("steps use {more} of it as well: add it", more=", ".join(more))
        yield look.file.problem((*path, "needs"), text)
    if len(wanted.driver) > 1:
        for number, name in enumerate(wanted.driver):
            for why in _not_offered(name, used):
                yield look.file.problem((*path, "driver", number), why)


def _not_offered(driver: str, used: list[str]) -> Iterator[str]:
    try:
        its = catalogue.load(driver)
    except (UnknownName, ImportError):
        return  # said where the role was bound
    offered = [*its.readings, *its.commands]
    for name in used:
        if name not in offered:
            yield Message(
                "{driver} has no {name}, which steps use; {suggest}",
                driver=driver,
                name=name,
                suggest=suggest(name, offered),
            )


def _check_records(look: Inspection, recipe: Recipe) -> None:
    """A table has one set of columns, and a record that goes on to the end is begun once."""
    tables: dict[str, RecordStep] = {}
    for step in recipe.every_step():
        if isinstance(step, RecordStep):
            first = tables.setdefault(step.as_, step)
            if first.record != step.record:
                text = Message(
                    "{as_} is the table of the record at {place}: give one of them `as`",
                    as_=step.as_,
                    place=first.place,
                )
                look.say(step, ("record",), text, at_key=True)
        if isinstance(step, RepeatStep):
            for inner in walk(step.steps):
                if isinstance(inner, RecordStep) and inner.steps is None:
                    text = Message(
                        "goes on to the end, and would begin anew in each turn: give it steps"
                    )
                    look.say(inner, ("record",), text, at_key=True)
