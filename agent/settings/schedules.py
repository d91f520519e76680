"""Schedules: checked as far as that can be done without recipes, and as plain frozen data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from agent.errors import Problem
from agent.languages.message import Message
from agent.settings.checks import Entry
from agent.settings.document import Document, shown_path
from agent.settings.schedule_models import Missed, Overlap, ScheduleSettings
from agent.settings.section import Title
from agent.settings.sentences import suggest
from agent.settings.timetable import Timetable, zone_of
from drivers import Role

TOLD: Final = ("recipe", "arguments", "devices", "role")
"""Keys that are held against the recipe later on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Schedule:
    """A recipe that is started at certain times. Times are in seconds."""

    name: str
    title: Title
    recipe: str
    arguments: Mapping[str, bool | float | str]
    devices: Mapping[str, str]
    timetable: Timetable
    missed: Missed
    late: float | None
    overlap: Overlap
    role: Role
    enabled: bool
    spots: Mapping[str, Problem] = field(default_factory=dict, repr=False, compare=False)
    """Where it and its keys stand, as problems without words; "" is the schedule itself."""

    def problem(self, key: str, text: str) -> Problem:
        """A problem with one of its keys, or with itself where that is not written."""
        spot = self.spots[key]
        return Problem(spot.file, spot.line, spot.column, spot.key, text)


def check_schedules(
    document: Document,
    schedules: Mapping[str, ScheduleSettings],
    entries: Iterable[Entry],
    said: Iterable[Problem],
) -> Iterator[Problem]:
    """Check times and devices of the schedules. What was said already of a key is not followed."""
    wrong = {it.key for it in said}
    known = {it.name: it for it in entries}
    for name, schedule in schedules.items():
        for path, text in _complaints(schedule, known):
            if shown_path(whole := ("schedules", name, *path)) not in wrong:
                yield document.problem(whole, text)


def schedules_of(
    document: Document, schedules: Mapping[str, ScheduleSettings]
) -> Mapping[str, Schedule]:
    """The schedules as plain data; they have been checked."""
    return MappingProxyType(
        {
            name: Schedule(
                name=name,
                title=it.title,
                recipe=it.recipe,
                arguments=MappingProxyType(it.arguments),
                devices=MappingProxyType(it.devices),
                timetable=Timetable(it.cron, it.zone),
                missed=it.missed,
                late=it.late,
                overlap=it.overlap,
                role=it.role,
                enabled=it.enabled,
                spots=MappingProxyType(_spots(document, name)),
            )
            for name, it in schedules.items()
        }
    )


def _complaints(
    schedule: ScheduleSettings, known: Mapping[str, Entry]
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Everything that is wrong with a schedule, each with its path in it."""
    yield from _times(schedule)
    if schedule.late is not None and schedule.missed != "once":
        yield ("late",), Message("belongs to `missed: once`: delete it, or write that")
    for role, device in schedule.devices.items():
        if device not in known:
            text = Message(
                "no device is called {device}; {suggest}",
                device=device,
                suggest=suggest(device, known),
            )
            yield ("devices", role), text
        elif not known[device].settings.enabled:
            yield (
                ("devices", role),
                Message("{device} is not enabled: no job can use it", device=device),
            )


def _times(schedule: ScheduleSettings) -> Iterator[tuple[tuple[str, ...], str]]:
    zone = schedule.zone
    try:
        zone_of(zone)
    except ValueError as error:
        yield ("zone",), str(error)
        zone = "UTC"
    try:
        Timetable(schedule.cron, zone)
    except ValueError as error:
        yield ("cron",), str(error)


def _spots(document: Document, name: str) -> dict[str, Problem]:
    base = ("schedules", name)
    spots = {"": document.problem(base, "", at_key=True)}
    for key in TOLD:
        path = (*base, key)
        is_written = path in document.values
        spots[key] = document.problem(path, "") if is_written else spots[""]
    return spots
