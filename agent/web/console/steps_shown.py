"""The steps of a recipe as a page lists them, and which of them is done, or runs now."""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from agent.jobs.job import Job
from agent.jobs.progress import StepNow
from agent.jobs.recipes.library import Library
from agent.jobs.recipes.outline import outline
from agent.jobs.recipes.recipe import Recipe
from agent.jobs.recipes.recipe_file import RecipeFile
from agent.jobs.recipes.step import Step
from agent.jobs.recipes.step_words import LISTS, step_said
from agent.jobs.states import JobState
from agent.languages.catalogues import in_language
from agent.languages.message import Message, joined
from agent.web.console.items import Item
from agent.web.console.job_words import duration

DEEPEST: Final = 6
"""Steps that stand deeper than this are not indented further."""
Standing = dict[str, str]
"""`now`, `done`, or `broken` where it broke off, by the key of a step."""


class StepLine(NamedTuple):
    """One line: a step with its key, or the name of a list of steps, whose key is empty."""

    depth: int
    text: str
    key: str


def recipe_of(job: Job, library: Library) -> Recipe | None:
    """The recipe that a job runs; None where its file is not what it was, or has no steps to show."""
    entry = library.recipes.get(job.recipe)
    if not isinstance(entry, RecipeFile) or entry.sha256 != job.sha256:
        return None
    return entry.recipe


def lines_of(recipe: Recipe, language: str) -> list[StepLine]:
    """Every step in the order in which it is written, in a language."""
    found = []
    for line in outline(recipe, language):
        depth = min(line.depth, DEEPEST)
        if line.step is None:
            key = line.text.removesuffix(":")
            found.append(StepLine(depth, in_language(LISTS.get(key, key), language), ""))
        else:
            text = step_said(line.step, language)
            found.append(StepLine(depth, text, line.step.place.key))
    return found


def standing(recipe: Recipe, job: Job) -> Standing:
    """Which steps run now, and which are over, and how.

    In a loop these are the steps of the turn that runs, or of the last one.
    """
    found: Standing = {}
    ours, over = running(recipe, job.progress.now), _over(recipe, job)
    for key, steps in recipe.lists():
        _stand(steps, ours, over, found)
        if job.state is JobState.DONE and key != "on_stop":
            found.update({step.place.key: "done" for step in steps})
    return found


def _stand(
    steps: tuple[Step, ...],
    ours: Mapping[str, StepNow],
    over: Mapping[str, str],
    found: Standing,
) -> None:
    for step in steps:
        key = step.place.key
        if key in ours:
            found[key] = "now"
        elif key in over:
            found[key] = over[key]
        for _, inner in step.nested():
            _stand(inner, ours, over, found)
        if key in ours:
            return  # what stands below is of the turn before


def _over(recipe: Recipe, job: Job) -> dict[str, str]:
    """How the steps ended that are this recipe's own, by key."""
    file = recipe.steps[0].place.file
    return {
        key: "done" if is_done else "broken"
        for (its, key), is_done in job.progress.over.items()
        if its == file
    }


def running(recipe: Recipe, now: Iterable[StepNow]) -> dict[str, StepNow]:
    """The steps that run and are this recipe's own, by key: one that it calls has keys of its own."""
    file = recipe.steps[0].place.file
    return {it.key: it for it in now if it.place.rpartition(":")[0] == file}


def step_items(
    job: Job, recipe: Recipe, lines: Iterable[StepLine], language: str
) -> dict[str, Item]:
    """A piece for each step: done, now with its turn and the time that it takes still, or neither."""
    stand, ours = standing(recipe, job), running(recipe, job.progress.now)
    return {
        step_id(job, line.key): Item(
            in_language(more(ours[line.key]), language) if line.key in ours else "",
            stand.get(line.key, ""),
        )
        for line in lines
        if line.key
    }


def step_id(job: Job, key: str) -> str:
    """The id of a step's element."""
    return f"step:{job.id}:{key}"


def more(step: StepNow) -> str:
    """Which turn of a loop it is, and how long it takes still, where that is known."""
    said = []
    if step.turn and step.turns is not None:
        said.append(Message("{turn} of {turns}", turn=step.turn, turns=step.turns))
    elif step.turn:
        said.append(Message("turn {turn}", turn=step.turn))
    if step.left is not None:
        said.append(Message("{time} still", time=duration(step.left)))
    elif step.limit is not None:
        said.append(Message("at most {time} still", time=duration(max(step.limit, 0))))
    return joined(said)
