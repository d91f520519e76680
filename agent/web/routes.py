"""What every route shares: who asks, the station, the device named in the address, and its docs."""

from collections import defaultdict
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, FastAPI, Path, Request, Security
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer

from agent.fleet.device import DeviceWorker
from agent.fleet.samples import Snapshot
from agent.languages.catalogues import wanted
from agent.languages.message import ENGLISH, Message
from agent.languages.words import term
from agent.roles import Actor
from agent.station import Station
from agent.web.callers import Caller
from agent.web.examples import PROBLEM
from agent.web.problems import KINDS, MEDIA_TYPE, Problem, problem_form

LONGEST_SHOWN: Final = 80
AT_THE_DOOR: Final = ("wrong-host", "wrong-origin", "too-many")
AT_THE_DOOR_TO_CHANGES: Final = (*AT_THE_DOOR, "bad-request", "too-slow", "too-large", "not-json")

WITH_TOKEN: Final[Any] = Security(
    HTTPBearer(
        auto_error=False,
        description="Needed over TCP, unless a person has signed in; not on the Unix socket.",
    )
)
"""The doors check the token, before a body is read; this says so in the documentation."""
OF_PEOPLE: Final = ("locked", "no-csrf")
"""What else a change may meet that asks for a token: those of people who have signed in."""


async def _station(request: Request) -> Station:
    station: Station = request.app.state.station
    return station


async def _actor(request: Request) -> Actor:
    actor: Actor = request.state.actor
    return actor


async def _caller(request: Request) -> Caller:
    caller: Caller = request.state.caller
    return caller


TheStation = Annotated[Station, Depends(_station)]
TheActor = Annotated[Actor, Depends(_actor)]
TheCaller = Annotated[Caller, Depends(_caller)]
DeviceName = Annotated[str, Path(description="A device of the station.", examples=["psu1"])]


async def _worker(device: DeviceName, station: TheStation) -> DeviceWorker:
    worker = station.workers.get(device)
    if worker is None:
        raise no_such("device", device, station.workers)
    return worker


TheDevice = Annotated[DeviceWorker, Depends(_worker)]


async def _snapshot(worker: TheDevice, station: TheStation) -> Snapshot:
    name = worker.plan.name
    if name not in station.board.latest:  # config has just brought or dropped it
        raise no_such("device", name, station.board.latest)
    return station.board.latest[name]


TheSnapshot = Annotated[Snapshot, Depends(_snapshot)]


async def _language(request: Request) -> str:
    return wanted(request.headers.get("accept-language", ""), ENGLISH)


TheLanguage = Annotated[str, Depends(_language)]
"""In which the caller wants to read; English where none is asked for."""


def put_routes(api: FastAPI, *routers: APIRouter) -> None:
    """Put the routes of these on the API as they are, each by its function's name.

    `include_router` makes each a second time, for what an inclusion may add and here adds nothing:
    80 ms of processor for all of them.
    """
    for router in routers:
        for route in router.routes:
            if isinstance(route, APIRoute):
                route.unique_id = route.name  # in the document, without path and method
                if route.response_field is not None:
                    route.response_field.name = f"Response_{route.name}"
            api.router.routes.append(route)


def no_such(what: str, name: str, known: Any) -> Problem:
    """The refusal of a name that nothing here has."""
    names = ", ".join(sorted(known)) or Message("none")
    return Problem(
        "no-such",
        Message(
            "no {what} is called {name}; {what}s: {names}",
            what=term(what),
            name=ascii(name)[:LONGEST_SHOWN],
            names=names,
        ),
    )


def answers(example: Any, *kinds: str, media_type: str = "application/json") -> dict[Any, Any]:
    """A route's answers for its documentation: a good one, and the problems it may end with."""
    by_status: dict[int, list[str]] = defaultdict(list)
    for kind in (*kinds, *(OF_PEOPLE if "no-token" in kinds else ())):
        by_status[KINDS[kind].status].append(kind)
    return {200: {"content": {media_type: {"example": example}}}} | {
        status: _problems(same) for status, same in sorted(by_status.items())
    }


def _problems(kinds: list[str]) -> dict[str, Any]:
    examples = {
        kind: {"summary": KINDS[kind].title, "value": problem_form(kind, _detail(kind))}
        for kind in kinds
    }
    schema = {"$ref": "#/components/schemas/ProblemForm"}
    return {
        "description": "; ".join(KINDS[kind].title for kind in kinds),
        "content": {MEDIA_TYPE: {"schema": schema, "examples": examples}},
    }


def _detail(kind: str) -> str:
    return str(PROBLEM["detail"]) if kind == "bad-value" else f"{KINDS[kind].title}."
