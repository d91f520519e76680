"""The certificate of the door to other machines, taken over anew while the door stands open.

Authorities give certificates for some weeks, and a station stands for years. Connections that are
there go on with the old one; whoever comes next gets the new one.
"""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeAlias

from agent.errors import CannotStart
from agent.fleet.events import EventLog, Severity
from agent.languages.message import Message
from agent.web.tls import tls_of

LOOK_EVERY_S: Final = 10.0
"""A file that has changed is read when it was the same for so long: its key may come a moment later."""

Stamp: TypeAlias = tuple[tuple[int, int, int], ...]


class RenewedTls:
    """What the door speaks. `context` stays the same; what it shows is of the files as they are now.

    Raises CannotStart where they are no certificate and its key.
    """

    def __init__(self, certificate: Path, key: Path) -> None:
        self._files = certificate, key
        self._served = self._seen = self._stamp()
        self.context = self._newest = tls_of(certificate, key)
        self.context.sni_callback = self._show_newest
        self._told = asyncio.Event()

    def look_now(self) -> None:
        """Read the files again at once, as SIGHUP asks for."""
        self._told.set()

    async def run(self, events: EventLog, *, every: float = LOOK_EVERY_S) -> None:
        """Follow the files until cancelled; `every` is in seconds."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(every):
                    await self._told.wait()
            is_told = self._told.is_set()
            self._told.clear()
            found = await asyncio.to_thread(self._stamp)
            is_quiet, self._seen = found == self._seen, found
            if found != self._served and (is_quiet or is_told):
                await self._take_over(found, events)

    async def _take_over(self, found: Stamp, events: EventLog) -> None:
        self._served = found  # told once, also where it is refused
        try:
            self._newest = await asyncio.to_thread(tls_of, *self._files)
        except CannotStart as error:
            text = Message("the old certificate stays in use: {why}", why=str(error))
            events.add("certificate.refused", text, severity=Severity.WARNING)
        else:
            text = Message(
                "{certificate} is in use from now on, for new connections",
                certificate=str(self._files[0]),
            )
            events.add("certificate.renewed", text)

    def _show_newest(self, connection: ssl.SSLObject, _: str | None, __: ssl.SSLContext) -> None:
        """Called in each handshake, also where the client gives no name."""
        connection.context = self._newest

    def _stamp(self) -> Stamp:
        """By what a change of the files is seen; a file that is not there has none."""
        found = []
        for file in self._files:
            try:
                its = file.stat()
            except OSError:
                found.append((0, 0, 0))
            else:
                found.append((its.st_mtime_ns, its.st_size, its.st_ino))
        return tuple(found)
