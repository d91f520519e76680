"""Looking: the station, its devices and their values, the drivers, and what happened."""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query

from agent.fleet.device import DeviceWorker
from agent.fleet.samples import Quality, Sample
from agent.languages.catalogues import all_in_language as said
from agent.languages.message import Message
from agent.public import (
    description_form,
    event_form,
    interlock_form,
    sample_form,
    state_form,
    utc_text,
)
from agent.web import examples, forms, paging, safety_forms
from agent.web.problems import Problem
from agent.web.routes import (
    AT_THE_DOOR,
    TheDevice,
    TheLanguage,
    TheSnapshot,
    TheStation,
    answers,
    no_such,
)
from agent.web.streams import Stream, event_pieces, events_after, state_pieces
from drivers import catalogue, describe
from drivers.errors import DriverError, UnknownName

views = APIRouter(prefix="/api/v1")

EVENTS = "text/event-stream"
ReadingName = Annotated[
    str, Path(description="A reading or setting of the device.", examples=["measured_voltage"])
]
After = Annotated[
    int | None,
    Query(
        ge=0,
        le=forms.LARGEST_WHOLE,
        description="Only events after this number. A number from before the agent's last start "
        "brings all that are kept, at most a thousand.",
        examples=[41],
    ),
]
Fresh = Annotated[bool, Query(description="Read from the device now.")]
LastEventId = Annotated[
    str, Header(description="Where a listener that comes back left off; beats `after`.")
]


@views.get(
    "/station",
    summary="The station",
    responses=answers(examples.STATION, *AT_THE_DOOR),
    response_model=forms.StationForm,
)
async def station(station: TheStation, language: TheLanguage) -> dict[str, Any]:
    """Name, version and clock of the agent, and how many of its devices answer."""
    up = sum(snapshot.state.online for snapshot in station.board.latest.values())
    return said(
        {
            "station": station.name,
            "version": station.version,
            "titles": dict(station.titles),
            "time": utc_text(station.clock.utc()),
            "devices": {"total": len(station.workers), "up": up},
        },
        language,
    )


@views.get(
    "/devices",
    summary="All devices",
    responses=answers([examples.DEVICE], *AT_THE_DOOR),
    response_model=list[forms.DeviceForm],
    response_model_exclude_unset=True,
)
async def devices(station: TheStation, language: TheLanguage) -> list[dict[str, Any]]:
    """Every device as it stands, with its latest values, in the order of their names."""
    shown = sorted(station.board.latest.items())
    found = [
        state_form(station.workers[name].plan, snapshot)
        for name, snapshot in shown
        if name in station.workers
    ]
    return said(found, language)


@views.get(
    "/devices/stream",
    summary="Devices as they change",
    responses=answers('event: state\ndata: {"device": "psu1", …}\n', media_type=EVENTS),
    response_class=Stream,
)
async def devices_stream(station: TheStation, language: TheLanguage) -> Stream:
    """Server-sent events: `state` for every device, then for each that changes.

    `removed` tells of one that the config no longer has. A comment ends 10 s of silence.
    """
    return Stream(state_pieces(station, language))


@views.get(
    "/devices/{device}",
    summary="One device",
    responses=answers(examples.DEVICE, *AT_THE_DOOR, "no-such", "bad-value", "not-read"),
    response_model=forms.DeviceForm,
    response_model_exclude_unset=True,
)
async def device(
    worker: TheDevice,
    snapshot: TheSnapshot,
    station: TheStation,
    language: TheLanguage,
    fresh: Fresh = False,
) -> dict[str, Any]:
    """The device as it stands, with its latest values, or with `fresh=true` all read anew."""
    if fresh:
        await _read_now(worker, *worker.plan.driver_class.readings)
        snapshot = station.board.latest.get(worker.plan.name, snapshot)
    return said(state_form(worker.plan, snapshot), language)


@views.get(
    "/devices/{device}/description",
    summary="What a device offers",
    responses=answers(examples.DESCRIPTION, *AT_THE_DOOR, "no-such"),
    response_model=forms.DescriptionForm,
)
async def description(worker: TheDevice, language: TheLanguage) -> dict[str, Any]:
    """Readings, settings and commands with this device's own limits, titles and poll periods."""
    return said(description_form(worker.plan), language)


@views.get(
    "/devices/{device}/readings/{reading}",
    summary="One value",
    responses=answers(
        examples.VALUE,
        *AT_THE_DOOR,
        "no-such",
        "never-read",
        "bad-value",
        "device-failed",
        "not-read",
    ),
    response_model=forms.ValueForm,
    response_model_exclude_unset=True,
)
async def reading(
    reading: ReadingName,
    worker: TheDevice,
    snapshot: TheSnapshot,
    language: TheLanguage,
    fresh: Fresh = False,
) -> dict[str, Any]:
    """The latest value with its quality, or with `fresh=true` a new one, or a problem."""
    fields = worker.plan.driver_class.readings
    if reading not in fields:
        raise no_such("reading", reading, fields)
    sample = await _new_value(worker, reading) if fresh else snapshot.samples.get(reading)
    if sample is None:
        raise Problem(
            "never-read",
            Message(
                "{name}.{reading} has not been read yet: ask for it with ?fresh=true",
                name=worker.plan.name,
                reading=reading,
            ),
        )
    return said(sample_form(sample, fields[reading].form.unit), language)


async def _new_value(worker: DeviceWorker, reading: str) -> Sample:
    """A sample that the device gave just now. Raises Problem."""
    sample = (await _read_now(worker, reading))[reading]
    if sample.quality is Quality.BAD:
        raise Problem(
            "device-failed",
            Message(
                "{name}.{reading}: {reason}",
                name=worker.plan.name,
                reading=reading,
                reason=sample.reason,
            ),
        )
    return sample


async def _read_now(worker: DeviceWorker, *readings: str) -> Mapping[str, Sample]:
    """What the device gave just now, in as few exchanges as its protocol allows. Raises Problem."""
    try:
        return await worker.read(readings)
    except DriverError as error:
        raise Problem(
            "not-read", Message("{name}: {error}", name=worker.plan.name, error=str(error))
        ) from error


@views.get(
    "/interlocks",
    summary="All interlocks",
    responses=answers([examples.INTERLOCK], *AT_THE_DOOR),
    response_model=list[safety_forms.InterlockForm],
)
async def interlocks(station: TheStation, language: TheLanguage) -> list[dict[str, Any]]:
    """Every interlock as it stands now, in the order of their names."""
    return said([interlock_form(it) for it in station.interlocks.standing()], language)


@views.get(
    "/drivers",
    summary="The catalogue",
    responses=answers([examples.DRIVER], *AT_THE_DOOR),
    response_model=list[forms.DriverForm],
)
async def drivers(language: TheLanguage) -> list[dict[str, Any]]:
    """Every driver that a config may name, and what devices of its kind offer."""
    return said(
        await asyncio.to_thread(lambda: [_driver(name) for name in catalogue.names()]), language
    )


def _driver(name: str) -> dict[str, Any]:
    try:
        return describe(name, catalogue.load(name)).as_dict()
    except (UnknownName, ImportError) as error:
        return {"driver": name, "trouble": str(error)}


@views.get(
    "/events",
    summary="What happened",
    responses=answers([examples.EVENT], *AT_THE_DOOR, "bad-value"),
    response_model=list[forms.EventForm],
)
async def events(
    station: TheStation,
    language: TheLanguage,
    after: After = None,
    limit: paging.Limit = None,
) -> list[dict[str, Any]]:
    """The last events, oldest first, at most a thousand. `after` the last number of a page is the next."""
    found = events_after(station.events, after or 0)[:limit]
    return said([event_form(event) for event in found], language)


@views.get(
    "/events/stream",
    summary="What happens",
    responses=answers(
        'event: event\ndata: {"number": 42, …}\nid: 42\n',
        *AT_THE_DOOR,
        "bad-value",
        media_type=EVENTS,
    ),
    response_class=Stream,
)
async def events_stream(
    station: TheStation,
    language: TheLanguage,
    after: After = None,
    last_event_id: LastEventId = "",
) -> Stream:
    """Server-sent events of kind `event`, from now on or after a number.

    A comment ends 10 s of silence.
    """
    number = last_event_id[:16]
    given = int(number) if number.isascii() and number.isdecimal() else after
    return Stream(event_pieces(station.events, given, language))
