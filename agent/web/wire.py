"""Looking at the wire: what is recorded of a device's line, now and from before its faults."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Path, Response

from agent.flight import FlightRecords
from agent.languages.message import Message
from agent.web import examples, forms
from agent.web.problems import Problem
from agent.web.routes import AT_THE_DOOR, TheDevice, TheSnapshot, TheStation, answers
from drivers.errors import UnknownName

wire = APIRouter(prefix="/api/v1/devices/{device}/wire")

FaultName = Annotated[
    str,
    Path(
        description="A recording of this device, or `last`.",
        examples=["psu1-20261122T091500.250Z"],
    ),
]


@wire.get(
    "",
    summary="What was on the line",
    responses=answers(examples.RECORDING, *AT_THE_DOOR, "no-such"),
    response_model=forms.RecordingForm,
)
async def line(worker: TheDevice, snapshot: TheSnapshot, station: TheStation) -> Response:
    """The last exchanges on the device's line, at most 200, up to now.

    Devices on one bus share a line, and so a recording.
    """
    recording = _flight(station.flight).live(worker.plan, snapshot)
    return _json(await asyncio.to_thread(recording.as_json))


@wire.get(
    "/faults",
    summary="Recordings of faults",
    responses=answers([examples.FAULT], *AT_THE_DOOR, "no-such", "not-kept"),
    response_model=list[forms.FaultForm],
)
async def faults(worker: TheDevice, station: TheStation) -> list[dict[str, Any]]:
    """What was written down when the device was lost, oldest first."""
    try:
        kept = await _flight(station.flight).faults(worker.plan.name)
    except OSError as error:
        raise _unreadable(error) from error
    return [{"name": it.name, "time": it.time, "size": it.size} for it in kept]


@wire.get(
    "/faults/{name}",
    summary="One recording of a fault",
    responses=answers(examples.RECORDING, *AT_THE_DOOR, "no-such", "not-kept"),
    response_model=forms.RecordingForm,
)
async def fault(name: FaultName, worker: TheDevice, station: TheStation) -> Response:
    """What was on the line before the device was lost, and why it was."""
    try:
        return _json(await _flight(station.flight).fault_text(worker.plan.name, name))
    except UnknownName as error:
        raise Problem("no-such", str(error)) from error
    except (OSError, ValueError) as error:
        raise _unreadable(error) from error


def _flight(flight: FlightRecords | None) -> FlightRecords:
    if flight is None:
        raise Problem("no-such", Message("this station records nothing"))
    return flight


def _unreadable(error: Exception) -> Problem:
    return Problem(
        "not-kept", Message("the recordings on disk can't be read: {error}", error=str(error))
    )


def _json(text: str) -> Response:
    """Formatted in a thread, and sent as it is: checking thousands of entries would hold up others."""
    return Response(text.encode("utf-8", "backslashreplace"), media_type="application/json")
