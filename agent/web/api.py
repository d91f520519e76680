"""The HTTP API, built from its routes. Importing this takes most of a second: do it late."""

from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.routing import compile_path
from starlette.types import ASGIApp

from agent.fleet.ends import of
from agent.languages.catalogues import wanted
from agent.languages.message import ENGLISH, Message, joined
from agent.settings import Api
from agent.station import Station
from agent.store.disk_threads import DiskBusy
from agent.web.about import about_views
from agent.web.actions import changes, stops
from agent.web.administrators import Administrators
from agent.web.admission import admissions
from agent.web.alarms import alarm_changes, alarm_views
from agent.web.console.problem_page import problem_page
from agent.web.console.site import add_console
from agent.web.doors import Doors
from agent.web.files import file_changes, files
from agent.web.forms import ProblemForm
from agent.web.jobs import job_changes, job_stops, job_views
from agent.web.keys import Keys
from agent.web.last_stops import last_stops
from agent.web.ledger import ledger_changes, ledger_views
from agent.web.own_session import own_session, session
from agent.web.plates import plate_changes, plate_views
from agent.web.problems import Problem
from agent.web.queue import queue_changes, queue_views
from agent.web.reservations import reservation_changes, reservation_views
from agent.web.routes import put_routes
from agent.web.run_history import run_changes, run_views
from agent.web.runs import runs
from agent.web.schedules import schedule_changes, schedule_views
from agent.web.tokens import tokens
from agent.web.unsettled import settles, unsettled_views
from agent.web.users import users
from agent.web.views import views
from agent.web.waivers import waiver_changes, waiver_views
from agent.web.wire import wire
from agent.web.wrong_parts import wrong_part

ABOUT: Final = """\
One workstation of the lab: its devices, their values, and what is asked of them.

Reading is open to programs of this machine. Changes over TCP need a token, or the session of a person
and the header `X-CSRF-Token`; on the Unix socket the caller's user is known and none is needed. Stop
needs neither. From the network, where the config opens it, reading and stop need one of them too. Requests that change something declare
their body as `Content-Type: application/json`, and a file as `application/octet-stream`. Every refusal is a problem detail (RFC 9457), whose
`outcome` says what was done."""
NO_TELEMETRY: Final[Any] = {"tracing": False, "metrics": False, "logs": False}
NOT_HERE: Final = {404: Message("Not Found"), 405: Message("Method Not Allowed")}
BY_STATUS: Final = {404: "no-such", 405: "wrong-method"}


def build_api(station: Station, settings: Api, token: str) -> ASGIApp:
    """The API of a station, behind its doors: the same for the Unix socket and for TCP."""
    return doors_of(api_of(station, settings), station, settings, token)


def doors_of(
    api: ASGIApp,
    station: Station,
    settings: Api,
    token: str,
    *,
    network: tuple[str, ...] | None = None,
) -> Doors:
    """The doors of one listener or of both on this machine; `network` has the names of the other one."""
    return Doors(api, settings, token, station.people, clock=station.clock, network=network)


def api_of(station: Station, settings: Api | None = None) -> FastAPI:
    """The API without its doors; `doors_of` puts them on."""
    api = _DescribedApi(
        title="labkeeper",
        version="1",
        description=ABOUT,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry=NO_TELEMETRY,
        exception_handlers={
            Problem: _problem,
            DiskBusy: _disk_busy,
            RequestValidationError: _wrong_request,
            HTTPException: _http_refusal,
            Exception: _defect,
        },
    )
    api.state.station, api.state.keys = station, Keys(station.clock)
    api.state.administrators = Administrators(settings.administrators if settings else None)
    put_routes(api, views, wire, files, file_changes, admissions, changes, stops)
    put_routes(api, job_views, job_changes, job_stops, queue_views, queue_changes)
    put_routes(api, reservation_views, reservation_changes, schedule_views, schedule_changes)
    put_routes(api, waiver_views, waiver_changes, alarm_views, alarm_changes)
    put_routes(api, unsettled_views, settles, runs, last_stops, plate_views, plate_changes)
    put_routes(api, session, own_session, users, tokens, about_views)
    put_routes(api, run_views, run_changes, ledger_views, ledger_changes)
    add_console(api, station)
    return api


class _DescribedApi(FastAPI):
    """An API whose document knows that every problem is a ProblemForm, also a wrong body."""

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document."""
        if self.openapi_schema is None:
            document = super().openapi()
            schemas = document["components"]["schemas"]
            problem = ProblemForm.model_json_schema(ref_template="#/components/schemas/{model}")
            for name, schema in {**problem.pop("$defs"), "ProblemForm": problem}.items():
                schemas.setdefault(name, schema)
            for path in document["paths"].values():
                for operation in path.values():
                    _drop_foreign_problem(operation["responses"])
            for name in ("HTTPValidationError", "ValidationError"):
                schemas.pop(name, None)
        return super().openapi()


def _drop_foreign_problem(responses: dict[str, Any]) -> None:
    if "application/json" in responses.get("422", {}).get("content", {}):
        del responses["422"]


async def _problem(request: Request, problem: Problem) -> Response:
    """The problem, in the language of whoever asks for one, such as a page."""
    language = wanted(request.headers.get("accept-language", ""), ENGLISH)
    return problem_page(request, problem) or problem.response(language)


async def _wrong_request(request: Request, error: RequestValidationError) -> Response:
    found = error.errors()
    parts = [wrong_part(part) for part in found]
    garbled = any(part["type"] == "json_invalid" for part in found)
    text = joined(of(part["where"], part["text"]) for part in parts)
    problem = Problem("bad-request" if garbled else "bad-value", text, errors=parts)
    return await _problem(request, problem)


async def _http_refusal(request: Request, error: HTTPException) -> Response:
    kind = BY_STATUS.get(error.status_code, "bad-request")
    asked = f"{request.method} {ascii(request.url.path)[:200]}"
    text = of(asked, NOT_HERE.get(error.status_code, error.detail))
    headers = _allow(request) if kind == "wrong-method" else error.headers or {}
    return await _problem(request, Problem(kind, text, headers=headers))


def _allow(request: Request) -> dict[str, str]:
    """What may be done with this path; the router names the methods of one of its routes alone."""
    path, allowed = request.scope["path"], dict[bool, set[str]]()
    for route in iter_route_contexts(request.app.routes):
        if compile_path(str(route.path))[0].fullmatch(path):
            allowed.setdefault(":path}" in str(route.path), set()).update(route.methods or ())
    # A path of its own is meant before one that takes whatever comes.
    return {"Allow": ", ".join(sorted(allowed.get(False) or allowed.get(True) or ()))}


async def _disk_busy(request: Request, error: DiskBusy) -> Response:
    return await _problem(request, Problem("not-kept", str(error)))


async def _defect(request: Request, _: Exception) -> Response:
    text = Message("the agent met a defect of its own; its log has more")
    return await _problem(request, Problem("defect", text))
