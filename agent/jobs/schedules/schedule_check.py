"""Can what the schedules of a station start be started? Asked beforehand; nothing is started."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeAlias

from agent.errors import ConfigError, Problem, Refused
from agent.jobs.checks.check import check
from agent.jobs.recipes.claims import claimed
from agent.jobs.recipes.library import Entry, Library, head_of
from agent.jobs.recipes.person_steps import ConfirmStep, InputStep
from agent.jobs.recipes.recipe_file import RecipeFile
from agent.jobs.schedules.schedule_keeping import actor_of
from agent.roles import Actor
from agent.settings import Schedule, Station

Uncovered: TypeAlias = Callable[[Actor, str, Iterable[str]], str]
_ASKING: Final = (ConfirmStep, InputStep)


def schedule_problems(
    station: Station,
    library: Library,
    stored: frozenset[str] | None = None,
    uncovered: Uncovered = lambda *_: "",
) -> Iterator[Problem]:
    """Everything for which a schedule of the station could start no job, each with its key.

    `stored` has the names of the files that can be printed; None if that is not known. `uncovered`
    gives why nobody but a person may start this with these devices; "" where that is not known.
    """
    for schedule in station.schedules.values():
        try:
            entry = library.find(schedule.recipe)
        except ConfigError as error:
            said = "; ".join(map(str, error.problems))
            yield schedule.problem("recipe", f"{schedule.recipe} is wrong: {said}")
        except Refused as refused:
            yield schedule.problem("recipe", str(refused))
        else:
            yield from _misfits(schedule, entry, station, library, stored, uncovered)


def schedule_warnings(station: Station, library: Library) -> Iterator[Problem]:
    """What will work only while somebody is there: a scheduled recipe that asks people something."""
    for schedule in station.schedules.values():
        entry = library.recipes.get(schedule.recipe)
        if isinstance(entry, RecipeFile):
            asking = [it for it in entry.recipe.every_step() if isinstance(it, _ASKING)]
            if asking:
                text = (
                    f"{schedule.recipe} asks people ({asking[0].place}): it waits until one answers"
                )
                yield schedule.problem("recipe", text)


def _misfits(
    schedule: Schedule,
    entry: Entry,
    station: Station,
    library: Library,
    stored: frozenset[str] | None,
    uncovered: Uncovered,
) -> Iterator[Problem]:
    """Where the schedule and its recipe don't go together."""
    head = head_of(entry)
    try:
        values = head.arguments(schedule.arguments)
    except Refused as refused:
        yield schedule.problem("arguments", str(refused))
        return
    found = check(
        entry, station, library, devices=schedule.devices, arguments=values, stored=stored
    )
    for problem in found.problems:
        yield schedule.problem("", f"{schedule.recipe} can't be run like this: {problem}")
    if found.problems:
        return
    if missing := head.devices.keys() - found.devices.keys():
        names = ", ".join(sorted(missing))
        yield schedule.problem("devices", f"{schedule.recipe} needs a device for {names}: name it")
    if found.role > schedule.role:
        needed, has = found.role.name.lower(), schedule.role.name.lower()
        text = f"{found.demanding} needs the role {needed}, and its jobs have {has}"
        yield schedule.problem("role", text)
    devices = claimed(entry, found.devices, library)
    if not missing and (why := uncovered(actor_of(schedule), schedule.recipe, devices)):
        yield schedule.problem("recipe", why)
