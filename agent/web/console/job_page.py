"""One job: what runs now, what it asks, what it has measured, and how it is paused and stopped."""

from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from agent.errors import AgentError
from agent.jobs.job import Job
from agent.jobs.jobs import Jobs
from agent.jobs.questions import Question
from agent.jobs.recipes.recipe import Recipe
from agent.jobs.states import PAUSABLE, WAITING, JobState
from agent.station import Station
from agent.store.disk_threads import at_disk_thread
from agent.web.console.cards import Cards, plans_of
from agent.web.console.items import Item, on_a_card
from agent.web.console.job_items import shown_job, words_of
from agent.web.console.live import Feeds, Seen
from agent.web.console.page import language_of, page
from agent.web.console.recipe_names import measured_titles, taken_by, titles_of
from agent.web.console.start_page import field_of, files_for
from agent.web.console.steps_shown import StepLine, lines_of, recipe_of, step_id, step_items
from agent.web.jobs import JobId, TheJobs, as_problems
from agent.web.routes import TheStation, no_such
from agent.web.streams import Stream

PARTS: Final = ("job-questions", "job-controls", "job-measures", "job-log")

job_page = APIRouter(include_in_schema=False)


@job_page.get("/jobs/{job}")
async def one_job(request: Request, job: JobId, jobs: TheJobs, station: TheStation) -> Response:
    """The page; of a job that is listed no longer, the page of its run."""
    try:
        found = jobs.get(job)
    except AgentError:  # one of before may be on the shelf although it is not taken over yet
        shelved = await at_disk_thread(station.runs.of, job) if station.runs else None
        if shelved is not None:
            return RedirectResponse(f"/jobs/{job}/run", 303)
        with as_problems():
            raise
    view = await _view(station, jobs, found, language_of(request))
    now = station.clock.monotonic()
    library = await jobs.library()
    names = {**found.arguments, **found.devices}
    return page(
        request,
        "job.html",
        live_view=f"/live/jobs/{found.id}",
        title=titles_of(library, view.language).get(found.recipe, found.recipe),
        taken=taken_by(library, found.recipe, names, view.language),
        lines=view.lines,
        items={name: item.sent(now) for name, item in view.look().items.items()},
        step_id=step_id,
        plans=view.plans,
        readings=on_a_card,
        **await _shown(station, found, jobs, view.language),
    )


@job_page.get("/parts/jobs/{job}/{part}")
async def part_of_job(
    request: Request, job: JobId, part: str, jobs: TheJobs, station: TheStation
) -> Response:
    """One of the parts alone, when it has changed."""
    with as_problems():
        found = jobs.get(job)
    if part not in PARTS:
        raise no_such("part", part, PARTS)
    template = f"parts/{part.replace('-', '_')}.html"
    return page(request, template, **await _shown(station, found, jobs, language_of(request)))


@job_page.get("/live/jobs/{job}")
async def live_job(request: Request, job: JobId, jobs: TheJobs, station: TheStation) -> Stream:
    """What changes on the page."""
    with as_problems():
        found = jobs.get(job)
    feeds: Feeds = request.app.state.feeds
    view = await _view(station, jobs, found, language_of(request))
    return Stream(feeds.pieces(f"jobs/{found.id}", view.language, view.look))


class View:
    """A job as its page shows it. The recipe is read once: one that changes is another."""

    def __init__(
        self, station: Station, jobs: Jobs, job: Job, recipe: Recipe | None, language: str
    ) -> None:
        self._jobs, self._job, self._recipe, self.language = jobs, job, recipe, language
        self.lines: list[StepLine] = lines_of(recipe, language) if recipe else []
        its = set(job.devices.values())
        self.plans = {name: it for name, it in plans_of(station).items() if name in its}
        self._cards = Cards(station, language)

    def look(self) -> Seen:
        """Everything that there is to see now."""
        job = self._job
        items: dict[str, Item] = shown_job(job, self.language) | self._cards.items(self.plans)
        if self._recipe is not None:
            items.update(step_items(job, self._recipe, self.lines, self.language))
        measure, line = (it[-1].time if it else 0.0 for it in (job.measures, job.log))
        return Seen(
            items,
            {
                "job-questions": tuple(it.id for it in self._jobs.questions if it.job == job.id),
                "job-controls": (job.state, job.verdict, *job.safe.values(), job.folder),
                "job-measures": (len(job.measures), measure, job.verdict),
                "job-log": (len(job.log), line, len(job.answers)),
            },
        )


async def _view(station: Station, jobs: Jobs, job: Job, language: str) -> View:
    return View(station, jobs, job, recipe_of(job, await jobs.library()), language)


async def _shown(station: Station, job: Job, jobs: Jobs, language: str) -> dict[str, Any]:
    asked = [it for it in jobs.questions if it.job == job.id]
    wanted = [it.parameter for it in asked if it.parameter is not None]
    return {
        "job": job,
        "of_job": job.id,
        "asked": [_question(it, language) for it in asked],
        "files": await files_for(station, wanted),
        "measured_titles": measured_titles(await jobs.library(), job.recipe, language),
        "is_over": job.state.is_final,
        "may_pause": job.state is JobState.RUNNING,
        "may_resume": job.state in PAUSABLE and job.state is not JobState.RUNNING,
        "waits": job.state in WAITING,
    }


def _question(question: Question, language: str) -> dict[str, Any]:
    value = question.parameter
    return {
        "id": question.id,
        "text": words_of(question, language),
        "asked": question.asked,
        "field": field_of("value", value, language) if value is not None else None,
    }
