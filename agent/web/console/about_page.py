"""What the agent is and how it is: versions, config, health with what to do, licences."""

from typing import Any

from fastapi import APIRouter, Request, Response

from agent.station import Station
from agent.web.about import about
from agent.web.console.assets import VENDORED
from agent.web.console.health import health_lines
from agent.web.console.live import Feeds, Seen
from agent.web.console.page import language_of, page
from agent.web.routes import TheStation
from agent.web.streams import Stream

about_page = APIRouter(include_in_schema=False)

FRAME: str = "/live/frame"
"""The live view of pages that have nothing of their own to keep up to date."""


@about_page.get("/about")
async def what_it_is(request: Request, station: TheStation) -> Response:
    """The page: what the API says, and of its health what is to be done."""
    found = await about(station)
    return page(
        request,
        "about.html",
        live_view=FRAME,
        about=found,
        config_read=_config_read(station),
        lines=health_lines(found["health"]),
        vendored=VENDORED,
    )


@about_page.get(FRAME)
async def live_frame(request: Request) -> Stream:
    """What changes on a page of which nothing else does: whether the agent is there, and alarms."""
    feeds: Feeds = request.app.state.feeds
    return Stream(feeds.pieces("frame", language_of(request), lambda: Seen({}, {})))


def _config_read(station: Station) -> Any:
    return station.start.config_read if station.start is not None else None
