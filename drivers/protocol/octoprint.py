"""OctoPrint: a server that prints over a serial line. What it is told; `octoprint_view` is what it says.

Sources: docs.octoprint.org, REST API: "File operations", "Job operations", "Printer operations".
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import Any, Final

from drivers.errors import DeviceError, DriverError, LinkError, Unfinished
from drivers.forms import TextFile
from drivers.protocol import octoprint_data as data
from drivers.protocol import octoprint_jobs as jobs
from drivers.protocol.host_view import AT_REST
from drivers.protocol.octoprint_answers import difference, file_url, must
from drivers.protocol.octoprint_data import Kept
from drivers.protocol.octoprint_view import OctoPrintView
from drivers.survey import Survey
from drivers.transport.attempt import afterwards, beforehand
from drivers.transport.message import Body, multipart
from drivers.wire import Ref

UPLOAD_S: Final = 120.0
"""Seconds of silence in an upload: OctoPrint copies and hashes the file before it answers."""
START_S: Final = 20.0
"""How long a print may take to begin after OctoPrint has taken the order."""
HALT_S: Final = 5.0
SHOWN_S: Final = 5.0
"""How long OctoPrint may take to send a target, and the printer to show it."""
ROUNDING: Final = 0.51
"""Degrees Celsius by which a firmware rounds a target that it shows."""


class OctoPrint(OctoPrintView):
    """The wire to OctoPrint. It takes orders only while it is connected to its printer."""

    async def upload(self, file: TextFile, survey: Survey) -> str:
        """See HostApi: into the folder `labkeeper`; its size and SHA-1 are compared."""
        sha1 = hashlib.sha1(usedforsecurity=False)

        async def pieces() -> AsyncIterator[bytes]:
            async for piece in file.pieces():
                sha1.update(piece)
                yield piece

        content = Body(survey.size, pieces)
        form = multipart({"path": jobs.FOLDER}, "file", jobs.name_there(file.name), content)
        answer = await self.link.ask("POST", "/api/files/local", body=form, within=UPLOAD_S)
        must(answer, f"the upload of {file.name}")
        files = data.record(data.record(answer.json(), "the upload").get("files"), "files")
        place = data.path(data.record(files.get("local"), "files.local").get("path"))
        kept = await self._kept_file(place)
        if wrong := difference(kept, survey.size, sha1.hexdigest()):
            raise DeviceError(
                f"{data.words(place)}: {wrong}{await self._removed(place)}: print it again"
            )
        return place

    async def start(self, place: str) -> str:
        """See HostApi. Raises Unfinished when the print does not begin within `START_S`."""
        with beforehand():
            kept = await self._kept_file(place)
            if kept is None:
                raise DeviceError(f"{data.words(place)} is no more in OctoPrint: print it again")
        self._push.begin(place)
        answer = await self.ask("POST", file_url(place), json={"command": "select", "print": True})
        must(answer, f"to print {data.words(place)}")
        await self._begun(kept)
        return jobs.job_id(kept)

    async def pause(self, job: str) -> None:
        """See HostApi. The action is always named, for OctoPrint would toggle without one."""
        await self._order_job("a pause", command="pause", action="pause")

    async def resume(self, job: str) -> None:
        """See HostApi."""
        await self._order_job("to go on", command="pause", action="resume")

    async def cancel(self, job: str) -> None:
        """See HostApi. A print that has ended meanwhile is no error."""
        self.link.kept["cancelled"] = job
        try:
            await self._order_job("to cancel the print", command="cancel")
        except DeviceError:
            look = await self.look()
            if look.status.print.state not in AT_REST and look.job == job:
                raise

    async def cool(self) -> None:
        """See HostApi: every nozzle that was told, bed, chamber where there is one, and fan.

        OctoPrint answers when it has queued the lines. While it prints they are sent between the lines
        of the file.
        """
        tools = self._tools if len(self._tools) > 1 else []
        nozzles = [f"M104 T{tool} S0" for tool in tools] or ["M104 S0"]
        chamber = ["M141 S0"] if self._has_chamber else []
        await self._send([*nozzles, "M140 S0", *chamber, "M107"], "to cool down")

    async def halt(self) -> None:
        """Have OctoPrint send M112, past its own queue.

        It sends M112 without and with a line number, then heaters off, closes the serial port and calls
        the print failed. Then it takes no orders until somebody has reset the printer and connected it
        in OctoPrint. Whether the printer heard it, OctoPrint does not know. Source: OctoPrint 1.9,
        `util/comm.py`: M112 is an emergency command, handled while it is queued.

        Raises:
            DeviceError: OctoPrint is not connected to its printer, and has sent nothing.
        """
        order = {"command": "M112"}
        answer = await self.link.ask("POST", "/api/printer/command", json=order, within=HALT_S)
        must(answer, "M112, the emergency stop")

    async def write(self, ref: Ref[Any], value: Any) -> None:
        """Set a target, and return when OctoPrint shows it. Raises Unfinished when it does not soon."""
        await super().write(ref, value)
        name: str = getattr(ref, "name", "")
        until = asyncio.get_running_loop().time() + SHOWN_S
        with afterwards():
            while True:
                shown = getattr((await self.look()).status, name)
                if shown is not None and abs(shown - value) < ROUNDING:
                    return
                if asyncio.get_running_loop().time() >= until:
                    raise Unfinished(
                        f"OctoPrint shows {name} {shown} °C {SHOWN_S:g} s after {value:g}"
                    )
                await asyncio.sleep(self.again)

    async def order(self, line: str) -> None:
        """See HostApi. OctoPrint answers when it has queued the line, not when it is carried out."""
        await self._send([line], line)

    async def _begun(self, before: Kept) -> None:
        """Return when the print is seen under way, or has ended already. Raises Unfinished."""
        until = asyncio.get_running_loop().time() + START_S
        while asyncio.get_running_loop().time() < until:
            try:
                if await self._is_begun(before):
                    return
            except LinkError:
                pass  # the order was taken: whether it has begun is asked until the time is over
            except DeviceError:
                return  # it had the order, and lost its printer since: that is how this print ends
            await asyncio.sleep(self.again)
        raise Unfinished(
            f"OctoPrint took the order to print {data.words(before.path)} and has not begun within {START_S:g} s: "
            "see in OctoPrint what it does; if it prints yet, it is shown as somebody else's"
        )

    async def _is_begun(self, before: Kept) -> bool:
        machine = await self._machine()
        if machine.state not in AT_REST:
            return (await self._job()).path == before.path
        now = await self._kept_file(before.path)
        return now is not None and now.ended > before.ended

    async def _order_job(self, what: str, **order: str) -> None:
        must(await self.ask("POST", "/api/job", json=order), what)

    async def _send(self, lines: list[str], what: str) -> None:
        answer = await self.ask("POST", "/api/printer/command", json={"commands": lines})
        must(answer, what)

    async def _removed(self, place: str) -> str:
        """Delete a file that is not what was sent, and say whether it is gone."""
        try:
            must(await self.ask("DELETE", file_url(place)), "to delete it")
        except DriverError as error:
            return f"; it lies there still, for {error}"
        return "; it was deleted there"
