"""The option `--dry-run`: what it takes is checked here as the agent checks it, then it is rehearsed."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from agent.cli import NEVER_MIND, loop, output
from agent.cli.dry.answers import made_up
from agent.cli.dry.rehearsal import Plan, rehearse
from agent.cli.dry.report import begun, ended
from agent.cli.dry.twins import twins_of
from agent.cli.failures import say
from agent.cli.job_view import is_good
from agent.cli.words import language
from agent.errors import DeviceTrouble, Refused
from agent.jobs.checks.check import Checked, check
from agent.jobs.recipes.library import Entry, Library, head_of, read_library
from agent.jobs.recipes.recipe import Head
from agent.languages.message import N_, Message
from agent.public import parameter_form
from agent.settings import Station, load

if TYPE_CHECKING:
    from agent.jobs.language.expressions import Value

FASTEST: Final = 60.0


def dry_run(
    recipe: str,
    arguments: Iterable[str],
    devices: Iterable[str],
    config: Path,
    speed: float,
    *,
    fill: bool,
    as_json: bool,
) -> int:
    """Rehearse a recipe: 0 when it is done and nothing measured has failed, 3 else.

    With `fill` what is missing of the parameters is made up.

    Raises:
        ConfigError: The recipe or the config is wrong.
        Refused: A parameter is, or there is no simulator of some device.
    """
    if not 1 <= speed <= FASTEST:
        text = N_("--speed: {speed:g} is not 1 to {fastest:g}")
        raise Refused(Message(text, speed=speed, fastest=FASTEST))
    station = load(config)
    library = read_library(station.recipes)
    entry = library.find(recipe)
    values = _values(head_of(entry), arguments, fill=fill)
    checked = _checked(entry, station, library, devices, values)
    twins = twins_of({name: station.devices[name].driver for name in checked.reserved})
    spoken = language(os.environ)
    if not as_json:
        _tell_begin(entry, station, checked, speed, spoken)
    plan = Plan(
        config=config.absolute(),
        recipe=recipe,
        arguments=values,
        devices=checked.devices,
        twins=twins,
        files=[it for it in _files(station) if it.name in _named(entry, values)],
        speed=speed,
        language=spoken,
        told=(lambda _: None) if as_json else output.line,
    )
    try:
        job = loop.run(rehearse(plan))
    except (KeyboardInterrupt, asyncio.CancelledError):
        say(Message("the dry run has ended; nothing of it goes on"))
        return NEVER_MIND
    _tell(job, speed, as_json=as_json)
    return 0 if is_good(job) else DeviceTrouble.exit_code


def _values(head: Head, given: Iterable[str], *, fill: bool) -> dict[str, Value]:
    """All parameters, as the recipe takes them. Raises Refused."""
    from agent.cli.jobs import typed

    forms = {name: parameter_form(it) for name, it in head.parameters.items()}
    found = typed(head.name, forms, given)
    missing = {n: it for n, it in forms.items() if head.parameters[n].required and n not in found}
    if fill:
        found |= {name: made_up(name, form) for name, form in missing.items()}
    return head.arguments(found)


def _checked(
    entry: Entry,
    station: Station,
    library: Library,
    devices: Iterable[str],
    values: Mapping[str, Value],
) -> Checked:
    """The recipe, checked as the agent does it. Raises ConfigError and Refused."""
    from agent.cli.jobs import pairs

    stored = frozenset(it.name for it in _files(station))
    chosen = dict(pairs(devices, "role=device"))
    checked = check(entry, station, library, devices=chosen, arguments=values, stored=stored)
    checked.must_be_right()
    head = head_of(entry)
    if missing := head.devices.keys() - checked.devices.keys():
        raise Refused(
            Message(
                "{name} needs a device for {missing}: name it",
                name=head.name,
                missing=", ".join(sorted(missing)),
            )
        )
    return checked


def _tell_begin(
    entry: Entry, station: Station, checked: Checked, speed: float, spoken: str
) -> None:
    from agent.cli.recipe_forms import form_of, steps_of

    form = {**form_of(entry, checked), "steps": steps_of(entry, spoken)}
    form["devices"] = dict(checked.devices)
    for line in begun(form, speed, _left_out(station, checked)):
        output.line(line)


def _tell(job: dict[str, Any], speed: float, *, as_json: bool) -> None:
    if as_json:
        output.document({**job, "dry_run": True})
        return
    for line in ended(job, speed):
        output.line(line)


def _files(station: Station) -> list[Path]:
    """The files of the station's store, as far as this user may look into it."""
    try:
        return [it for it in sorted(station.files.iterdir()) if it.is_file()]
    except OSError:
        return []


def _named(entry: Entry, values: Mapping[str, Value]) -> set[object]:
    """Every text that may be the name of a file: what is given, and what stands in a step."""
    from agent.jobs.recipes.device_steps import PrintStep

    steps = entry.recipe.every_step()
    return {*values.values(), *(it.print for it in steps if isinstance(it, PrintStep))}


def _left_out(station: Station, checked: Checked) -> list[str]:
    """Interlocks that can't be rehearsed: they look at devices that the recipe has nothing to do with."""
    from agent.cli.dry.station import rehearsable

    twins = dict.fromkeys(checked.reserved)
    return sorted(station.interlocks.keys() - rehearsable(station, twins).keys())
