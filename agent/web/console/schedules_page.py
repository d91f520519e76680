"""What is started by the clock: when next, what became of the last time, switched off and on."""

from typing import Any, Final

from fastapi import APIRouter, Request, Response

from agent.jobs.schedules.schedule_keeping import Followed
from agent.languages.message import Message
from agent.station import Station
from agent.web.console.live import Feeds, Seen
from agent.web.console.page import language_of, page
from agent.web.console.recipe_names import titles_of
from agent.web.routes import TheStation
from agent.web.schedules import schedule_form
from agent.web.streams import Stream

schedules_page = APIRouter(include_in_schema=False)

NEXT_SHOWN: Final = 3
TROUBLES: Final = {
    "refused": Message("refused"),
    "skipped": Message("left out: its last job was still there"),
    "missed": Message("missed: the agent did not run"),
}
MISSED: Final = {
    "skip": Message("Missed times are left out."),
    "once": Message("Missed times are made up for once."),
}
OVERLAP: Final = {
    "skip": Message("Left out while its last job is still there."),
    "queue": Message("Waits behind its last job."),
}


@schedules_page.get("/schedules")
async def all_schedules(request: Request, station: TheStation) -> Response:
    """The page."""
    more = await _shown(request, station)
    return page(request, "schedules.html", live_view="/live/schedules", **more)


@schedules_page.get("/parts/schedule-list")
async def schedule_list(request: Request, station: TheStation) -> Response:
    """The schedules alone, when one of them has fired or was switched."""
    return page(request, "parts/schedule_list.html", **await _shown(request, station))


@schedules_page.get("/live/schedules")
async def live_schedules(request: Request, station: TheStation) -> Stream:
    """What changes on the page."""
    feeds: Feeds = request.app.state.feeds

    def look() -> Seen:
        mark = tuple(
            (it.schedule.name, it.is_on, it.next, it.fired, it.job, it.trouble)
            for it in _listing(station)
        )
        return Seen({}, {"schedule-list": mark})

    return Stream(feeds.pieces("schedules", language_of(request), look))


def _listing(station: Station) -> tuple[Followed, ...]:
    return station.schedules.listing if station.schedules is not None else ()


async def _shown(request: Request, station: Station) -> dict[str, Any]:
    jobs = station.jobs
    return {
        "recipes": titles_of(await jobs.library(), language_of(request)) if jobs else {},
        "schedules": [_form(it) for it in _listing(station)],
        "TROUBLES": TROUBLES,
        "MISSED": MISSED,
        "OVERLAP": OVERLAP,
    }


def _form(followed: Followed) -> dict[str, Any]:
    """As the API has it; its moments in seconds UTC as well, to be shown in the station's zone."""
    coming = followed.follower.coming(NEXT_SHOWN) if followed.is_on else ()
    return schedule_form(followed, NEXT_SHOWN) | {
        "coming": tuple(coming),
        "fired_at": followed.fired,
        "trouble_at": followed.trouble.time if followed.trouble is not None else None,
    }
