"""Every alarm: what asks for somebody, what is put aside, and what is as it should be."""

from typing import Any, Final

from fastapi import APIRouter, Request, Response

from agent.languages.message import Message
from agent.public import alarm_form
from agent.safety.alarm import Alarm, State
from agent.station import Station
from agent.web.console.items import is_open
from agent.web.console.live import Feeds, Seen
from agent.web.console.page import language_of, page
from agent.web.console.words import ALARMS, PRIORITIES
from agent.web.routes import TheStation
from agent.web.streams import Stream

alarms_page = APIRouter(include_in_schema=False)

SHELVES: Final = (
    (900, Message("15 minutes")),
    (3600, Message("1 hour")),
    (4 * 3600, Message("4 hours")),
    (12 * 3600, Message("12 hours")),
    (24 * 3600, Message("1 day")),
)
"""For how many seconds an alarm may be put aside; a day is the longest that the agent takes."""
_RANK: Final = list(PRIORITIES)


@alarms_page.get("/alarms")
async def every_alarm(request: Request, station: TheStation) -> Response:
    """The page."""
    more = {**_shown(station), "shelves": SHELVES}
    return page(request, "alarms.html", live_view="/live/alarms", **more)


@alarms_page.get("/parts/alarm-list")
async def alarm_list(request: Request, station: TheStation) -> Response:
    """The alarms alone, when one of them has changed."""
    return page(request, "parts/alarm_list.html", **_shown(station))


@alarms_page.get("/live/alarms")
async def live_alarms(request: Request, station: TheStation) -> Stream:
    """What changes on the page."""
    feeds: Feeds = request.app.state.feeds

    def look() -> Seen:
        alarms = station.alarms.all.values() if station.alarms else ()
        mark = tuple((it.name, it.state, it.since, it.shelved_until, it.reason) for it in alarms)
        return Seen({}, {"alarm-list": mark})

    return Stream(feeds.pieces("alarms", language_of(request), look))


def _shown(station: Station) -> dict[str, Any]:
    """All of them by what they ask for; the most urgent first, and of those the latest."""
    alarms = list(station.alarms.all.values()) if station.alarms else []
    alarms.sort(key=lambda it: (-_RANK.index(it.notice.priority), -it.since, it.name))
    return {
        "asking": [_form(station, it) for it in alarms if is_open(it.state)],
        "shelved": [_form(station, it) for it in alarms if it.state is State.SHELVED],
        "suppressed": [_form(station, it) for it in alarms if it.state is State.SUPPRESSED],
        "normal": [_form(station, it) for it in alarms if it.state is State.NORMAL],
    }


def _form(station: Station, alarm: Alarm) -> dict[str, Any]:
    """As the API has it, with the words and the moments of a page."""
    is_first = station.alarms is not None and station.alarms.is_first(alarm)
    return alarm_form(alarm, is_first=is_first) | {
        "word": ALARMS[alarm.state],
        "urgency": PRIORITIES[alarm.notice.priority],
        "at": alarm.since,
        "until": alarm.shelved_until,
    }
