"""Checks of a call: the other recipe is there, takes what it is given, and does not call us again."""

from __future__ import annotations

from collections.abc import Iterator

from agent.errors import ConfigError, Refused
from agent.jobs.checks.inspection import Inspection
from agent.jobs.checks.scope import Scope
from agent.jobs.language.expressions import Expression
from agent.jobs.recipes.flow_steps import CallStep
from agent.jobs.recipes.library import Library, head_of
from agent.jobs.recipes.recipe import Head
from agent.jobs.recipes.recipe_file import RecipeFile
from agent.languages.message import Message
from agent.settings.sentences import suggest


def check_call(look: Inspection, step: CallStep, scope: Scope) -> None:
    """The recipe exists, its parameters fit, and each of its roles has a device."""
    kinds = {
        name: look.given(step, ("with", name), given, scope) for name, given in step.with_.items()
    }
    head = _called(look, step)
    if head is None:
        for role in look.file.recipe.devices:
            look.used.setdefault(role, set())  # what it would use is not known
        return
    for name, kind in kinds.items():
        if name not in head.parameters:
            text = Message(
                "{call} has no parameter {name!r}; {suggest}",
                call=step.call,
                name=name,
                suggest=suggest(name, head.parameters),
            )
            look.say(step, ("with", name), text, at_key=True)
        elif look.fits(step, ("with", name), kind, head.parameters[name].kind):
            _in_range(look, step, name, head, scope)
    missing = [
        name for name, it in head.parameters.items() if it.required and name not in step.with_
    ]
    if missing:
        look.say(
            step,
            ("call",),
            Message(
                "{call} needs {missing}: give it under `with`",
                call=step.call,
                missing=", ".join(missing),
            ),
        )
    _roles(look, step, head)


def _called(look: Inspection, step: CallStep) -> Head | None:
    """The recipe that is called; None if it is not known, and said if it should be."""
    if look.library is None:
        return None
    own = look.file.recipe.name
    try:
        entry = look.library.find(step.call)
    except ConfigError as error:
        look.say(
            step,
            ("call",),
            Message(
                "{call} is wrong itself: {problem}", call=step.call, problem=str(error.problems[0])
            ),
        )
        return None
    except Refused as refused:
        look.say(step, ("call",), str(refused))
        return None
    if (way := circle(look.library, own, step.call)) is not None:
        look.say(step, ("call",), Message("calls itself: {it}", it=" calls ".join([own, *way])))
    return head_of(entry)


def circle(library: Library, own: str, called: str) -> list[str] | None:
    """The way of calls that leads from `called` back to `own`; None if there is none."""
    ways = [[called]]
    seen: set[str] = set()
    while ways:
        way = ways.pop()
        if way[-1] == own:
            return way
        if way[-1] not in seen:
            seen.add(way[-1])
            ways += [[*way, further] for further in _called_by(library, way[-1])]
    return None


def _called_by(library: Library, name: str) -> Iterator[str]:
    entry = library.recipes.get(name)
    if isinstance(entry, RecipeFile):
        for step in entry.recipe.every_step():
            if isinstance(step, CallStep):
                yield step.call


def _in_range(look: Inspection, step: CallStep, name: str, head: Head, scope: Scope) -> None:
    given = step.with_[name]
    for value in look.plain(given, scope):
        try:
            head.parameters[name].check(name, value)
        except Refused as refused:
            by = (
                Message("{given} may be {value}: ", given=given, value=value)
                if isinstance(given, Expression)
                else ""
            )
            look.say(step, ("with", name), Message("{by}{why}", by=by, why=str(refused)))
            return


def _roles(look: Inspection, step: CallStep, head: Head) -> None:
    ours = look.file.recipe.devices
    for theirs, our in step.devices.items():
        if theirs not in head.devices:
            text = Message(
                "{call} has no role {theirs!r}; {suggest}",
                call=step.call,
                theirs=theirs,
                suggest=suggest(theirs, head.devices),
            )
            look.say(step, ("devices", theirs), text, at_key=True)
        if our not in ours:
            text = Message(
                "there is no role {our!r} in `devices`; {suggest}",
                our=our,
                suggest=suggest(our, ours),
            )
            look.say(step, ("devices", theirs), text)
    for theirs, wanted in head.devices.items():
        our = step.devices.get(theirs, theirs)
        if our in ours:
            look.used.setdefault(our, set()).update(need.name for need in wanted.needs)
        elif wanted.device is None:
            text = Message(
                "{call} needs a device for its role {theirs}: name ours under `devices`",
                call=step.call,
                theirs=theirs,
            )
            look.say(step, ("call",), text)
