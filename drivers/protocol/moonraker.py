"""Printers with Klipper behind Moonraker: its WebSocket, and HTTP for files and the emergency stop.

Sources: Moonraker, External API, "Introduction", "Server Administration", "Printer Administration"
and "File Management"; Klipper, "FAQ".
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any, Final

from drivers.errors import (
    BadReply,
    ConnectFailed,
    DeviceError,
    DriverError,
    LinkClosed,
    Unfinished,
)
from drivers.forms import TextFile
from drivers.protocol.host_api import Look
from drivers.protocol.moonraker_files import FOLDER, differs, kept, name_there, result
from drivers.protocol.moonraker_klipper import Klipper, KlipperShutDown
from drivers.protocol.moonraker_objects import fields_of, text
from drivers.protocol.moonraker_socket import Refused, short
from drivers.protocol.print_host import STOP_LOOK_S, PrintHost
from drivers.survey import Survey
from drivers.transport.attempt import acting
from drivers.transport.link import Timeouts, WebLink
from drivers.transport.message import Body, multipart

UPLOAD_S: Final = 120.0
"""Silence during an upload. A large file is read through before the answer."""
JOB_S: Final = 10.0
"""How long the history may take to tell the id of a print that was begun."""


class Moonraker(PrintHost):
    """The wire to a Moonraker. `hello` opens its WebSocket, which is closed with the link."""

    def __init__(self, link: WebLink, timeouts: Timeouts) -> None:
        super().__init__(link, timeouts)
        self._klipper: Klipper | None = None
        self._open = AsyncExitStack()

    @property
    def firmware(self) -> str:
        """Klipper's version, "" where it is not known."""
        version = self._klipper.version if self._klipper else ""
        return f"Klipper {version}" if version else ""

    async def hello(self) -> str:
        """Connect, and return Moonraker's version; Klipper need not be there.

        Raises:
            BadReply: No Moonraker answers.
            ConnectFailed: Nothing answers, or Moonraker is not running behind its web server.
            AccessRefused: It wants another key.
        """
        info = await self._server_info()
        await self._open.aclose()
        self._open = AsyncExitStack()
        self.link.on_close(self._open.aclose)
        socket = await self._open.enter_async_context(self.link.socket("/websocket"))
        components = info.get("components")
        has_history = isinstance(components, list) and "history" in components
        self._klipper = Klipper(socket, self.timeouts.first_byte, has_history=has_history)
        await self._klipper.introduce()
        return f"Moonraker {short(text(info, 'moonraker_version'))}"

    async def look(self) -> Look:
        """See HostApi. One request, but for the first look after Klipper, or a print, has begun."""
        return await self._session().look()

    async def upload(self, file: TextFile, survey: Survey) -> str:
        """See HostApi. Moonraker compares the hash, and keeps nothing when it differs."""
        if not self._session().has_history:
            raise DeviceError(
                "Moonraker keeps no history, so that a print would have no id: add [history] to its "
                "moonraker.conf, then restart it"
            )
        form = {"root": "gcodes", "path": FOLDER, "checksum": survey.sha256}
        body = multipart(form, "file", name_there(file.name), Body(survey.size, file.pieces))
        answer = await self.link.ask("POST", "/server/files/upload", body=body, within=UPLOAD_S)
        place, size = kept(result(answer, f"{file.name} was not taken"))
        if size != survey.size:
            gone = await self._deleted(place)
            raise differs(place, size, survey.size, gone)
        return place

    async def start(self, place: str) -> str:
        """See HostApi. Raises DeviceError too when the history tells no id of what was begun."""
        klipper = self._session()
        before = klipper.job.id if klipper.job else ""
        await klipper.act("printer.print.start", {"filename": place})
        try:
            async with asyncio.timeout(JOB_S):
                while (job := klipper.job) is None or job.id == before or job.file != place:
                    await klipper.ask_jobs()
                    await asyncio.sleep(self.again)
        except TimeoutError:
            raise Unfinished(
                f"the print was begun, and Moonraker's history does not tell its id within {JOB_S:g} s:"
                " it is shown as somebody else's"
            ) from None
        return job.id

    async def pause(self, job: str) -> None:
        """See HostApi. Returns when Klipper has done what its macro PAUSE says."""
        await self._session().act("printer.print.pause")

    async def resume(self, job: str) -> None:
        """See HostApi. Returns when Klipper has done what its macro RESUME says."""
        await self._session().act("printer.print.resume")

    async def cancel(self, job: str) -> None:
        """See HostApi. Returns when Klipper has done what its macro CANCEL_PRINT says."""
        await self._session().act("printer.print.cancel")

    async def cool(self) -> None:
        """See HostApi: all heaters that Klipper has, and the fan."""
        await self._script("TURN_OFF_HEATERS\nM107")

    async def halt(self) -> None:
        """See HostApi. Klipper shuts down, and takes nothing until somebody sends FIRMWARE_RESTART."""
        stop = "/printer/emergency_stop"
        answer = await self.link.ask("POST", stop, within=self.timeouts.first_byte)
        result(answer, "the emergency stop")

    async def order(self, line: str) -> None:
        """See HostApi. Raises Unfinished when Klipper takes too long over it, or over what is before it."""
        with acting():
            await self._script(line)

    async def make_safe(self) -> None:
        """See PrinterWire. In a Klipper that has shut down heaters and motors are off already.

        So says its FAQ: "Will the heaters be left on if the Raspberry Pi crashes?".
        """
        try:
            await super().make_safe()
        except KlipperShutDown:
            return

    async def interrupt(self) -> None:
        """See PrinterWire. What moves is stopped, be it a print or not; what can't be looked at, too.

        What was not at rest when it was last looked at is stopped without another look.
        """
        self._is_cancelled = True
        try:
            if self._rests() is not False:
                async with asyncio.timeout(STOP_LOOK_S):
                    await self.look()
        except KlipperShutDown:
            return
        except (DriverError, TimeoutError):
            await self.halt_surely()
        else:
            if not self._rests():
                await self.halt_surely()

    async def _server_info(self) -> Mapping[str, Any]:
        answer = await self.ask("GET", "/server/info")
        if answer.status in {502, 503, 504}:
            raise ConnectFailed(f"Moonraker is not running behind its web server ({answer.status})")
        try:
            info = fields_of(result(answer, "/server/info"), "/server/info")
        except (Refused, BadReply) as error:
            raise BadReply(f"no Moonraker answers here: {error}") from error
        if not text(info, "moonraker_version"):
            raise BadReply("no Moonraker answers here: it does not tell its version")
        return info

    def _rests(self) -> bool | None:
        return self._klipper.rests if self._klipper else None

    def _session(self) -> Klipper:
        if self._klipper is None:
            raise LinkClosed("there is no WebSocket to Moonraker yet: connect first").unsent()
        return self._klipper

    async def _deleted(self, place: str) -> str:
        """Delete a file that is not what was sent, and say whether it is gone."""
        try:
            await self._session().ask("server.files.delete_file", {"path": f"gcodes/{place}"})
        except DriverError as error:
            return f"it lies there still: {error}"
        return "it was deleted there"

    async def _script(self, lines: str) -> None:
        await self._session().act("printer.gcode.script", {"script": lines})
