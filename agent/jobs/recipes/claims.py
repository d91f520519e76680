"""All devices that a job needs: those of its recipe, and those of the recipes that it calls."""

from __future__ import annotations

from collections.abc import Mapping

from agent.jobs.recipes.flow_steps import CallStep
from agent.jobs.recipes.library import Entry, Library, called_by, head_of
from agent.jobs.recipes.recipe import Head
from agent.jobs.recipes.recipe_file import RecipeFile


def claimed(entry: Entry, devices: Mapping[str, str], library: Library) -> frozenset[str]:
    """The devices of a recipe whose roles these devices play. It has been checked: no call is a circle."""
    found = set(devices.values())
    steps = entry.recipe.every_step() if isinstance(entry, RecipeFile) else ()
    for step in steps:
        if isinstance(step, CallStep):
            called = library.find(step.call)
            theirs = called_devices(head_of(called), step, devices)
            found |= claimed(called, theirs, library)
    return frozenset(found)


def called_hashes(entry: Entry, library: Library) -> dict[str, str]:
    """The SHA-256 of the file of each recipe that this one calls, also through others, by name."""
    return {head_of(it).name: it.sha256 for it in called_by(entry, library)}


def called_devices(called: Head, step: CallStep, ours: Mapping[str, str]) -> dict[str, str]:
    """The device of each role of a called recipe: that of our role, else the one that it names."""
    found: dict[str, str] = {}
    for role, wanted in called.devices.items():
        device = ours.get(step.devices.get(role, role), wanted.device)
        if device is not None:
            found[role] = device
    return found
