"""A run folder in a line: what ran, for whom, and how it ended. Which of them are wanted. Blocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from agent.store.run_shelf import Shelved, job_of, recipe_named

OPEN: Final = "open"
"""The state of a run that has no manifest yet."""


def run_line(shelved: Shelved) -> dict[str, Any]:
    """A run as lists show it. What is no manifest of ours shows as nothing."""
    form = recipe_named(shelved.path) or {}
    recipe, by = _part(form, "recipe"), _part(form, "by")
    return {
        "folder": str(shelved.path),
        "job": _text(form.get("job")) or job_of(shelved.path),
        "recipe": _text(recipe.get("name")),
        "version": _text(recipe.get("version")),
        "titles": _texts(_part(recipe, "titles")),
        "state": _text(form.get("state")) if shelved.is_closed else OPEN,
        "verdict": _text(form.get("verdict")) or "none",
        "why": _text(form.get("why")),
        "by": _text(by.get("name")),
        "origin": _text(by.get("origin")),
        "began": _text(form.get("began")) or None,
        "ended": _text(form.get("ended")) or None,
        "simulated": form.get("simulated") is True,
        "parameters": _texts(_part(form, "parameters")),
    }


@dataclass(frozen=True, kw_only=True, slots=True)
class WantedRuns:
    """Which runs: all of these must be so. Empty means any."""

    recipe: str = ""
    state: str = ""
    verdict: str = ""
    by: str = ""
    since: str = ""
    """Began at this time or later: RFC 3339 in UTC without its zone, or the beginning of that."""
    until: str = ""
    """The same: before it."""
    text: str = ""
    """In the value of a parameter, such as a lot or a serial number, in the job or its recipe."""

    def has(self, line: Mapping[str, Any]) -> bool:
        """Whether this run is one of them."""
        asked = {"recipe": self.recipe, "state": self.state, "verdict": self.verdict, "by": self.by}
        if any(value and line[name] != value for name, value in asked.items()):
            return False
        began = line["began"] or ""
        if (self.since and began < self.since) or (self.until and not began < self.until):
            return False
        said = (*line["parameters"].values(), line["job"], line["recipe"], *line["titles"].values())
        return any(self.text.casefold() in str(it).casefold() for it in said)


def _part(form: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = form.get(name)
    return part if isinstance(part, dict) else {}


def _texts(part: Mapping[str, Any]) -> dict[str, Any]:
    """What a manifest says by name; a list or an object in it is none of ours."""
    return {
        _text(name): _text(it) if isinstance(it, str) else it
        for name, it in part.items()
        if isinstance(it, str | bool | int | float)
    }


def _text(value: object) -> str:
    """A text that UTF-8 can hold, whatever somebody has put into the manifest."""
    if not isinstance(value, str):
        return ""
    return value.encode("utf-8", "backslashreplace").decode()
