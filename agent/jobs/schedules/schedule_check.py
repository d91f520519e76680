"""Can what the schedules of a station start be started? Asked beforehand; nothing is started."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeAlias

from agent.errors import ConfigError, Problem, Refused
from agent.jobs.checks.check import Checked, check
from agent.jobs.recipes.claims import claimed
from agent.jobs.recipes.library import Entry, Library, head_of
from agent.jobs.recipes.person_steps import ConfirmStep, InputStep
from agent.jobs.recipes.recipe_file import RecipeFile
from agent.jobs.schedules.schedule_keeping import actor_of
from agent.languages.message import N_, Message, joined
from agent.languages.words import term
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
            said = joined(map(str, error.problems))
            yield schedule.problem(
                "recipe", Message("{recipe} is wrong: {said}", recipe=schedule.recipe, said=said)
            )
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
                text = Message(
                    "{recipe} asks people ({place}): it waits until one answers",
                    recipe=schedule.recipe,
                    place=asking[0].place,
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
        text = N_("{recipe} can't be run like this: {problem}")
        yield schedule.problem("", Message(text, recipe=schedule.recipe, problem=str(problem)))
    if found.problems:
        return
    if missing := head.devices.keys() - found.devices.keys():
        names = ", ".join(sorted(missing))
        text = N_("{recipe} needs a device for {names}: name it")
        yield schedule.problem("devices", Message(text, recipe=schedule.recipe, names=names))
    if found.role > schedule.role:
        yield schedule.problem("role", _too_low(found, schedule))
    devices = claimed(entry, found.devices, library)
    if not missing and (why := uncovered(actor_of(schedule), schedule.recipe, devices)):
        yield schedule.problem("recipe", why)


def _too_low(found: Checked, schedule: Schedule) -> str:
    return Message(
        "{demanding} needs the role {needed}, and its jobs have {has}",
        demanding=found.demanding,
        needed=term(found.role.name.lower()),
        has=term(schedule.role.name.lower()),
    )
