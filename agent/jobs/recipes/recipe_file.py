"""Reads a recipe from its file, and says everything wrong with it at once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from pydantic import ValidationError

from agent.errors import ConfigError, Problem
from agent.jobs.recipes.flow_steps import UntilStep, WaitStep
from agent.jobs.recipes.parameters import Parameter
from agent.jobs.recipes.recipe import STEP_KINDS, Recipe
from agent.jobs.recipes.step import Place, Step
from agent.languages.message import Message, joined
from agent.settings.document import Document, KeyPath, document_of, read_bytes
from agent.settings.sentences import problems_of, suggest

VERBS: Final[Mapping[str, type[Step]]] = MappingProxyType({kind.verb: kind for kind in STEP_KINDS})
LISTS: Final = ("steps", "then", "else")
"""Keys of a step under which other steps stand."""
PARTS: Final = ("steps", "finally", "on_stop")
"""Keys of a recipe under which steps stand."""


@dataclass(frozen=True, slots=True)
class RecipeFile:
    """A recipe and the file that it was read from."""

    recipe: Recipe
    document: Document = field(repr=False, compare=False)
    sha256: str
    """Of the file's bytes, as they were understood."""
    raw: bytes = field(default=b"", repr=False, compare=False)
    """These bytes."""

    @property
    def file(self) -> str:
        """The file's path, as it was given."""
        return self.document.file

    def problem(self, path: KeyPath, text: str, *, at_key: bool = False) -> Problem:
        """A problem with what stands at a path of keys."""
        return self.document.problem(path, text, at_key=at_key)


def load_recipe(path: Path) -> RecipeFile:
    """Read a recipe's file. It is not held against a station yet: see `agent.jobs.checks.check`.

    Raises:
        ConfigError: Something is wrong; `problems` has everything that is.
    """
    raw = read_bytes(path)
    document = document_of(str(path), raw)
    recipe, found = _understood(document)
    found += document.problems
    found += _mistaken_parameters(document)
    if recipe is not None and recipe.name != path.stem:
        text = Message(
            "{name!r} is not the file's name: write {stem}, or rename the file",
            name=recipe.name,
            stem=path.stem,
        )
        found.append(document.problem(("name",), text))
    if recipe is None or found:
        raise ConfigError(found)
    return RecipeFile(recipe, document, hashlib.sha256(raw).hexdigest(), raw)


def _understood(document: Document) -> tuple[Recipe | None, list[Problem]]:
    builder = _Builder(document)
    data = document.data
    if isinstance(data, dict):
        data = {key: builder.part(key, value) for key, value in data.items()}
    try:
        recipe = Recipe.model_validate(data)
    except ValidationError as error:
        return None, [*builder.found, *problems_of(error, Recipe, document, ())]
    return recipe, builder.found


def _mistaken_parameters(document: Document) -> Iterator[Problem]:
    """What types can't tell of parameters, also where other keys of the recipe are wrong."""
    data = document.data
    given = data.get("parameters") if isinstance(data, dict) else None
    for name, keys in given.items() if isinstance(given, dict) else ():
        try:
            mistakes = Parameter.model_validate(keys).mistakes()
        except ValidationError:
            continue  # said with the recipe as a whole
        for key, text in mistakes:
            yield document.problem(("parameters", name, key), text)


class _Builder:
    """Makes steps from the inside out: each is validated by itself, so that all mistakes are found."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.found: list[Problem] = []

    def part(self, key: str, value: Any) -> Any:
        """The value of a key of the recipe, with steps where lists of steps belong."""
        return self._steps(value, (key,)) if key in PARTS else value

    def _steps(self, value: Any, path: KeyPath) -> Any:
        if not isinstance(value, list):
            return value  # what belongs here, pydantic says
        steps = [self._step(item, (*path, number)) for number, item in enumerate(value)]
        made = tuple(step for step in steps if step is not None)
        if value and not made:
            self.document.refused.add(path)  # each of them was refused: the list is not empty
        return made

    def _step(self, item: Any, path: KeyPath) -> Step | None:
        if path in self.document.refused:
            return None
        if not isinstance(item, dict):
            self._say(
                path, Message("{item!r} is not a step: write one such as `wait: 90 s`", item=item)
            )
            return None
        kind = self._kind(item, path)
        if kind is None:
            return None
        inner = {key: self._inner(key, value, (*path, key)) for key, value in item.items()}
        place = Place(self.document.file, self.document.spot(path).line, path)
        try:
            return kind.model_validate(inner, context=place)
        except ValidationError as error:
            self.found += problems_of(error, kind, self.document, path)
        return None

    def _inner(self, key: str, value: Any, path: KeyPath) -> Any:
        if key in LISTS:
            return self._steps(value, path)
        if key == "parallel" and isinstance(value, dict):
            return {name: self._steps(steps, (*path, name)) for name, steps in value.items()}
        return value

    def _kind(self, item: Mapping[str, Any], path: KeyPath) -> type[Step] | None:
        verbs = [key for key in item if key in VERBS]
        if not verbs:
            first = next(iter(item), "")
            what = (
                Message("no step is called {first!r}", first=first) if item else Message("is empty")
            )
            self._say(path, joined([what, suggest(first, VERBS)]))
            return None
        if len(verbs) > 1:
            text = Message(
                "is a step of its own: {verbs} stands here already; begin it with a -",
                verbs=verbs[0],
            )
            self.found.append(self.document.problem((*path, verbs[1]), text, at_key=True))
            return None
        if verbs[0] == "wait":
            return UntilStep if isinstance(item["wait"], dict) else WaitStep
        return VERBS[verbs[0]]

    def _say(self, path: KeyPath, text: str) -> None:
        self.found.append(self.document.problem(path, text))
