"""The config, as `labkeeper check` reads it, and whether it is the one in force."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.doctor.finding import Finding, doubtful, right, wrong
from agent.doctor.patient import Patient
from agent.errors import ConfigError
from agent.languages.message import N_, Message

if TYPE_CHECKING:
    from agent.settings import Station


def config(patient: Patient) -> Iterator[Finding]:
    """Every problem and every warning; whether the running agent has the same."""
    station = patient.described
    if station is None:
        yield from _unread(patient)
        return
    try:
        warnings = warnings_of(station, ports=False)
    except ConfigError as error:
        yield from _problems(error)
        return
    text = N_("{file} is in order: station {station}, devices: {count}")
    found = {"file": station.file, "station": station.name, "count": len(station.devices)}
    yield right(Message(text, **found))
    for warning in warnings:
        yield doubtful(
            warning, Message("put it right in the config or on this machine, if it is not meant so")
        )
    if patient.runs:
        yield from _in_force(station, patient.ask("about"))


def warnings_of(station: Station, *, ports: bool = True) -> list[str]:
    """What will not go as a config says; with `ports`, ports that are not there too. Raises ConfigError."""
    from agent.settings import missing

    found = [*map(str, station.warnings), *missing(station, ports=ports)]
    if station.schedules:
        # The recipes are read where something is to be started from them.
        from agent.jobs.recipes.library import read_library
        from agent.jobs.schedules.schedule_check import schedule_problems, schedule_warnings

        library = read_library(station.recipes)
        if problems := tuple(schedule_problems(station, library)):
            raise ConfigError(problems)
        found += [str(warning) for warning in schedule_warnings(station, library)]
    return found


def _unread(patient: Patient) -> Iterator[Finding]:
    error = patient.complaint
    if isinstance(error, ConfigError):
        yield from _problems(error)
    else:
        text = Message("{file} can't be read: {why}", file=patient.config, why=str(error))
        yield wrong(text, Message("say with --config which file describes this station"))


def _problems(error: ConfigError) -> Iterator[Finding]:
    for problem in error.problems:
        if problem.line:
            todo = Message("correct it, then `labkeeper check --config {file}`", file=problem.file)
        else:  # the file as a whole
            todo = Message("say with --config which file describes this station")
        yield wrong(str(problem), todo)


def _in_force(station: Station, about: dict[str, Any]) -> Iterator[Finding]:
    # It hashes files as the agent does, with all that is imported for it.
    from agent.provenance import config_hash

    told = about["config"] or {}
    if about["station"] != station.name or Path(told.get("file", station.file)) != station.file:
        text = N_("the agent that answers is that of {other}, which reads {file}")
        said = Message(text, other=about["station"], file=told.get("file", Message("none")))
        yield wrong(said, Message("say --config or --socket, so that both are of one station"))
    elif told.get("sha256") not in {None, config_hash(station)}:
        text = N_("{file} was changed after the agent had read it")
        todo = Message("`systemctl reload labkeeper` takes it over")
        yield doubtful(Message(text, file=station.file), todo)
    else:
        yield right(Message("the agent that runs has taken this config over"))
