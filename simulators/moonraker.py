"""A Klipper printer on the network, as its Moonraker shows it: HTTP and WebSocket.

Source: moonraker.readthedocs.io, External API. Left out: users and tokens (there is one API key),
updates, power, webcams, the job queue, announcements, the bridge to Klipper's own socket.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, Final, Literal
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from simulators.form_data import parse_form
from simulators.http_socket import converse
from simulators.moonraker_files import ServerError
from simulators.moonraker_klippy import Klippy, RestartDelays
from simulators.moonraker_rpc import Moonraker
from simulators.networked_board import KLIPPER
from simulators.networked_printer import NetworkedPrinter
from simulators.networked_server import NetworkedServer, Trick
from simulators.printer_storage import PrinterStorage

API_KEY: Final = "simulated-moonraker-key"
"""The key of the simulated printer, for the header `X-Api-Key`."""

Handler = Callable[[Request], Awaitable[Response]]
Verb = Literal["GET", "POST", "DELETE"]

_ROUTES: Final[tuple[tuple[Verb, str, str], ...]] = (
    ("GET", "/server/info", "server.info"),
    ("GET", "/printer/info", "printer.info"),
    ("POST", "/printer/emergency_stop", "printer.emergency_stop"),
    ("POST", "/printer/restart", "printer.restart"),
    ("POST", "/printer/firmware_restart", "printer.firmware_restart"),
    ("GET", "/printer/objects/list", "printer.objects.list"),
    ("GET", "/printer/objects/query", "printer.objects.query"),
    ("POST", "/printer/objects/query", "printer.objects.query"),
    ("POST", "/printer/gcode/script", "printer.gcode.script"),
    ("POST", "/printer/print/start", "printer.print.start"),
    ("POST", "/printer/print/pause", "printer.print.pause"),
    ("POST", "/printer/print/resume", "printer.print.resume"),
    ("POST", "/printer/print/cancel", "printer.print.cancel"),
    ("GET", "/server/files/list", "server.files.list"),
    ("GET", "/server/files/roots", "server.files.roots"),
    ("GET", "/server/files/metadata", "server.files.metadata"),
    ("GET", "/server/history/list", "server.history.list"),
    ("GET", "/server/history/job", "server.history.get_job"),
    ("DELETE", "/server/history/job", "server.history.delete_job"),
)


class MoonrakerServer(NetworkedServer):
    """Klipper with Moonraker on a loopback port: ``async with MoonrakerServer() as server``.

    `demands_key` answers 401 to requests without `API_KEY`; otherwise every client is trusted.
    Its own tricks: ``"restart"`` restarts Klipper, with ``"firmware": false`` as RESTART does and
    with ``"error": "..."`` into that error; ``"demand_key", "on": true``.
    """

    def __init__(
        self,
        *,
        demands_key: bool = False,
        delays: RestartDelays | None = None,
        port: int = 0,
    ) -> None:
        printer, storage = NetworkedPrinter(KLIPPER), PrinterStorage()
        self.klippy = Klippy(printer, storage, delays)
        self.moonraker = Moonraker(self.klippy, API_KEY, demands_key=demands_key)
        app = Api(self.moonraker).app()
        advance = self.moonraker.advance
        super().__init__(
            app, printer, storage, key=API_KEY, advance=advance, refusal=_refusal, port=port
        )

    def restart(self, *, firmware: bool = True, error: str = "") -> None:
        """Restart Klipper, while Moonraker stays. With `error` Klipper does not become ready."""
        self.klippy.restart(firmware=firmware, error=error)

    def power_cycle(self) -> None:
        self.moonraker.history.interrupt()
        self.klippy.restart(firmware=True)

    def _demand_key(self, *, on: bool = True) -> None:
        self.moonraker.demands_key = on

    TRICKS: ClassVar[dict[str, Trick]] = {
        **NetworkedServer.TRICKS,
        "restart": restart,
        "demand_key": _demand_key,
    }


class Api:
    """Moonraker's HTTP API and its WebSocket, as an ASGI application."""

    def __init__(self, moonraker: Moonraker) -> None:
        self._moonraker = moonraker

    def app(self) -> Starlette:
        """Return the application."""
        files = "/server/files/{root}/{name:path}"
        routes = [Route(path, self._method(name), methods=[verb]) for verb, path, name in _ROUTES]
        routes += [
            Route("/server/files/upload", self._guarded(self._upload), methods=["POST"]),
            Route("/server/jsonrpc", self._guarded(self._rpc), methods=["POST"]),
            Route(files, self._guarded(self._download), methods=["GET"]),
            Route(files, self._guarded(self._delete), methods=["DELETE"]),
        ]
        unknown = {404: _not_found, 405: _not_found}
        socket = WebSocketRoute("/websocket", self._websocket)
        return Starlette(routes=[*routes, socket], exception_handlers=unknown)

    def _method(self, name: str) -> Handler:
        async def handle(request: Request) -> Response:
            params = await _params(request, name)
            result = await self._moonraker.call(name, params, None)
            return JSONResponse({"result": result})

        return self._guarded(handle)

    def _guarded(self, handle: Handler) -> Handler:
        """Ask for the key, and answer refusals as Moonraker does."""

        async def guarded(request: Request) -> Response:
            moonraker = self._moonraker
            if moonraker.demands_key and request.headers.get("X-Api-Key") != moonraker.key:
                return _refusal(401)
            try:
                return await handle(request)
            except ServerError as error:
                return _refusal(error.status, str(error))

        return guarded

    async def _upload(self, request: Request) -> Response:
        try:
            form = parse_form(request.headers.get("Content-Type", ""), await request.body())
        except ValueError as error:
            raise ServerError("File Upload Parsing Failed", 500) from error
        answer = await self._moonraker.upload(form)
        path = quote(answer["item"]["path"])
        where = f"http://{request.headers.get('Host', '')}/server/files/gcodes/{path}"
        return JSONResponse(answer, 201, {"Location": where})

    async def _download(self, request: Request) -> Response:
        root, name = request.path_params["root"], request.path_params["name"]
        content = self._moonraker.files.content(root, name)
        return Response(content, media_type="application/octet-stream")

    async def _delete(self, request: Request) -> Response:
        path = "{root}/{name}".format(**request.path_params)
        return JSONResponse({"result": self._moonraker.files.delete(path)})

    async def _rpc(self, request: Request) -> Response:
        if not request.headers.get("Content-Type", "").startswith("application/json"):
            raise ServerError("Invalid content type, application/json required")
        answer = await self._moonraker.answer((await request.body()).decode(), None)
        return Response(answer, media_type="application/json")

    async def _websocket(self, socket: WebSocket) -> None:
        await socket.accept()
        connection = self._moonraker.connect(socket.headers.get("X-Api-Key"))

        async def hear(text: str) -> None:
            answer = await self._moonraker.answer(text, connection)
            if answer is not None:
                connection.outbox.put_nowait(answer)

        try:
            await converse(socket, connection.outbox, hear)
        finally:
            self._moonraker.connections.discard(connection)


async def _params(request: Request, method: str) -> dict[str, Any]:
    """The arguments: the query, over it the body, as "HTTP API Overview" says."""
    query = dict(request.query_params)
    if method == "printer.objects.query" and request.method == "GET":
        return {"objects": {name: fields.split(",") if fields else None
                            for name, fields in query.items()}}  # fmt: skip
    if not request.headers.get("Content-Type", "").startswith("application/json"):
        return query
    try:
        body = json.loads(await request.body())
    except ValueError:
        return query
    return query | body if isinstance(body, dict) else query


def _refusal(status: int, message: str = "") -> Response:
    text = message or {401: "Unauthorized", 404: "Not Found"}.get(status, "Service Unavailable")
    return JSONResponse({"error": {"code": status, "message": text, "traceback": ""}}, status)


async def _not_found(_: Request, error: Exception) -> Response:
    return _refusal(getattr(error, "status_code", 404), "Not Found")
