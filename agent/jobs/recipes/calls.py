"""Which recipes one calls, as is known before it runs: of a file its steps say it, of Python its text.

A recipe in Python names what it calls as a text, `job.call("inner")`: what is put together as it runs
could not be hashed and kept with the job beforehand.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from agent.jobs.recipes.flow_steps import CallStep
from agent.jobs.recipes.recipe import Recipe

CALL = "call"


def called_in_steps(recipe: Recipe) -> Iterator[str]:
    """The names of the recipes that the steps of one call."""
    for step in recipe.every_step():
        if isinstance(step, CallStep):
            yield step.call


def called_in_source(source: bytes, function: str, desk: str) -> tuple[str, ...]:
    """The names that a function of this source calls on the argument `desk`, in their order."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):  # what was imported has been written over
        return ()
    found: dict[str, None] = {}
    for node in tree.body:
        if isinstance(node, ast.AsyncFunctionDef) and node.name == function:
            found |= dict.fromkeys(_names(node, desk))
    return tuple(found)


def _names(function: ast.AsyncFunctionDef, desk: str) -> Iterator[str]:
    for node in ast.walk(function):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id=name), attr=verb),
                args=[ast.Constant(value=str(called)), *_],
            ) if (name, verb) == (desk, CALL):
                yield called
