"""Which devices steps set or command: what they may not share with steps that run at the same time."""

from __future__ import annotations

from collections.abc import Iterable

from agent.jobs.recipes.device_steps import DoStep, PrintStep, RampStep, SetStep
from agent.jobs.recipes.flow_steps import CallStep
from agent.jobs.recipes.library import Library, head_of
from agent.jobs.recipes.recipe_file import RecipeFile
from agent.jobs.recipes.step import Step, walk


def actuated(
    steps: Iterable[Step], library: Library | None, above: frozenset[str] = frozenset()
) -> set[str]:
    """The roles that these steps, and the recipes that they call, set or command.

    Of a recipe in Python nobody knows what it does: each of its devices counts. `above` are the
    recipes that are being looked at already.
    """
    roles: set[str] = set()
    for step in walk(tuple(steps)):
        match step:
            case SetStep():
                roles |= {target.role for target in step.set}
            case DoStep():
                roles.add(step.do.role)
            case RampStep():
                roles.add(step.ramp.role)
            case PrintStep():
                roles.add(step.on)
            case CallStep() if library is not None and step.call not in above:
                roles |= _by_call(step, library, above | {step.call})
    return roles


def _by_call(step: CallStep, library: Library, above: frozenset[str]) -> set[str]:
    entry = library.recipes.get(step.call)
    if entry is None:
        return set()
    if isinstance(entry, RecipeFile):
        theirs = actuated(entry.recipe.every_step(), library, above)
    else:
        theirs = set(head_of(entry).devices)
    return {step.devices.get(role, role) for role in theirs}
