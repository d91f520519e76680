"""What the agent is and how it is: versions, the config in force, and its health."""

import asyncio
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query

from agent.clock import Clock
from agent.public import utc_text
from agent.station import Station
from agent.store.clock_sync import clock_synced
from agent.store.store_errors import NotRead
from agent.web import about_forms as forms
from agent.web.made_of import made_of
from agent.web.routes import AT_THE_DOOR, TheStation, answers

LOOKS: Final = 10
BETWEEN_S: Final = 0.01

Writes = Annotated[
    bool,
    Query(
        description="Whether it also tries if the broker lets it write: an empty message on its "
        "own lab/v1/<station>/reply/doctor, not retained. That takes up to 2 s."
    ),
]

about_views = APIRouter(prefix="/api/v1")


@about_views.get(
    "/about",
    summary="The agent",
    responses=answers(forms.ABOUT, *AT_THE_DOOR, "bad-value"),
    response_model=forms.AboutForm,
)
async def about(station: TheStation, *, write: Writes = False) -> dict[str, Any]:
    """Its versions, the licences of what it serves, the config in force, and its health.

    The answer takes a tenth of a second, in which it looks how late the event loop comes.
    """
    return {
        "station": station.name,
        **await asyncio.to_thread(made_of),
        "config": _config(station),
        "health": {**await _health(station), "written": await _written(station, write=write)},
    }


async def _written(station: Station, *, write: bool) -> dict[str, Any] | None:
    broker = station.broker
    if not write or broker is None or not broker.connected:
        return None
    return (await broker.tried())._asdict()


def _config(station: Station) -> dict[str, Any] | None:
    start, ledger = station.start, station.ledger
    if start is None:
        return None
    return {
        "file": str(start.settings.file),
        "sha256": ledger.provenance.config_hash if ledger is not None else None,
        "read": utc_text(start.config_read),
    }


async def _health(station: Station) -> dict[str, Any]:
    clock, start, broker = station.clock, station.start, station.broker
    room = station.disk.room if station.disk is not None else None
    linked = "off" if broker is None else "connected" if broker.connected else "disconnected"
    return {
        "uptime": round(clock.monotonic() - start.monotonic, 3) if start is not None else None,
        "loop_lag": round(await _lag(clock), 6),
        "database": await _database(station),
        "disk": room._asdict() if room is not None else None,
        "broker": linked,
        "clock_synced": await asyncio.to_thread(clock_synced),
    }


async def _lag(clock: Clock) -> float:
    """The longest in seconds that this task came later than it had asked for."""
    worst = 0.0
    for _ in range(LOOKS):
        begun = clock.monotonic()
        await clock.sleep(BETWEEN_S)
        worst = max(worst, clock.monotonic() - begun - BETWEEN_S)
    return worst


async def _database(station: Station) -> dict[str, Any]:
    why, pages = "no ledger is kept here", station.ledger_pages
    if pages is not None:
        try:
            await pages.last()
            why = ""
        except NotRead as error:
            why = str(error)
    return {"recording": station.ledger is not None, "readable": not why, "why": why}
