"""What a request has done: every verb but those of jobs, by its name."""

from collections.abc import Awaitable, Callable
from typing import Any

from agent.fleet.samples import Outcome, Status
from agent.mqtt import payloads
from agent.mqtt.request import BadRequest, Request
from agent.roles import Actor
from agent.safety.everything import said_alone, said_of, stop_everything
from agent.station import Station
from drivers.errors import DriverError

Done = tuple[Outcome, dict[str, Any]]
"""How it ended, and what was read; {} for anything but a read."""
Deed = Callable[[Request, Actor], Awaitable[Done]]
"""Raises BadRequest where it was refused, and nobody has said so in an event yet."""


def device_deeds(station: Station) -> dict[str, Deed]:
    """What can be done with devices. The gate says in an event how each ended."""
    gate = station.gate

    async def change(request: Request, actor: Actor) -> Done:
        return await gate.set(actor, request.device, request.name, request.value), {}

    async def run(request: Request, actor: Actor) -> Done:
        return await gate.do(actor, request.device, request.name, request.arguments), {}

    async def stop(request: Request, actor: Actor) -> Done:
        if request.device:
            return said_alone(request.device, await gate.stop_soon(actor, request.device)), {}
        return said_of(await stop_everything(gate, sorted(station.workers), actor)), {}

    async def read(request: Request, _: Actor) -> Done:
        return await _read(station, request)

    return {"read": read, "set": change, "do": run, "stop": stop}


async def _read(station: Station, request: Request) -> Done:
    worker = station.workers.get(request.device)
    if worker is None:
        known = ", ".join(sorted(station.workers)) or "none"
        raise BadRequest(f"no device is called {request.device}; devices: {known}")
    readings = worker.plan.driver_class.readings
    if request.name and request.name not in readings:
        offered = ", ".join(readings) or "none"
        raise BadRequest(f"{request.name} is no reading; readings: {offered}")
    try:
        samples = await worker.read((request.name,) if request.name else tuple(readings))
    except DriverError as error:
        return Outcome(status=Status.FAILED, message=str(error)), {}
    return Outcome(status=Status.DONE), payloads.values(worker.plan, samples)
