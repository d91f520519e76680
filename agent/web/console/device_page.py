"""One device: everything it says, the last hour of it, and what may be asked of it."""

import asyncio
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from agent.fleet.device import DeviceWorker
from agent.fleet.events import Event
from agent.fleet.samples import Snapshot
from agent.fleet.trends import STEP_S
from agent.languages.catalogues import all_in_language, in_language
from agent.languages.names import spoken
from agent.public import description_form
from agent.station import Station
from agent.web.console.items import Items, alarms_now, device_items, job_items
from agent.web.console.live import Feeds, Seen
from agent.web.console.page import language_of, page
from agent.web.console.show import symbol, titled
from agent.web.console.station_page import open_alarms
from agent.web.routes import TheDevice, TheSnapshot, TheStation
from agent.web.streams import Stream

EVENTS_SHOWN: Final = 30
ENTRIES_SHOWN: Final = 40

device_page = APIRouter(include_in_schema=False)


@device_page.get("/devices/{device}")
async def one_device(
    request: Request, worker: TheDevice, _snapshot: TheSnapshot, station: TheStation
) -> Response:
    """The page."""
    plan, language = worker.plan, language_of(request)
    now = station.clock.monotonic()
    seen = View(station, worker, language).look()
    form = all_in_language(description_form(plan), language)
    settings = {it["name"] for it in form["settings"]}
    return page(
        request,
        "device.html",
        live_view=f"/live/devices/{plan.name}",
        plan=plan,
        title=titled(plan.titles, language, plan.name),
        form=form,
        measured=[it for it in form["readings"] if it["name"] not in settings],
        plots=_plots(form["readings"], language),
        items={name: it.sent(now) for name, it in seen.items.items()},
        snapshot=station.board.latest[plan.name],
        alarms=open_alarms(station, plan.name),
        events=_events(station, plan.name),
    )


@device_page.get("/parts/devices/{device}/alarms")
async def alarms(request: Request, worker: TheDevice, station: TheStation) -> Response:
    """The open alarms of the device alone, when they have changed."""
    found = open_alarms(station, worker.plan.name)
    return page(request, "parts/alarms.html", alarms=found, of=worker.plan.name)


@device_page.get("/parts/devices/{device}/events")
async def events(request: Request, worker: TheDevice, station: TheStation) -> Response:
    """What happened to the device alone, when something did."""
    found = _events(station, worker.plan.name)
    return page(request, "parts/events.html", events=found, plan=worker.plan)


@device_page.get("/parts/devices/{device}/wire")
async def wire(
    request: Request, worker: TheDevice, snapshot: TheSnapshot, station: TheStation
) -> Response:
    """The last exchanges on the device's line, and what was written down at its faults."""
    entries, faults, trouble = [], [], ""
    if station.flight is not None:
        recording = station.flight.live(worker.plan, snapshot)
        entries = list(await asyncio.to_thread(lambda: recording.as_dict()["entries"]))
        try:
            faults = list(await station.flight.faults(worker.plan.name))
        except OSError as error:
            trouble = str(error)
    return page(
        request,
        "parts/wire.html",
        entries=entries[-ENTRIES_SHOWN:],
        faults=faults,
        trouble=trouble,
        plan=worker.plan,
    )


@device_page.get("/parts/devices/{device}/trend")
async def trend(worker: TheDevice, station: TheStation) -> Response:
    """The last hour of each number: points STEP_S apart, the last one now."""
    points = station.trends.of(worker.plan.name) if station.trends else {}
    return JSONResponse({"step": STEP_S, "readings": points})


@device_page.get("/live/devices/{device}")
async def live_device(request: Request, worker: TheDevice, station: TheStation) -> Stream:
    """What changes on the page."""
    feeds: Feeds = request.app.state.feeds
    language = language_of(request)
    view = View(station, worker, language)
    return Stream(feeds.pieces(f"devices/{worker.plan.name}", language, view.look))


class View:
    """A device as its page shows it. Its values are written anew only when it changes."""

    def __init__(self, station: Station, worker: DeviceWorker, language: str) -> None:
        self._station, self._worker, self._language = station, worker, language
        self._kept: tuple[Snapshot, Items] | None = None

    def look(self) -> Seen:
        """Everything that there is to see now; nothing once config has dropped the device."""
        station, plan = self._station, self._worker.plan
        snapshot = station.board.latest.get(plan.name)
        if snapshot is None:
            return Seen({}, {})
        if self._kept is None or self._kept[0] is not snapshot:
            names = plan.driver_class.readings
            self._kept = snapshot, device_items(plan, snapshot, names, self._language)
        items = {**self._kept[1], **job_items(station, (plan.name,), self._language)}
        newest = next((it.number for it in _newest_first(station, plan.name)), 0)
        return Seen(items, {"alarms": alarms_now(station), "events": newest})


def _newest_first(station: Station, device: str) -> Any:
    return (it for it in reversed(station.events.kept) if it.device == device)


def _events(station: Station, device: str) -> list[Event]:
    found = _newest_first(station, device)
    return [event for event, _ in zip(found, range(EVENTS_SHOWN), strict=False)]


def _plots(readings: list[dict[str, Any]], language: str) -> list[dict[str, Any]]:
    """One plot for each unit, with the numbers that are polled in it."""
    by_unit: dict[str, list[str]] = {}
    for it in readings:
        if it["value"]["type"] in {"number", "integer"} and it["every"] > 0:
            by_unit.setdefault(symbol(it["value"]["unit"]), []).append(it["name"])
    return [
        {
            "unit": unit,
            "readings": it,
            "names": [in_language(spoken(name), language) for name in it],
        }
        for unit, it in by_unit.items()
    ]
