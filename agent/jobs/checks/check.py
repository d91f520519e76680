"""Is this recipe right, here? Everything that can be known before anything moves is checked before.

A recipe is held against a station: devices of the right kind play its roles, each setting, reading
and command exists and takes its value in the ranges that the config allows, each expression has
names, types and units that fit, each step can be reached, and no two branches that run side by side
tell one device what to do. Everything that is wrong is said at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from agent.errors import ConfigError, Problem
from agent.jobs.checks.bindings import Bindings, bind
from agent.jobs.checks.flow_checks import check_steps
from agent.jobs.checks.inspection import Inspection
from agent.jobs.checks.scope import Scope, begin
from agent.jobs.checks.whole_checks import check_whole
from agent.jobs.language.expressions import Expression, Value
from agent.jobs.recipes.flow_steps import CallStep
from agent.jobs.recipes.library import Entry, Library, head_of
from agent.jobs.recipes.python_recipe import PythonRecipe
from agent.jobs.recipes.recipe import Recipe
from agent.languages.message import Message
from agent.settings.document import KeyPath, shown_path
from agent.settings.station import Station
from drivers import Role

NONE: Final[Mapping[str, str]] = MappingProxyType({})
NO_ARGUMENTS: Final[Mapping[str, Value]] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True, slots=True)
class Checked:
    """What was found out about a recipe on a station."""

    problems: tuple[Problem, ...]
    """Everything that is wrong, in the order of the lines; empty if it may run."""
    devices: Mapping[str, str]
    """The device that plays each role, as far as roles are bound."""
    reserved: frozenset[str]
    """Every device that a job of it needs for itself, also those of the recipes that it calls."""
    role: Role
    """The least that whoever starts it must be: what its steps need."""
    demanding: str = ""
    """The step that needs that role, such as `set supply.current_limit (config/recipes/x.yaml:9)`."""

    def must_be_right(self) -> None:
        """Raise ConfigError with every problem, if there are some."""
        if self.problems:
            raise ConfigError(self.problems)


def check(
    entry: Entry,
    station: Station | None,
    library: Library | None = None,
    *,
    devices: Mapping[str, str] = NONE,
    arguments: Mapping[str, Value] = NO_ARGUMENTS,
    stored: frozenset[str] | None = None,
) -> Checked:
    """Check a recipe for a station, or for any if there is none.

    Args:
        entry: The recipe.
        station: The station's settings; without them roles are not bound to devices.
        library: The recipes that it may call; None: calls are not followed.
        devices: Devices by role, where they are not those that the recipe names.
        arguments: Its parameters as `Head.arguments` gives them, when a job is to be started.
            Without them ranges are checked with the ends and defaults of the parameters.
        stored: Names of the files that can be printed; None if that is not known.
    """
    return _check(entry, station, library, devices, arguments, stored, frozenset())


def _check(
    entry: Entry,
    station: Station | None,
    library: Library | None,
    devices: Mapping[str, str],
    arguments: Mapping[str, Value],
    stored: frozenset[str] | None,
    above: frozenset[str],
) -> Checked:
    """As `check`; `above` are the recipes on the way of calls to this one."""
    if isinstance(entry, PythonRecipe):
        return _check_python(entry, station, devices)
    found: list[Problem] = []
    bindings = bind(
        entry.recipe, station, devices, lambda path, text: found.append(entry.problem(path, text))
    )
    look = Inspection(
        entry, bindings.offers, bindings.devices, arguments, library, stored, problems=found
    )
    _check_lists(look, entry.recipe)
    check_whole(look)
    reserved = {*bindings.devices.values()}
    for called in _called(look, station, above | {entry.recipe.name}):
        found += called.problems
        reserved |= called.reserved
        if called.role > look.role:
            look.role, look.demanding = called.role, called.demanding
    return Checked(
        problems=tuple(sorted(set(found))),
        devices=MappingProxyType(dict(bindings.devices)),
        reserved=frozenset(reserved),
        role=look.role,
        demanding=look.demanding,
    )


def _check_python(
    entry: PythonRecipe, station: Station | None, devices: Mapping[str, str]
) -> Checked:
    found: list[Problem] = []

    def say(path: KeyPath, text: str) -> None:
        found.append(Problem(entry.file, 0, 0, f"{entry.head.name}.{shown_path(path)}", text))

    bindings: Bindings = bind(entry.head, station, devices, say)
    return Checked(
        problems=tuple(found),
        devices=bindings.devices,
        reserved=frozenset(bindings.devices.values()),
        role=entry.role,
    )


def _check_lists(look: Inspection, recipe: Recipe) -> None:
    parameters = {name: it.kind for name, it in recipe.parameters.items()}
    start = begin(parameters, {role: offer.readings for role, offer in look.offers.items()})
    scope = start.copy()
    check_steps(look, recipe.steps, scope)
    for key, steps in recipe.lists():
        if key != "steps":
            check_steps(look, steps, _afterwards(start, scope, key))


def _afterwards(start: Scope, end: Scope, key: str) -> Scope:
    """What is known in `finally` and `on_stop`: results of steps may be missing."""
    scope = start.copy()
    results = [*(end.known.keys() - start.known.keys()), *end.absent]
    scope.lose(results, Message("{key} runs as well when its step was never reached", key=key))
    return scope


def _called(look: Inspection, station: Station | None, above: frozenset[str]) -> Iterator[Checked]:
    """Check the recipes that this one calls, with the devices and values that they get from it."""
    if look.library is None or station is None:
        return
    for step in look.file.recipe.every_step():
        entry = look.library.recipes.get(step.call) if isinstance(step, CallStep) else None
        if not isinstance(step, CallStep) or entry is None or step.call in above:
            continue  # a circle is said with the step that closes it
        head = head_of(entry)
        ours = {role: step.devices.get(role, role) for role in head.devices}
        given = {role: look.devices[our] for role, our in ours.items() if our in look.devices}
        written = {name: it for name, it in step.with_.items() if not isinstance(it, Expression)}
        defaults = {
            name: it.default
            for name, it in head.parameters.items()
            if it.default is not None and name not in step.with_
        }
        known = {**defaults, **written}
        yield _check(entry, station, look.library, given, known, look.stored, above)
