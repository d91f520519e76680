"""Moonraker's JSON-RPC: connections, answers and errors, subscriptions and notifications.

Sources: moonraker.readthedocs.io, External API, "Introduction" and "JSON-RPC notifications". Codes
of errors as `moonraker/common.py` gives them: a refusal keeps its HTTP status, but 404 becomes
-32601 and 401 becomes -32602.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from simulators.form_data import FormPart
from simulators.moonraker_files import MoonrakerFiles, ServerError
from simulators.moonraker_history import History
from simulators.moonraker_klippy import Klippy, KlippyState, NotConnected
from simulators.moonraker_methods import METHODS, Params, identify
from simulators.moonraker_objects import Status, Wanted, query
from simulators.networked_gcode import GcodeError, Script

UPDATE_S: Final = 0.25
"""How often changes of subscribed objects are told, in seconds (klippy/webhooks.py)."""

HTTP_CODES: Final = {404: -32601, 401: -32602}


@dataclass(eq=False)
class Connection:
    """Somebody on the WebSocket. `trusted` is whether requests are carried out for them."""

    number: int
    trusted: bool
    outbox: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    identified: bool = False
    wanted: Wanted = field(default_factory=dict)
    told: dict[str, Status] = field(default_factory=dict)

    def push(self, message: Mapping[str, Any]) -> None:
        """Send a message, after those before it."""
        self.outbox.put_nowait(json.dumps(message))


class Moonraker:
    """The server: who is connected, what it knows, what it tells.

    `demands_key` refuses requests without `key`; otherwise everybody is a trusted client.
    """

    def __init__(self, klippy: Klippy, key: str, *, demands_key: bool) -> None:
        self.klippy, self.key, self.demands_key = klippy, key, demands_key
        self.history = History(klippy.storage.has)
        self.files = MoonrakerFiles(klippy, self.history)
        self.connections: set[Connection] = set()
        self._numbers = 1_730_000_000
        self._until_update = 0.0
        klippy.on_event = self._note_event
        klippy.on_job = lambda job, end: self.history.note(job, end, klippy.printer.clock)
        klippy.printer.board.say = lambda text: self.notify("gcode_response", text)
        self.history.on_change = lambda action, job: self.notify(
            "history_changed", {"action": action, "job": job}
        )
        self.files.on_change = lambda change: self.notify("filelist_changed", change)

    # Connections

    def connect(self, key: str | None) -> Connection:
        """Take a new connection; without the key it has to identify itself, if one is demanded."""
        self._numbers += 1
        connection = Connection(self._numbers, not self.demands_key or key == self.key)
        self.connections.add(connection)
        return connection

    def notify(self, name: str, *params: object) -> None:
        """Tell everybody who may know."""
        message: dict[str, Any] = {"jsonrpc": "2.0", "method": f"notify_{name}"}
        if params:
            message["params"] = list(params)
        for connection in self.connections:
            if connection.trusted:
                connection.push(message)

    def advance(self, dt: float) -> None:
        """Let time pass; tell subscribers what has changed, four times a second."""
        self.klippy.advance(dt)
        self._until_update -= dt
        if self._until_update > 0:
            return
        self._until_update = UPDATE_S
        for connection in self.connections:
            if connection.wanted and self.klippy.connected:
                self._update(connection)

    def _update(self, connection: Connection) -> None:
        status = query(self.klippy, connection.wanted)
        changes = {}
        for name, fields in status.items():
            told = connection.told.get(name, {})
            changed = {f: v for f, v in fields.items() if f not in told or told[f] != v}
            if changed:
                changes[name] = changed
        connection.told = status
        if changes:
            params = [changes, self.event_time]
            connection.push({"jsonrpc": "2.0", "method": "notify_status_update", "params": params})

    def _note_event(self, event: str) -> None:
        if event == "disconnected":
            for connection in self.connections:
                connection.wanted, connection.told = {}, {}
        self.notify(f"klippy_{event}")

    @property
    def event_time(self) -> float:
        """Seconds of Klipper's monotonic clock."""
        return round(self.klippy.printer.board.now, 6)

    # Requests

    async def answer(self, text: str, connection: Connection | None) -> str | None:
        """Carry out one JSON-RPC message; None when it wants no answer."""
        try:
            request = json.loads(text)
        except ValueError:
            return _error(-32700, "Parse error", None)
        if isinstance(request, list):
            answers = [await self._answer(one, connection) for one in request]
            return f"[{','.join(a for a in answers if a is not None)}]"
        return await self._answer(request, connection)

    async def _answer(self, request: Any, connection: Connection | None) -> str | None:
        if not isinstance(request, dict) or request.get("jsonrpc") != "2.0":
            return _error(-32600, "Invalid Request", None)
        number, method = request.get("id"), request.get("method")
        if not isinstance(method, str):
            return _error(-32600, "Invalid Request", number)
        params = request.get("params", {})
        if not isinstance(params, dict):
            return _error(-32602, "Invalid params:", number)
        try:
            result = await self.call(method, params, connection)
        except ServerError as error:
            return _error(HTTP_CODES.get(error.status, error.status), str(error), number)
        except (TypeError, ValueError) as error:
            return _error(-32602, f"Invalid params:\n{error}", number)
        if number is None:
            return None
        return json.dumps({"jsonrpc": "2.0", "result": result, "id": number})

    async def call(self, method: str, params: Params, connection: Connection | None) -> Any:
        """Carry out one method. Raises `ServerError`, and `TypeError` for a wrong argument."""
        handler = METHODS.get(method)
        if handler is None:
            raise ServerError("Method not found", 404)
        if connection is not None and not connection.trusted and handler is not identify:
            raise ServerError("Unauthorized", 401)
        return await handler(self, params, connection)

    async def gcode(self, text: str) -> str:
        """Run G-code and wait until it is done. Raises `ServerError` when it fails."""
        done: asyncio.Future[Script] = asyncio.get_running_loop().create_future()

        def finish(script: Script) -> None:
            if not done.done():
                done.set_result(script)

        try:
            self.klippy.run(text).then(finish)
        except NotConnected as error:
            raise ServerError(str(error), 503) from error
        except GcodeError as error:
            raise ServerError(str(error)) from error
        script = await done
        if script.error:
            raise ServerError(script.error, 400 if self.klippy.connected else 503)
        return "ok"

    async def upload(self, form: dict[str, FormPart]) -> dict[str, Any]:
        """Keep a file and print it if asked to. That it does not start is said, and is no error.

        Raises `ServerError`.
        """
        change, wanted = self.files.upload(form)
        started = False
        if wanted and self.klippy.state is KlippyState.READY and not self.klippy.printer.active:
            with contextlib.suppress(ServerError):
                started = bool(await self.start_print(change["item"]["path"]))
        return change | {"print_started": started, "print_queued": False}

    async def start_print(self, name: str) -> str:
        """Start to print a file. Raises `ServerError`."""
        quoted = name.replace('"', '\\"')
        return await self.gcode(f'SDCARD_PRINT_FILE FILENAME="{quoted}"')


def _error(code: int, message: str, number: object) -> str:
    error = {"code": code, "message": message}
    return json.dumps({"jsonrpc": "2.0", "error": error, "id": number})
