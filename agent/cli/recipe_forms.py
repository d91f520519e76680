"""Recipes as plain data, for programs and for the tables."""

from __future__ import annotations

from typing import Any

from agent.jobs.checks.check import Checked, check
from agent.jobs.recipes.library import Entry, Library, head_of
from agent.jobs.recipes.outline import outline
from agent.jobs.recipes.recipe import About, Head
from agent.jobs.recipes.recipe_file import RecipeFile
from agent.jobs.recipes.step_words import line_said
from agent.settings import Station, Title


def outcome(entry: Entry, station: Station | None, library: Library) -> Checked:
    """Whether the recipe may run on this station, and who may start it."""
    return check(entry, station, library)


def form_of(entry: Entry, checked: Checked) -> dict[str, Any]:
    """A recipe without its steps."""
    head = head_of(entry)
    written = isinstance(entry, RecipeFile)
    return {
        "recipe": head.name,
        "version": head.version,
        "titles": _titles(head.title),
        "about": _titles(head.about),
        "file": entry.file,
        "language": "yaml" if written else "python",
        "sha256": entry.sha256,
        "role": checked.role.name.lower(),
        "demanding": checked.demanding,
        "parameters": _parameters(head),
        "devices": _devices(head, checked),
        "problems": [str(problem) for problem in checked.problems],
    }


def steps_of(entry: Entry, language: str) -> list[dict[str, Any]]:
    """Its steps, each in a line; none of a recipe that is written in Python."""
    if not isinstance(entry, RecipeFile):
        return []
    return [
        {
            "depth": line.depth,
            "text": line_said(line, language),
            "line": line.step.place.line if line.step else None,
        }
        for line in outline(entry.recipe, language)
    ]


def _parameters(head: Head) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "type": it.type,
            "titles": _titles(it.title),
            "unit": it.unit,
            "low": it.low,
            "high": it.high,
            "choices": list(it.choices),
            "pattern": it.pattern,
            "required": it.required,
            "default": it.default,
        }
        for name, it in head.parameters.items()
    ]


def _devices(head: Head, checked: Checked) -> list[dict[str, Any]]:
    return [
        {
            "role": role,
            "titles": _titles(it.title),
            "drivers": list(it.driver),
            "needs": [str(need) for need in it.needs],
            "device": checked.devices.get(role),
        }
        for role, it in head.devices.items()
    ]


def _titles(title: Title | About) -> dict[str, str]:
    given: dict[str, str] = title.model_dump(exclude_none=True)
    return given
