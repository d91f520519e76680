"""The recipes of a station: a folder of files, each called after its recipe, and those of plugins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

from agent.errors import ConfigError, Problem, Refused
from agent.jobs.recipes.calls import called_in_steps
from agent.jobs.recipes.python_recipe import PythonRecipe, plugins
from agent.jobs.recipes.recipe import Head
from agent.jobs.recipes.recipe_file import RecipeFile, load_recipe
from agent.languages.message import Message
from agent.settings.document import reason
from agent.settings.sentences import suggest

Entry: TypeAlias = RecipeFile | PythonRecipe


@dataclass(frozen=True, slots=True)
class Library:
    """Every recipe that can be read, by name, and what is wrong with the others."""

    folder: Path
    recipes: Mapping[str, Entry]
    problems: tuple[Problem, ...] = ()

    def find(self, name: str) -> Entry:
        """The recipe of this name.

        Raises:
            ConfigError: Its file is wrong.
            Refused: There is none.
        """
        if name in self.recipes:
            return self.recipes[name]
        its = [it for it in self.problems if Path(it.file).stem == name]
        if its:
            raise ConfigError(its)
        raise Refused(
            Message(
                "no recipe is called {name!r}; {suggest}",
                name=name,
                suggest=suggest(name, self.recipes),
            )
        )


def head_of(entry: Entry) -> Head:
    """What is known of a recipe without its steps, whichever way it is written."""
    return entry.recipe if isinstance(entry, RecipeFile) else entry.head


def called_by(entry: Entry, library: Library) -> list[Entry]:
    """The recipes that one calls, and those that these call, each once, by their names.

    What a recipe in Python calls and is not there is left out: the call itself says so.

    Raises:
        AgentError: What a file calls is not there or wrong.
    """
    found: dict[str, Entry] = {}
    waiting = [entry]
    while waiting:
        at = waiting.pop()
        for name in _calls(at, library):
            if name not in found and name != head_of(entry).name:
                found[name] = library.find(name)
                waiting.append(found[name])
    return [found[name] for name in sorted(found)]


def _calls(entry: Entry, library: Library) -> list[str]:
    if isinstance(entry, RecipeFile):
        return list(called_in_steps(entry.recipe))
    return [name for name in entry.calls if name in library.recipes]


def read_library(folder: Path) -> Library:
    """Read every `*.yaml` of a folder and every plugin; one that is wrong does not hide the others.

    A folder that does not exist has no recipes.
    """
    found: dict[str, Entry] = {}
    problems: list[Problem] = []
    for recipe in plugins(problems):
        found[recipe.head.name] = recipe
    for file in _files(folder, problems):
        try:
            read = load_recipe(file)
        except ConfigError as error:
            problems += error.problems
            continue
        if read.recipe.name in found:
            text = Message(
                "a plugin has a recipe {name} as well: choose another name", name=read.recipe.name
            )
            problems.append(read.problem(("name",), text))
        found[read.recipe.name] = read
    ordered = {name: found[name] for name in sorted(found)}
    return Library(folder, MappingProxyType(ordered), tuple(sorted(set(problems))))


def _files(folder: Path, problems: list[Problem]) -> list[Path]:
    try:
        files = sorted(folder.iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        problems.append(
            Problem(str(folder), 0, 0, "", Message("can't be read: {reason}", reason=reason(error)))
        )
        return []
    shown = [file for file in files if not file.name.startswith(".")]
    problems += [
        Problem(str(file), 0, 0, "", Message("is not read: call it {stem}.yaml", stem=file.stem))
        for file in shown
        if file.suffix == ".yml"
    ]
    return [file for file in shown if file.suffix == ".yaml"]
