"""What people call recipes and what these take, where the recipe is still there; else their names."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from agent.jobs.recipes.device_steps import MeasureStep
from agent.jobs.recipes.library import Library, head_of
from agent.jobs.recipes.recipe_file import RecipeFile
from agent.jobs.recipes.step import Step
from agent.languages.names import spoken
from agent.settings.section import Title
from agent.web.console.show import symbol


class Taken(NamedTuple):
    """A parameter, or a role: what people call it, and the symbol of its unit."""

    title: str
    unit: str


def titles_of(library: Library, language: str) -> dict[str, str]:
    """The titles of all recipes by name."""
    heads = map(head_of, library.recipes.values())
    return {head.name: title_in(head.title, language, head.name) for head in heads}


def taken_by(
    library: Library, recipe: str, names: Mapping[str, Any], language: str
) -> dict[str, Taken]:
    """What these parameters or roles of a recipe are called, by name, in the recipe's order."""
    entry = library.recipes.get(recipe)
    head = head_of(entry) if entry is not None else None
    known = {**head.parameters, **head.devices} if head is not None else {}
    in_order = [*(it for it in known if it in names), *(it for it in names if it not in known)]
    return {
        name: Taken(
            title_in(getattr(known.get(name), "title", Title()), language, spoken(name)),
            symbol(getattr(known.get(name), "unit", "")),
        )
        for name in in_order
    }


def measured_titles(library: Library, recipe: str, language: str) -> dict[str, str]:
    """The titles of what a recipe measures, by name, where it has some."""
    entry = library.recipes.get(recipe)
    found: dict[str, str] = {}
    if isinstance(entry, RecipeFile):
        for _, steps in entry.recipe.lists():
            _gather(steps, language, found)
    return found


def _gather(steps: Iterable[Step], language: str, found: dict[str, str]) -> None:
    for step in steps:
        if isinstance(step, MeasureStep):
            found.update(
                {name: title_in(it.title, language, name) for name, it in step.measure.items()}
            )
        for _, inner in step.nested():
            _gather(inner, language, found)


def title_in(title: Any, language: str, name: str) -> str:
    """A title in this language, or else in another; else the name."""
    return getattr(title, language) or title.en or title.ko or name
