"""Alarms: checked against the devices that they watch, and as plain frozen data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from agent.errors import Problem
from agent.languages.message import N_, Message
from agent.settings.alarm_models import AlarmSettings, Priority, Todo
from agent.settings.checks import Entry
from agent.settings.document import Document, KeyPath, shown_path
from agent.settings.interlocks import NUMBERS, Condition, absent, can_be
from agent.settings.section import Title
from agent.settings.sentences import suggest
from drivers import Reading, Unit

NEVER_ENDS: Final = N_(
    "nothing lies between {low:g} and {high:g} by a hysteresis of {margin:g}: it would never end"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class AlarmRule:
    """One alarm of config: `condition` is what holds while there is none. `delay` is in seconds."""

    name: str
    title: Title
    todo: Todo
    condition: Condition
    delay: float
    priority: Priority
    group: str


def check_alarms(
    document: Document,
    alarms: Mapping[str, AlarmSettings],
    entries: Iterable[Entry],
    said: Iterable[Problem],
) -> Iterator[Problem]:
    """Check the reading and the limits of every alarm against the devices of the station.

    What was said already of a key is not followed by what comes of that.
    """
    wrong = tuple(it.key for it in said)
    known = {it.name: it for it in entries}
    for name, alarm in alarms.items():
        base = ("alarms", name)
        for path, text in _complaints(alarm, known):
            place = shown_path((*base, *path))
            if not any(key.startswith(place) for key in wrong):
                yield document.problem((*base, *path), text, at_key=not path)


def rules_of(
    alarms: Mapping[str, AlarmSettings], entries: Iterable[Entry]
) -> Mapping[str, AlarmRule]:
    """The alarms as plain data; they have been checked."""
    known = {it.name: it for it in entries}
    return MappingProxyType({name: _rule(name, it, known) for name, it in alarms.items()})


def _rule(name: str, alarm: AlarmSettings, known: Mapping[str, Entry]) -> AlarmRule:
    device, _, reading = alarm.reading.partition(".")
    driver = known[device].driver
    unit: Unit = driver.readings[reading].form.unit if driver is not None else ""
    return AlarmRule(
        name=name,
        title=alarm.title,
        todo=alarm.todo,
        condition=Condition(
            device=device,
            reading=reading,
            unit=unit,
            above=alarm.low,
            below=alarm.high,
            hysteresis=alarm.hysteresis,
            differs=alarm.equals,
        ),
        delay=alarm.delay,
        priority=alarm.priority,
        group=alarm.group or device,
    )


def _complaints(alarm: AlarmSettings, known: Mapping[str, Entry]) -> Iterator[tuple[KeyPath, str]]:
    device, _, wanted = alarm.reading.partition(".")
    if text := absent(device, known):
        yield ("reading",), text
        return
    driver = known[device].driver
    if driver is None:
        return  # which is said elsewhere
    reading = driver.readings.get(wanted)
    if reading is None:
        yield (
            ("reading",),
            Message(
                "{device} has no such reading; {suggest}",
                device=device,
                suggest=suggest(wanted, driver.readings),
            ),
        )
        return
    if not known[device].settings.poll.get(wanted, reading.every):
        text = Message(
            "it is read only when asked, and an alarm must follow it: poll it ({device}.poll)",
            device=device,
        )
        yield ("reading",), text
    yield from _limits(alarm, reading)


def _limits(alarm: AlarmSettings, reading: Reading[Any]) -> Iterator[tuple[KeyPath, str]]:
    form, equals = reading.form, alarm.equals
    bounds = [key for key in ("high", "low") if getattr(alarm, key) is not None]
    if not bounds and equals is None:
        yield (), Message("watches for nothing: give high, low or equals")
    elif bounds and equals is not None:
        yield ("equals",), Message("{bound} is given as well: keep one of them", bound=bounds[0])
    elif bounds and form.kind not in NUMBERS:
        yield (
            (bounds[0],),
            Message("{name} is {article}: use equals", name=reading.name, article=form.article),
        )
    elif equals is not None and form.kind in NUMBERS:
        yield (
            ("equals",),
            Message(
                "{name} is {article}: use high and low", name=reading.name, article=form.article
            ),
        )
    elif equals is not None and not can_be(reading, equals):
        yield (
            ("equals",),
            Message(
                "{equals!r} is not allowed: {name} is {article}",
                equals=equals,
                name=reading.name,
                article=form.article,
            ),
        )
    if alarm.hysteresis and not bounds:
        yield ("hysteresis",), Message("belongs to high and low: delete it")
    low, high, margin = alarm.low, alarm.high, alarm.hysteresis
    if low is not None and high is not None and low + margin >= high - margin:
        yield ("low",), Message(NEVER_ENDS, low=low, high=high, margin=margin)
