"""Jobs at a glance: what runs, what may be started, what waits, and which plates are clear."""

from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from agent.jobs.jobs import Jobs
from agent.jobs.recipes.library import head_of
from agent.jobs.recipes.recipe import Head
from agent.jobs.states import WAITING
from agent.languages.catalogues import in_language
from agent.station import Station
from agent.web.console.items import Item
from agent.web.console.job_items import asked_now, marks_of, shown_job
from agent.web.console.live import Feeds, Seen
from agent.web.console.page import language_of, page
from agent.web.console.recipe_names import title_in, titles_of
from agent.web.jobs import TheJobs
from agent.web.routes import TheStation
from agent.web.streams import Stream

ENDED_SHOWN: Final = 5
"""Of the jobs that have ended, the last ones; the history has them all."""

jobs_page = APIRouter(include_in_schema=False)


@jobs_page.get("/jobs")
async def all_jobs(request: Request, jobs: TheJobs, station: TheStation) -> Response:
    """The page."""
    language = language_of(request)
    library = await jobs.library()
    heads = [head_of(entry) for entry in library.recipes.values()]
    return page(
        request,
        "jobs.html",
        live_view="/live/jobs",
        recipes=[card_of(head, language) for head in heads],
        problems=[in_language(str(it), language) for it in library.problems],
        **running_shown(station, jobs, language),
        **queue_shown(jobs),
        **plates_shown(station),
        titles=titles_of(library, language),
    )


@jobs_page.get("/parts/jobs/running")
async def running(request: Request, jobs: TheJobs, station: TheStation) -> Response:
    """The jobs that run and the last that ended, when there are others."""
    language = language_of(request)
    titles = titles_of(await jobs.library(), language)
    shown = running_shown(station, jobs, language)
    return page(request, "parts/running.html", titles=titles, **shown)


@jobs_page.get("/parts/jobs/queue")
async def queue(request: Request, jobs: TheJobs) -> Response:
    """What waits, when that has changed."""
    titles = titles_of(await jobs.library(), language_of(request))
    return page(request, "parts/queue.html", titles=titles, **queue_shown(jobs))


@jobs_page.get("/parts/jobs/plates")
async def plates(request: Request, station: TheStation) -> Response:
    """The plates, when one has changed."""
    return page(request, "parts/plates.html", **plates_shown(station))


@jobs_page.get("/parts/questions")
async def questions(request: Request, job: str = "") -> Response:
    """The questions that wait, as every page shows them; those of `job` stand on its own page."""
    return page(request, "parts/questions.html", of_job=job)


@jobs_page.get("/jobs/of/{device}")
async def job_of(device: str, jobs: TheJobs) -> Response:
    """To the job that a device belongs to now; to all of them where it belongs to none."""
    found = [it.id for it in jobs.listing if has_begun(it) and device in it.claimed]
    return RedirectResponse(f"/jobs/{found[0]}" if found else "/jobs", 303)


@jobs_page.get("/live/jobs")
async def live_jobs(request: Request, jobs: TheJobs, station: TheStation) -> Stream:
    """What changes on the page."""
    feeds: Feeds = request.app.state.feeds
    language = language_of(request)
    return Stream(feeds.pieces("jobs", language, lambda: look(station, jobs, language)))


def look(station: Station, jobs: Jobs, language: str) -> Seen:
    """Everything that there is to see now."""
    items: dict[str, Item] = {}
    begun = [job for job in jobs.listing if has_begun(job)]
    for job in begun:
        items.update(shown_job(job, language))
    return Seen(
        items,
        {
            "running": (
                tuple(job.id for job in begun),
                tuple(it.id for it in last_ended(jobs)),
                asked_now(station),
            ),
            "queue": (marks_of(jobs.queue), jobs.held),
            "plates": tuple(station.plates.listing) if station.plates else (),
        },
    )


def has_begun(job: Any) -> bool:
    """Whether a job runs, or rests."""
    return not job.state.is_final and job.state not in WAITING


def last_ended(jobs: Jobs) -> list[Any]:
    """The jobs that ended last, the latest first."""
    ended = [job for job in jobs.listing if job.state.is_final]
    return sorted(ended, key=lambda it: it.ended or it.submitted, reverse=True)[:ENDED_SHOWN]


def running_shown(station: Station, jobs: Jobs, language: str) -> dict[str, Any]:
    """What the part of the jobs that run needs."""
    begun = [job for job in jobs.listing if has_begun(job)]
    now = station.clock.monotonic()
    return {
        "begun": begun,
        "ended": last_ended(jobs),
        "items": {
            name: item.sent(now) for job in begun for name, item in shown_job(job, language).items()
        },
        "asked": {it.job for it in jobs.questions},
    }


def queue_shown(jobs: Jobs) -> dict[str, Any]:
    """What the part of the queue needs."""
    return {"waiting": jobs.queue, "hold": jobs.held}


def plates_shown(station: Station) -> dict[str, Any]:
    """What the part of the plates needs."""
    return {"plates": station.plates.listing if station.plates else ()}


def card_of(head: Head, language: str) -> dict[str, str]:
    """A recipe as its card shows it."""
    return {
        "name": head.name,
        "version": head.version,
        "title": title_in(head.title, language, head.name),
        "about": title_in(head.about, language, ""),
    }
