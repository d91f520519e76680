"""What people call recipes and what these take, where the recipe is still there; else their names."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from agent.jobs.recipes.library import Library, head_of
from agent.settings.section import Title
from agent.web.console.names import spoken
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
    """What these parameters or roles of a recipe are called, by name."""
    entry = library.recipes.get(recipe)
    head = head_of(entry) if entry is not None else None
    known = {**head.parameters, **head.devices} if head is not None else {}
    return {
        name: Taken(
            title_in(getattr(known.get(name), "title", Title()), language, spoken(name)),
            symbol(getattr(known.get(name), "unit", "")),
        )
        for name in names
    }


def title_in(title: Any, language: str, name: str) -> str:
    """A title in this language, or else in another; else the name."""
    return getattr(title, language) or title.en or title.ko or name
