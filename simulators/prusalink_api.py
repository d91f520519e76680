"""The HTTP API of PrusaLink: who may, one request at a time, the states and the job.

Sources: Prusa-Link-Web, spec/openapi.yaml; Prusa-Firmware-Buddy,
lib/WUI/link_content/prusa_link_api_v1.cpp and lib/WUI/nhttp/status_page.cpp.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from simulators.networked_job import PrintState
from simulators.prusalink_access import Access
from simulators.prusalink_files import PrusaFiles, Refused
from simulators.prusalink_state import MOUNT, PrusaState

Handler = Callable[[Request], Awaitable[Response]]

_TITLES: Final = {
    400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
    405: "Method Not Allowed", 409: "Conflict", 411: "Length Required",
    413: "Payload Too Large", 415: "Unsupported Media Type", 501: "Not Implemented",
    503: "Service Temporarily Unavailable", 507: "Insufficient Storage",
}  # fmt: skip


class Api:
    """The HTTP API, as an ASGI application."""

    def __init__(self, state: PrusaState, access: Access, latency: float) -> None:
        self._state, self._access, self._latency = state, access, latency
        self._files = PrusaFiles(state)
        self._turn = asyncio.Lock()

    def app(self) -> Starlette:
        """Return the application."""
        every = ["GET", "HEAD", "PUT", "POST", "DELETE"]
        table: dict[str, Handler] = {
            "/api/version": self._get(self._state.version),
            "/api/v1/info": self._get(self._state.info),
            "/api/v1/status": self._get(self._state.status),
            "/api/v1/storage": self._get(self._state.storages),
            "/api/v1/job": self._get(self._state.job),
            "/api/v1/transfer": self._get(lambda: self._state.transfer),
            "/api/v1/job/{rest:path}": self._command,
            "/api/v1/files/{path:path}": self._files.answer,
            MOUNT + "/{path:path}": self._files.download,
            "/{path:path}": self._nothing,
        }
        routes = [Route(path, self._guarded(h), methods=every) for path, h in table.items()]
        return Starlette(routes=routes)

    def _guarded(self, handle: Handler) -> Handler:
        """Take one request at a time, ask who it is, and answer refusals as PrusaLink does."""

        async def guarded(request: Request) -> Response:
            async with self._turn:
                await asyncio.sleep(self._latency)
                if challenge := self._challenge(request):
                    answer = _answer(401, request)
                    answer.headers["WWW-Authenticate"] = challenge
                    return answer
            try:
                return await handle(request)
            except Refused as refused:
                return _answer(refused.status, request, refused.message)

        return guarded

    def _challenge(self, request: Request) -> str | None:
        raw, query = request.scope["raw_path"].decode(), request.scope["query_string"].decode()
        target = f"{raw}?{query}" if query else raw
        return self._access.refusal(request.method, target, dict(request.headers))

    def _get(self, read: Callable[[], dict[str, Any] | None]) -> Handler:
        async def handle(request: Request) -> Response:
            if request.method not in ("GET", "HEAD"):
                raise Refused(405)
            found = read()
            return Response(status_code=204) if found is None else JSONResponse(found)

        return handle

    async def _nothing(self, _: Request) -> Response:
        raise Refused(404)

    # The job

    async def _command(self, request: Request) -> Response:
        number, _, command = request.path_params["rest"].partition("/")
        if not number.isdigit():
            raise Refused(400)
        if int(number) != self._state.job_number() or not self._state.printer.jobs:
            raise Refused(404)
        commands = {
            ("DELETE", ""): self._stop,
            ("PUT", "pause"): self._pause,
            ("PUT", "resume"): self._resume,
            ("PUT", "continue"): self._continue,
        }
        act = commands.get((request.method, command))
        if act is None:
            raise Refused(400 if request.method == "PUT" else 405)
        act()
        return Response(status_code=204)

    def _stop(self) -> None:
        if self._state.word not in ("PRINTING", "PAUSED", "ATTENTION"):
            raise Refused(409)
        if not self._state.printer.state_is(PrintState.CANCELLING):
            self._state.printer.cancel()

    def _pause(self) -> None:
        if self._state.word != "PRINTING":
            raise Refused(409)
        if self._state.printer.state_is(PrintState.STARTING, PrintState.PRINTING):
            self._state.printer.pause()  # else it is accepted and nothing comes of it

    def _resume(self) -> None:
        if self._state.word != "PAUSED":
            raise Refused(409)
        if self._state.printer.state_is(PrintState.PAUSED):
            self._state.printer.resume()  # else, as with a pause

    def _continue(self) -> None:
        raise Refused(409, "No capture is being waited for")


def refusal(status: int) -> Response:
    """Return what a refused request is answered, as text."""
    return PlainTextResponse(f"{_title(status)}\n\n\n", status)


def _answer(status: int, request: Request, message: str = "") -> Response:
    """A refusal, as JSON for who accepts that."""
    if "application/json" in request.headers.get("Accept", ""):
        said = {"title": _title(status), "message": message, "text": message}
        return JSONResponse(said, status)
    return PlainTextResponse(f"{_title(status)}\n\n{message}\n", status)


def _title(status: int) -> str:
    return f"{status}: {_TITLES.get(status, '???')}"
