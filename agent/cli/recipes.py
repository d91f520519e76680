"""Recipes, straight from the station's folder: check, list, show. No agent is asked."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.cli import output
from agent.cli.words import language, said
from agent.errors import ConfigError, Problem, Refused
from agent.languages.message import Message

if TYPE_CHECKING:
    from agent.jobs.recipes.library import Entry, Library
    from agent.settings import Station


def check(
    files: list[Path], config: Path | None, *, dry_run: bool, speed: float, as_json: bool
) -> int:
    """Say everything that is wrong with recipes. Raises ConfigError, with all of it.

    With `dry_run` one of them is rehearsed on simulators; 3 unless it ends well.
    """
    if dry_run:
        return _rehearse(files, config, speed, as_json=as_json)
    from agent.jobs.checks.check import check as check_one
    from agent.jobs.recipes.recipe_file import load_recipe

    if not files and config is None:
        raise Refused(Message("recipe check needs recipes: name files, or a station with --config"))
    station, library = _station(config)
    found: list[Problem] = []
    entries: list[Entry] = []
    for file in files:
        try:
            entries.append(load_recipe(file))
        except ConfigError as error:
            found += error.problems
    if not files and library is not None:
        entries, found = list(library.recipes.values()), list(library.problems)
    for entry in entries:
        found += check_one(entry, station, library, stored=_stored(station)).problems
    if found:
        raise ConfigError(found)
    if as_json:
        output.document({"recipes": sorted(_name(entry) for entry in entries)})
    else:
        many = "" if len(entries) == 1 else "s"
        output.line(Message("ok: {count} recipe{count_2}", count=len(entries), count_2=many))
    return 0


def _rehearse(files: list[Path], config: Path | None, speed: float, *, as_json: bool) -> int:
    from agent.cli.dry.run import dry_run

    arguments = [str(it) for it in files if "=" in str(it)]
    names = [it.stem for it in files if "=" not in str(it)]
    if len(names) != 1 or config is None:
        raise Refused(Message("--dry-run needs one recipe, and the station's file: --config FILE"))
    return dry_run(names[0], arguments, (), config, speed, fill=True, as_json=as_json)


def list_recipes(config: Path, *, as_json: bool) -> None:
    """List the station's recipes, and what is wrong with those that can't be used."""
    from agent.cli.recipe_forms import form_of, outcome

    station, library = _station_of(config)
    rows = [form_of(entry, outcome(entry, station, library)) for entry in library.recipes.values()]
    wrong = [str(problem) for problem in library.problems]
    if as_json:
        output.document({"recipes": rows, "problems": wrong})
        return
    from agent.cli.recipe_tables import recipes_table

    if rows:
        output.show(recipes_table(rows, language(os.environ)))
    else:
        output.line(said(Message("no recipes in {folder}", folder=library.folder)))
    for sentence in wrong:
        output.line(Message("warning: {warning}", warning=sentence))


def show(name: str, config: Path, *, as_json: bool) -> None:
    """Show one recipe: what it takes, which devices it works with, and what it does."""
    from agent.cli.recipe_forms import form_of, outcome, steps_of

    station, library = _station_of(config)
    entry = library.find(name)
    spoken = language(os.environ)
    form: dict[str, Any] = form_of(entry, outcome(entry, station, library))
    form["steps"] = steps_of(entry, spoken)
    if as_json:
        output.document(form)
        return
    from agent.cli.recipe_tables import recipe_page

    output.show(recipe_page(form, spoken))


def _station(config: Path | None) -> tuple[Station | None, Library | None]:
    return (None, None) if config is None else _station_of(config)


def _station_of(config: Path) -> tuple[Station, Library]:
    from agent.jobs.recipes.library import read_library
    from agent.settings import load

    station = load(config)
    return station, read_library(station.recipes)


def _stored(station: Station | None) -> frozenset[str] | None:
    """The files that can be printed; None where they can't be listed, as without the agent's rights."""
    try:
        return None if station is None else frozenset(it.name for it in station.files.iterdir())
    except OSError:
        return None


def _name(entry: Entry) -> str:
    from agent.jobs.recipes.library import head_of

    return head_of(entry).name
