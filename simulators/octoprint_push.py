"""What OctoPrint pushes to those on its socket, as plain JSON over ``/sockjs/websocket``.

Source: docs.octoprint.org, REST API, "Push updates". One is told `connected` at once, and the rest
after an `auth` message with the session of a login: `history`, then `current` at most every half
second times one's `throttle`, when there is something new, and each `event`.
"""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from simulators.octoprint_data import VERSION, OctoData

Json = dict[str, Any]
UPDATE_S: Final = 0.5
SESSION: Final = "5e55100000000000"
"""The session that a login with the API key gives."""

_log = logging.getLogger(__name__)


@dataclass(eq=False)
class Listener:
    """Somebody on the socket. `throttle` multiplies the time between two `current` messages."""

    outbox: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    trusted: bool = False
    throttle: int = 1
    wait: float = 0.0
    told: Json = field(default_factory=dict)
    reports: int = 0

    def push(self, kind: str, payload: object) -> None:
        """Send one message."""
        self.outbox.put_nowait(json.dumps({kind: payload}))


class OctoPush:
    """Tells those who listen. `user` is who a session belongs to."""

    def __init__(self, data: OctoData, user: str) -> None:
        self._data, self._user = data, user
        self.listeners: set[Listener] = set()
        data.host.on_event = self._event

    def connect(self) -> Listener:
        """Take a new listener, and say who is speaking."""
        listener = Listener()
        self.listeners.add(listener)
        about = {"version": VERSION, "display_version": VERSION, "branch": "master"}
        hashes = {"plugin_hash": "0" * 32, "config_hash": "0" * 32}
        listener.push("connected", {"apikey": "0" * 32, **about, **hashes})
        return listener

    def hear(self, listener: Listener, text: str) -> None:
        """Take a message of a listener; what is none is logged and ignored, as OctoPrint does."""
        try:
            message = json.loads(text)
        except ValueError:
            message = None
        if not isinstance(message, dict):
            _log.warning("a listener sent no JSON object: %r", text)
            return
        if message.get("auth") == f"{self._user}:{SESSION}":
            self._welcome(listener)
        elif "auth" in message:
            _log.warning("a listener sent a session that there is not")
        throttle = message.get("throttle")
        if isinstance(throttle, int) and throttle >= 1:
            listener.throttle = throttle

    def advance(self, dt: float) -> None:
        """Let time pass, and tell what is new."""
        self._data.advance(dt)
        for listener in self.listeners:
            listener.wait -= dt
            if listener.trusted and listener.wait <= 0:
                self._update(listener)

    def _welcome(self, listener: Listener) -> None:
        listener.trusted = True
        listener.told, listener.reports = self._data.current(), self._data.reports
        listener.wait = UPDATE_S * listener.throttle
        listener.push("history", self._full(listener.told, list(self._data.temps)))

    def _update(self, listener: Listener) -> None:
        now, fresh = self._data.current(), self._data.reports - listener.reports
        if now == listener.told and fresh == 0:
            return
        listener.told, listener.reports = now, self._data.reports
        listener.wait = UPDATE_S * listener.throttle
        temps = list(islice(self._data.temps, max(len(self._data.temps) - fresh, 0), None))
        listener.push("current", self._full(now, temps))

    def _full(self, current: Json, temps: list[Json]) -> Json:
        rest = {"logs": [], "messages": [], "serverTime": self._data.host.printer.clock}
        return current | {"temps": temps} | rest

    def _event(self, name: str, payload: Json) -> None:
        for listener in self.listeners:
            if listener.trusted:
                listener.push("event", {"type": name, "payload": payload})
