"""The printers and what may be printed: live progress, temperatures, plates, files and uploads."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response

from agent.fleet.plan import Plan
from agent.jobs.plate_desk import Plate
from agent.safety.admission import prints_files
from agent.safety.prints import prints
from agent.station import Station
from agent.store.file_errors import NotKept
from agent.web.console.amounts import duration, size
from agent.web.console.items import Item, device_items, job_items
from agent.web.console.live import Feeds, Seen
from agent.web.console.page import language_of, page
from agent.web.console.print_items import TEMPERATURES, plate_items, print_items
from agent.web.file_answers import listed_form
from agent.web.routes import TheStation
from agent.web.streams import Stream

printers_page = APIRouter(include_in_schema=False)

Text = Annotated[str, Query(max_length=200)]

FILES_SHOWN: Final = 100
DEEDS: Final = ("pause", "resume", "cancel")
"""Commands of a print that is under way, as far as a driver has them."""


@printers_page.get("/printers")
async def printers(request: Request, station: TheStation, text: Text = "") -> Response:
    """The page."""
    more = {**_printers(request, station), **await _files(station, text)}
    return page(request, "printers.html", live_view="/live/printers", **more)


@printers_page.get("/parts/printer-cards")
async def printer_cards(request: Request, station: TheStation) -> Response:
    """The printers alone, when one has come or gone."""
    return page(request, "parts/printer_cards.html", **_printers(request, station))


@printers_page.get("/parts/file-list")
async def file_list(request: Request, station: TheStation, text: Text = "") -> Response:
    """The files alone, when one has come or gone, or others are looked for."""
    return page(request, "parts/file_list.html", **await _files(station, text))


@printers_page.get("/live/printers")
async def live_printers(request: Request, station: TheStation) -> Stream:
    """What changes on the page."""
    feeds: Feeds = request.app.state.feeds
    language = language_of(request)

    def look() -> Seen:
        marks = {"printer-cards": tuple(plans_of(station)), "file-list": _last_change(station)}
        return Seen(_items(station, language), marks)

    return Stream(feeds.pieces("printers", language, look))


def plans_of(station: Station) -> dict[str, Plan]:
    """The plans of the devices that print files, in the order of their names."""
    shown = sorted(station.board.latest.keys() & station.workers.keys())
    plans = {name: station.workers[name].plan for name in shown}
    return {
        name: it
        for name, it in plans.items()
        if prints(it.driver_class) and prints_files(it.driver_class)
    }


def plates_of(station: Station) -> dict[str, Plate]:
    """The plates by printer; none where nobody keeps them."""
    return {it.device: it for it in station.plates.listing} if station.plates is not None else {}


def temperatures(plan: Plan) -> list[str]:
    """Those of TEMPERATURES that the driver reads."""
    return [name for name in TEMPERATURES if name in plan.driver_class.readings]


def _items(station: Station, language: str) -> dict[str, Item]:
    plans, found = plans_of(station), dict[str, Item]()
    for name, plan in plans.items():
        snapshot = station.board.latest[name]
        found |= device_items(plan, snapshot, temperatures(plan), language)
        found |= print_items(snapshot, language)
    return found | plate_items(plates_of(station), language) | job_items(station, plans, language)


def _printers(request: Request, station: Station) -> dict[str, Any]:
    now, items = station.clock.monotonic(), _items(station, language_of(request))
    return {
        "plans": plans_of(station),
        "items": {name: it.sent(now) for name, it in items.items()},
        "temperatures": temperatures,
        "DEEDS": DEEDS,
    }


async def _files(station: Station, text: str) -> dict[str, Any]:
    """The newest of the files whose names have this text, and how full the store is."""
    try:
        listing = await station.files.listing()
    except NotKept as error:
        return {"files": [], "left_out": 0, "text": text, "trouble": str(error), "room": None}
    found = [it for it in listing.files if text.casefold() in it.name.casefold()]
    found.sort(key=lambda it: (-it.modified, it.name))
    return {
        "files": [listed_form(it) | {"at": it.modified} for it in found[:FILES_SHOWN]],
        "left_out": len(found[FILES_SHOWN:]),
        "text": text,
        "trouble": "",
        "room": {"used": size(listing.used), "free": size(listing.free)},
        "duration": duration,
        "size": size,
    }


def _last_change(station: Station) -> int:
    """The number of the last event that tells of a file; 0 where there is none."""
    told = (it.number for it in reversed(station.events.kept) if it.kind.startswith("files."))
    return next(told, 0)
