"""The REST API of OctoPrint and its socket, as an ASGI application.

Source: docs.octoprint.org, REST API: "General information" (keys, login), "Version information",
"Server information", and the pages of each resource.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from simulators.form_data import parse_form
from simulators.http_socket import converse
from simulators.octoprint_data import VERSION, OctoData
from simulators.octoprint_files import TRUE, OctoFiles, Refused
from simulators.octoprint_host import Conflict
from simulators.octoprint_orders import USER, OctoOrders
from simulators.octoprint_push import SESSION, OctoPush

Handler = Callable[[Request], Awaitable[Response]]
Json = dict[str, Any]
DENIED: Final = (
    "You don't have the permission to access the requested resource. "
    "It is either read-protected or not readable by the server."
)
NO_CONTENT: Final = 204


class Api:
    """Everything below ``/api``, ``/downloads`` and ``/sockjs``."""

    def __init__(self, data: OctoData, push: OctoPush, key: str) -> None:
        self._data, self._host, self._push, self._key = data, data.host, push, key
        self._files, self._orders = OctoFiles(data.host), OctoOrders(data.host)

    def app(self) -> Starlette:
        """Return the application."""
        file = "/api/files/{location}/{path:path}"
        table: tuple[tuple[str, str, Handler], ...] = (
            ("GET", "/api/version", self._version),
            ("GET", "/api/server", self._server),
            ("GET", "/api/login", self._login),
            ("POST", "/api/login", self._login),
            ("GET", "/api/connection", self._connection),
            ("POST", "/api/connection", self._ordered(self._orders.connection)),
            ("GET", "/api/printer", self._printer),
            ("GET", "/api/printer/tool", self._heater("tool0")),
            ("GET", "/api/printer/bed", self._heater("bed")),
            ("GET", "/api/printer/error", self._last_error),
            ("POST", "/api/printer/printhead", self._ordered(self._orders.printhead)),
            ("POST", "/api/printer/tool", self._ordered(self._orders.tool)),
            ("POST", "/api/printer/bed", self._ordered(self._orders.bed)),
            ("POST", "/api/printer/command", self._ordered(self._orders.commands)),
            ("GET", "/api/job", self._job),
            ("POST", "/api/job", self._ordered(self._orders.job)),
            ("GET", "/api/files", self._list),
            ("GET", "/api/files/{location}", self._list),
            ("POST", "/api/files/{location}", self._upload),
            ("GET", file, self._describe),
            ("POST", file, self._command),
            ("DELETE", file, self._delete),
            ("GET", "/downloads/files/{location}/{path:path}", self._download),
        )
        routes = [Route(path, self._guarded(h), methods=[verb]) for verb, path, h in table]
        info = Route("/sockjs/info", self._sockjs)
        socket = WebSocketRoute("/sockjs/websocket", self._websocket)
        return Starlette(
            routes=[*routes, info, socket], exception_handlers={404: _unknown, 405: _unknown}
        )

    def _guarded(self, handle: Handler) -> Handler:
        """Ask for the key, and answer refusals as OctoPrint does."""

        async def guarded(request: Request) -> Response:
            bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
            query = request.query_params.get("apikey", bearer)
            if request.headers.get("X-Api-Key", query) != self._key:
                return refusal(403, DENIED)
            try:
                return await handle(request)
            except Conflict as conflict:
                return refusal(409, str(conflict))
            except Refused as refused:
                return refusal(refused.status, str(refused))

        return guarded

    def _ordered(self, order: Callable[[Json], None]) -> Handler:
        async def handle(request: Request) -> Response:
            body = await _json(request)
            changes_connection = request.url.path == "/api/connection"
            if not changes_connection and not self._host.operational:
                raise Conflict("Printer is not operational")
            order(body)
            return Response(status_code=NO_CONTENT)

        return handle

    # What it is

    async def _version(self, _: Request) -> Response:
        return JSONResponse({"api": "0.1", "server": VERSION, "text": f"OctoPrint {VERSION}"})

    async def _server(self, _: Request) -> Response:
        return JSONResponse({"version": VERSION, "server": VERSION, "safemode": None})

    async def _login(self, request: Request) -> Response:
        asked = dict(request.query_params)
        if request.method == "POST":
            asked |= await _json(request)
        if asked.get("passive", False) not in TRUE:
            raise Refused(401, "User unknown or password invalid")
        rights: Json = {"active": True, "admin": True, "user": True, "apikey": None, "settings": {}}
        names = {"name": USER, "session": SESSION, "_is_external_client": False}
        return JSONResponse(names | rights | {"permissions": [], "groups": ["admins"]})

    async def _connection(self, _: Request) -> Response:
        port = {"port": "/dev/ttyACM0", "baudrate": 115200}
        current = port if self._host.operational else {"port": None, "baudrate": None}
        options = {
            "ports": ["AUTO", "/dev/ttyACM0"],
            "baudrates": [115200],
            "portPreference": "/dev/ttyACM0",
            "baudratePreference": 115200,
            "autoconnect": True,
        }
        state = {"state": self._host.text, "printerProfile": "_default"}
        return JSONResponse({"current": state | current, "options": options})

    # The printer and the job

    async def _printer(self, request: Request) -> Response:
        self._need_operational()
        excluded = request.query_params.get("exclude", "").split(",")
        parts: dict[str, Json] = {
            "temperature": self._temperatures(request),
            "state": self._data.state(),
        }
        return JSONResponse({name: part for name, part in parts.items() if name not in excluded})

    def _heater(self, name: str) -> Handler:
        async def handle(request: Request) -> Response:
            self._need_operational()
            found = self._temperatures(request)
            history = {"history": found["history"]} if "history" in found else {}
            return JSONResponse({name: found[name]} | history)

        return handle

    def _temperatures(self, request: Request) -> Json:
        found: Json = {n: t | {"offset": 0} for n, t in self._data.temperatures().items()}
        if request.query_params.get("history") in TRUE:
            limit = int(request.query_params.get("limit", "300"))
            found["history"] = list(self._data.temps)[-limit:]
        return found

    async def _last_error(self, _: Request) -> Response:
        return JSONResponse({"error": self._host.error, "reason": "" if not self._host.error
                             else "firmware"})  # fmt: skip

    async def _job(self, _: Request) -> Response:
        error = {"error": self._host.error} if self._host.error else {}
        job = {"job": self._data.job(), "progress": self._data.progress()}
        return JSONResponse(job | {"state": self._host.text} | error)

    def _need_operational(self) -> None:
        if not self._host.operational:
            raise Conflict("Printer is not operational")

    # Files

    async def _list(self, request: Request) -> Response:
        _local(request)
        return JSONResponse(self._files.listing(_base(request)))

    async def _upload(self, request: Request) -> Response:
        _local(request)
        try:
            form = parse_form(request.headers.get("Content-Type", ""), await request.body())
        except ValueError as error:
            raise Refused(400, str(error)) from error
        answer = self._files.upload(form, _base(request), USER)
        where = answer["files"]["local"]["refs"]["resource"]
        return JSONResponse(answer, 201, {"Location": where})

    async def _describe(self, request: Request) -> Response:
        file = self._files.find(_local(request))
        return JSONResponse(self._files.describe(file, _base(request)))

    async def _command(self, request: Request) -> Response:
        path, order = _local(request), await _json(request)
        if order.get("command") not in ("select", "unselect"):
            raise Refused(400, "command is invalid")
        self._files.command(path, order, USER)
        return Response(status_code=NO_CONTENT)

    async def _delete(self, request: Request) -> Response:
        self._files.delete(_local(request))
        return Response(status_code=NO_CONTENT)

    async def _download(self, request: Request) -> Response:
        file = self._files.find(_local(request))
        return Response(file.content, media_type="text/plain; charset=utf-8")

    # The socket

    async def _sockjs(self, _: Request) -> Response:
        """What a SockJS client asks first, to learn that there is a WebSocket."""
        return JSONResponse({"websocket": True, "cookie_needed": False, "origins": ["*:*"]})

    async def _websocket(self, socket: WebSocket) -> None:
        await socket.accept()
        listener = self._push.connect()

        async def hear(text: str) -> None:
            self._push.hear(listener, text)

        try:
            await converse(socket, listener.outbox, hear)
        finally:
            self._push.listeners.discard(listener)


async def _json(request: Request) -> Json:
    if "json" not in request.headers.get("Content-Type", ""):
        raise Refused(400, "Expected content-type JSON")
    try:
        body = json.loads(await request.body())
    except ValueError as error:
        raise Refused(400, "Malformed JSON body in request") from error
    if not isinstance(body, dict):
        raise Refused(400, "Malformed JSON body in request")
    return body


def _local(request: Request) -> str:
    """The path of the file that is asked for; there is one location."""
    if request.path_params.get("location", "local") != "local":
        raise Refused(404, f"Unknown location: {request.path_params['location']}")
    return str(request.path_params.get("path", ""))


def _base(request: Request) -> str:
    return f"http://{request.headers.get('Host', '')}"


def refusal(status: int, message: str = "Service Unavailable") -> Response:
    """Return what a refused request is answered."""
    return JSONResponse({"error": message}, status)


async def _unknown(_: Request, error: Exception) -> Response:
    return refusal(getattr(error, "status_code", 404), "Not Found")
