"""Interlocks: checked against the devices that they speak of, and as plain frozen data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from agent.errors import Problem
from agent.languages.message import N_, Message
from agent.settings.checks import Entry
from agent.settings.document import Document, KeyPath, shown_path
from agent.settings.interlock_models import ConditionSettings, InterlockSettings
from agent.settings.section import Title
from agent.settings.sentences import suggest
from drivers import Driver, Reading, Unit

NUMBERS: Final = {"number", "integer"}
AT_KEY: Final = {0, 2}
"""Lengths of paths in an interlock of what is said of a key: its own, and that of a reading."""
Drivers = Mapping[str, tuple[Entry, type[Driver[Any]]]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Condition:
    """What one reading must be. `unit` is its UCUM code."""

    device: str
    reading: str
    unit: Unit = ""
    above: float | None = None
    below: float | None = None
    hysteresis: float = 0.0
    equals: bool | str | None = None
    differs: bool | str | None = None
    """What it must not be; alarms alone ask for it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Interlock:
    """Conditions that must all hold; `guards` and `trip` say for what. Times are in seconds."""

    name: str
    title: Title
    requires: tuple[Condition, ...]
    guards: frozenset[str]
    """Settings and commands, as device.name."""
    trip: tuple[str, ...]
    delay: float
    max_age: float
    simulated: bool = False
    """Whether all that it guards and trips is simulated: then simulated values count."""


def check_interlocks(
    document: Document,
    interlocks: Mapping[str, InterlockSettings],
    entries: Iterable[Entry],
    said: Iterable[Problem],
) -> Iterator[Problem]:
    """Check every name and value of the interlocks against the devices of the station.

    What was said already of a condition is not followed by what comes of that.
    """
    wrong = tuple(it.key for it in said)
    known = {it.name: it for it in entries}
    drivers = {name: (it, it.driver) for name, it in known.items() if it.driver is not None}
    for name, interlock in interlocks.items():
        base = ("interlocks", name)
        for path, text in _complaints(interlock, known, drivers):
            place = shown_path((*base, *path))
            if not any(key.startswith(place) for key in wrong):
                yield document.problem((*base, *path), text, at_key=len(path) in AT_KEY)


def _complaints(
    interlock: InterlockSettings, known: Mapping[str, Entry], drivers: Drivers
) -> Iterator[tuple[KeyPath, str]]:
    """Everything that is wrong with an interlock, each with its path in it."""
    if not (interlock.guards or interlock.trip):
        yield (), Message("does nothing: give guards, trip or both")
    for reading, condition in interlock.requires.items():
        for key, text in _condition(reading, condition, interlock, known, drivers):
            yield ("requires", reading, *key), text
    for text in _guards(interlock, known, drivers):
        yield ("guards",), text
    for device in interlock.trip:
        if text := absent(device, known):
            yield ("trip",), text


def interlocks_of(
    interlocks: Mapping[str, InterlockSettings], entries: Iterable[Entry]
) -> Mapping[str, Interlock]:
    """The interlocks as plain data; they have been checked."""
    known = {it.name: it for it in entries}
    drivers = {name: it.driver for name, it in known.items()}
    return MappingProxyType(
        {
            name: Interlock(
                name=name,
                title=it.title,
                requires=tuple(
                    _data(reading, condition, drivers) for reading, condition in it.requires.items()
                ),
                guards=frozenset(it.guards),
                trip=it.trip,
                delay=it.delay,
                max_age=it.max_age,
                simulated=all(known[name].settings.simulated for name in protected(it)),
            )
            for name, it in interlocks.items()
        }
    )


def protected(interlock: InterlockSettings) -> set[str]:
    """The devices that it guards or trips."""
    return {*interlock.trip, *(target.partition(".")[0] for target in interlock.guards)}


def _data(
    name: str, settings: ConditionSettings, drivers: Mapping[str, type[Driver[Any]] | None]
) -> Condition:
    device, _, reading = name.partition(".")
    driver = drivers[device]
    unit: Unit = driver.readings[reading].form.unit if driver is not None else ""
    return Condition(device=device, reading=reading, unit=unit, **settings.model_dump())


def absent(device: str, known: Mapping[str, Entry]) -> str:
    """Why an interlock or alarm can't speak of this device; "" when it can."""
    if device not in known:
        return Message(
            "no device is called {device}; {suggest}", device=device, suggest=suggest(device, known)
        )
    if not known[device].settings.enabled:
        return Message(
            "{device} is not enabled: nobody reads it or could make it safe", device=device
        )
    return ""


def _condition(
    name: str,
    condition: ConditionSettings,
    interlock: InterlockSettings,
    known: Mapping[str, Entry],
    drivers: Drivers,
) -> Iterator[tuple[KeyPath, str]]:
    device, _, wanted = name.partition(".")
    if text := absent(device, known):
        yield (), text
        return
    if device not in drivers:
        return  # its driver is wrong, which is said elsewhere
    entry, driver = drivers[device]
    reading = driver.readings.get(wanted)
    if reading is None:
        yield (
            (),
            Message(
                "{device} has no such reading; {suggest}",
                device=device,
                suggest=suggest(wanted, driver.readings),
            ),
        )
        return
    yield from _kept_fresh(entry, reading, interlock)
    yield from _value(reading, condition)


def _kept_fresh(
    entry: Entry, reading: Reading[Any], interlock: InterlockSettings
) -> Iterator[tuple[KeyPath, str]]:
    every = entry.settings.poll.get(reading.name, reading.every)
    if not every:
        text = Message(
            "it is read only when asked: poll it, at least every {max_age:g} s "
            "({device}.poll.{reading})",
            max_age=interlock.max_age,
            device=entry.name,
            reading=reading.name,
        )
        yield (), text
    elif every >= interlock.max_age:
        text = Message(
            "it is read every {every:g} s, and its value is believed for {max_age:g} s (max_age): "
            "read it more often, or believe it longer",
            every=every,
            max_age=interlock.max_age,
        )
        yield (), text


def _value(reading: Reading[Any], condition: ConditionSettings) -> Iterator[tuple[KeyPath, str]]:
    form, equals = reading.form, condition.equals
    bounds = [key for key in ("above", "below") if getattr(condition, key) is not None]
    if not bounds and equals is None:
        yield (), Message("requires nothing of it: give above, below or equals")
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
                "{name} is {article}: use above and below", name=reading.name, article=form.article
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
    yield from _band(condition)


def can_be(reading: Reading[Any], value: bool | str) -> bool:
    """Whether a switch or a choice has this value."""
    form = reading.form
    if form.kind == "choice":
        return value in form.choices
    return isinstance(value, bool) == (form.kind == "boolean")


def _band(condition: ConditionSettings) -> Iterator[tuple[KeyPath, str]]:
    above, below, margin = condition.above, condition.below, condition.hysteresis
    if above is not None and below is not None and above + margin >= below - margin:
        text = N_("nothing is above {above:g} and below {below:g} by a hysteresis of {margin:g}")
        yield ("above",), Message(text, above=above, below=below, margin=margin)
    if margin and above is None and below is None:
        yield ("hysteresis",), Message("belongs to above and below: delete it")


def _guards(
    interlock: InterlockSettings, known: Mapping[str, Entry], drivers: Drivers
) -> Iterator[str]:
    for target in interlock.guards:
        device, _, name = target.partition(".")
        if text := absent(device, known):
            yield Message("{name}: {text}", name=target, text=text)
        elif device in drivers:
            driver = drivers[device][1]
            offered = [*driver.settings(), *driver.commands]
            if name not in offered:
                text = Message(
                    "{device} has no such setting or command; {suggest}",
                    device=device,
                    suggest=suggest(name, offered),
                )
                yield Message("{name}: {text}", name=target, text=text)
