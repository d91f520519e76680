"""The station at a glance: a card for each device, and the alarms."""

from functools import partial
from typing import Any

from fastapi import APIRouter, Request, Response

from agent.fleet.plan import Plan
from agent.public import alarm_form
from agent.station import Station
from agent.web.console.cards import Cards, plans_of
from agent.web.console.items import alarms_now, is_open, job_items, on_a_card
from agent.web.console.live import Feeds, Seen
from agent.web.console.page import language_of, page
from agent.web.console.show import titled
from agent.web.console.words import ALARMS, PRIORITIES
from agent.web.routes import TheStation
from agent.web.streams import Stream

station_page = APIRouter(include_in_schema=False)


@station_page.get("/")
async def station_at_a_glance(request: Request, station: TheStation) -> Response:
    """The page."""
    feeds: Feeds = request.app.state.feeds
    language = language_of(request)
    seen = View(station, language).look()
    # What was just made is not asked for again as soon as the page is live: 64 cards are half the work.
    return page(
        request,
        "station.html",
        live_view="/live/station",
        has=feeds.stamp("station", language, seen),
        **_shown(station, language, seen),
    )


@station_page.get("/parts/cards")
async def cards(request: Request, station: TheStation) -> Response:
    """The cards alone, when devices have come or gone."""
    language = language_of(request)
    seen = View(station, language).look()
    return page(request, "parts/cards.html", **_shown(station, language, seen))


@station_page.get("/parts/alarms")
async def alarms(request: Request, station: TheStation) -> Response:
    """The open alarms alone, when they have changed."""
    return page(request, "parts/alarms.html", alarms=open_alarms(station))


@station_page.get("/live/station")
async def live_station(request: Request, station: TheStation, has: str = "") -> Stream:
    """What changes on the page; `has` is the stamp that it was made with."""
    feeds: Feeds = request.app.state.feeds
    language = language_of(request)
    return Stream(feeds.pieces("station", language, View(station, language).look, has))


class View:
    """The station as its page shows it."""

    def __init__(self, station: Station, language: str) -> None:
        self._station, self._language = station, language
        self._cards = Cards(station, language)

    def look(self) -> Seen:
        """Everything that there is to see now."""
        station, plans = self._station, plans_of(self._station)
        items = {**self._cards.items(plans), **job_items(station, plans, self._language)}
        return Seen(items, {"cards": tuple(plans.values()), "alarms": alarms_now(station)})


def open_alarms(station: Station, device: str = "") -> list[dict[str, Any]]:
    """The alarms that ask for somebody, the most urgent first; of one device, or of all."""
    if station.alarms is None:
        return []
    found = [
        alarm_form(it, is_first=station.alarms.is_first(it))
        | {"word": ALARMS[it.state], "urgency": PRIORITIES[it.notice.priority], "at": it.since}
        for it in station.alarms.all.values()
        if is_open(it.state) and device in {"", it.notice.device}
    ]
    rank = list(PRIORITIES)
    return sorted(found, key=lambda it: (-rank.index(it["priority"]), it["alarm"]))


def _shown(station: Station, language: str, seen: Seen) -> dict[str, Any]:
    now = station.clock.monotonic()
    return {
        "items": {name: it.sent(now) for name, it in seen.items.items()},
        "plans": plans_of(station),
        "readings": on_a_card,
        "alarms": open_alarms(station),
        "name_of": partial(_name_of, language),
    }


def _name_of(language: str, plan: Plan) -> str:
    return titled(plan.titles, language, plan.name)
