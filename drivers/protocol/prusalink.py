"""PrusaLink, the server inside printers of Prusa Research, by the first version of its API.

Source: openapi.yaml 1.0.0-draft of PrusaLink Web. It takes no single orders: neither a target, nor
homing, nor a fan, nor an emergency stop. The printer's own firmware switches heaters off when a
print ends or is stopped.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar, Final

from drivers.errors import BadReply, DeviceError, TurnTimeout, Unfinished
from drivers.forms import TextFile
from drivers.protocol import prusalink_replies as replies
from drivers.protocol.host_api import Look
from drivers.protocol.host_view import AT_REST
from drivers.protocol.print_host import PrintHost
from drivers.protocol.printing import Heaters, PrinterRef, PrinterStatus, PrintResult, PrintState
from drivers.protocol.printing import told as value_of
from drivers.protocol.prusalink_files import GCODE, JSON, Ask, send, tries
from drivers.protocol.prusalink_job import LastJob
from drivers.protocol.prusalink_replies import AT_LEISURE, Job, Told, accepted, short
from drivers.survey import Survey
from drivers.transport.link import Timeouts, WebLink
from drivers.transport.message import Answer, Body
from drivers.wire import Ref

START_S: Final = 60.0
"""How long a print may take from the order to its job."""
LATE_S: Final = 1.5
"""How long a stop waits for the job of a print that was ordered just before."""
COOL_S: Final = 2.0
"""How long the firmware may take to switch heaters off after a print was stopped."""

OWN_WORDS: Final = frozenset(f"print_{it}" for it in ("state", "owner", "file", "result", "reason"))
"""What is known during an upload without asking the printer."""


class PrusaLink(PrintHost):
    """The wire to a printer that has PrusaLink. Its CPU is slow: one thing is asked at a time.

    An upload is one of these, so that nothing but a stop disturbs it.
    """

    at_once: ClassVar[int] = 1
    follow: ClassVar[float] = 5.0
    again: ClassVar[float] = 2.0

    def __init__(self, link: WebLink, timeouts: Timeouts) -> None:
        super().__init__(link, timeouts)
        self.firmware: str | None = None
        """Version of the printer's firmware; None where PrusaLink does not tell it."""
        self.model = ""
        """What kind of printer it is, "" where PrusaLink does not tell it."""
        self._last = LastJob(link.kept, lambda: asyncio.get_running_loop().time())
        self._named = Job()
        self._state = ""  # the printer's own word in the last look
        self._running = ""  # the job that ran then
        self._ordered_at = (
            -math.inf
        )  # a print, whose job has not been seen yet, on the loop's clock
        self._before = ""  # the last job when it was ordered

    async def hello(self) -> str:
        """Ask for its version (GET /api/version)."""
        answer = await self.ask("GET", "/api/version", headers=JSON)
        if answer.status == 404:
            raise BadReply("there is no printer with PrusaLink: nobody knows /api/version")
        said = replies.found(answer, "tell its version")
        if not isinstance(said, dict) or not isinstance(said.get("text"), str):
            raise BadReply(f"there is no printer with PrusaLink: it says {short(said)!r}")
        self.firmware = short(said["firmware"]) if said.get("firmware") else None
        self.model = short(said.get("original", "")).removeprefix("PrusaLink").strip()
        return f"{short(said['text'])}, API {short(said.get('api', 'of unknown version'))}"

    async def serial_number(self) -> str:
        """The printer's serial number, "" where it tells none (GET /api/v1/info). Raises DriverError."""
        said = replies.found(await self._get("/api/v1/info"), "tell its serial number")
        return short(said.get("serial") or "") if isinstance(said, dict) else ""

    async def look(self) -> Look:
        """One request (GET /api/v1/status), and a second one for the file's name of each new job."""
        told = replies.told(await self._get("/api/v1/status"), self.firmware)
        self._last.is_told(told)
        self._state = told.state
        self._running = told.job if told.state not in AT_LEISURE else ""
        if told.job and told.job != self._before:
            self._ordered_at = -math.inf
        if told.job and told.job != self._named.id:
            self._named = await self._current(self.ask)
        return self._look(told)

    async def read(self, refs: Sequence[Ref[Any]]) -> list[Any]:
        """One look serves all refs. During an upload the printer is not asked. Raises LinkError, DeviceError."""
        if self._stage is not PrintState.UPLOADING:
            return await super().read(refs)
        ours = self._judged(Look(status=PrinterStatus()))
        return [self._known(ref, ours) for ref in refs]

    async def upload(self, file: TextFile, survey: Survey) -> str:
        """Send a file (PUT /api/v1/files), and compare its size; PrusaLink tells no hash.

        A file of the same name is replaced. Nothing is printed by that: the start is an order of its
        own, so that a broken upload, or one that was cancelled, never prints.
        """
        return await send(
            self.ask, file.name, Body(survey.size, partial(self._pieces, file), GCODE)
        )

    async def start(self, place: str) -> str:
        """Print (POST /api/v1/files), and wait for the job that begins with it."""
        self._before, self._ordered_at = self._last.id, asyncio.get_running_loop().time()
        answer = await self.ask("POST", place, headers=JSON)
        if not answer.ok:
            self._ordered_at = -math.inf
        accepted(answer, "print")
        if not await self._has_begun(START_S):
            raise Unfinished(
                f"the printer took the order to print, and has no job after {START_S:g} s: "
                "see its display, and stop it if it prints"
            )
        return self._named.id

    async def pause(self, job: str) -> None:
        """PUT /api/v1/job/{id}/pause."""
        accepted(await self._put(job, "pause"), "pause")

    async def resume(self, job: str) -> None:
        """PUT /api/v1/job/{id}/resume, or `continue` for a pause that the printer has made itself.

        Most firmware knows no `continue`, and none goes on before whoever stands before the printer
        has answered its question; then this says so.
        """
        if self._state != "ATTENTION":
            accepted(await self._put(job, "resume"), "go on")
            return
        answer = await self._put(job, "continue")
        if not answer.ok:
            answer = await self._put(job, "resume")
        accepted(answer, f"go on, for {replies.WAITS}")

    async def cancel(self, job: str) -> None:
        """DELETE /api/v1/job/{id}. A job that has ended meanwhile is left so."""
        await self._end(job, self.ask)

    async def cool(self) -> None:
        """Look whether the firmware has switched heaters off: PrusaLink takes no order to do so.

        Raises DeviceError where they are on after COOL_S, or a print has not ended, and where it
        does not tell.
        """
        heaters, is_at_rest = Heaters.ON, False
        async for _ in tries(COOL_S):
            status = (await self.look()).status
            heaters, is_at_rest = status.heaters, status.print.state in AT_REST
            if heaters is not Heaters.ON and is_at_rest:
                break
        if heaters is Heaters.ON:
            raise DeviceError(
                "the printer heats, and PrusaLink takes no order to switch heaters off: "
                "do it at its display"
            )
        if heaters is Heaters.UNKNOWN:
            raise DeviceError("the printer does not say whether its heaters are off")
        if not is_at_rest:
            raise DeviceError("the heaters are off, and the print has not ended yet: watch it")

    async def make_safe(self) -> None:
        """See PrinterWire. A print that was ordered just before is waited for, to be ended."""
        self._is_cancelled = True
        is_ordered = asyncio.get_running_loop().time() - self._ordered_at < START_S
        is_late = is_ordered and not await self._has_begun(LATE_S)
        await super().make_safe()
        if is_late:
            raise DeviceError("a print was ordered just before, and may still begin: watch it")

    async def halt(self) -> None:
        """End the job under way, whoever began it, past every queue.

        This is no emergency stop, for PrusaLink has none: the printer ends the job as by its own
        menu, when it has come to it, and parks the head. How fast, it alone decides. Where that is
        too slow, switch it off.
        """
        job = self._running or (await self._current(self._ask_at_once)).id
        if job and (other := await self._end(job, self._ask_at_once)):
            await self._end(other, self._ask_at_once)

    async def interrupt(self) -> None:
        """End the job under way at once, see `halt`, and let none begin. Waits for no look before."""
        self._is_cancelled = True
        await self.halt_surely()

    async def _ask_at_once(self, method: str, path: str, **how: Any) -> Answer:
        """One request beside those that are under way, and before those that wait."""
        return await self.link.ask(method, path, within=self.timeouts.first_byte, **how)

    async def _get(self, path: str) -> Answer:
        answer = await self.ask("GET", path, headers=JSON)
        if answer.status == 404:
            raise DeviceError(
                f"this PrusaLink does not know {path}: bring the printer's firmware up to date"
            )
        return answer

    async def _put(self, job: str, verb: str) -> Answer:
        return await self.ask("PUT", f"/api/v1/job/{job}/{verb}", headers=JSON)

    async def _current(self, ask: Ask) -> Job:
        return replies.job(await ask("GET", "/api/v1/job", headers=JSON))

    async def _has_begun(self, seconds: float) -> bool:
        """Whether a print that was ordered gets a job in this time: another one than the last."""
        async for _ in tries(seconds):
            job = await self._current(self.ask)
            if job.id and job.id != self._before:
                self._named, self._ordered_at = job, -math.inf
                return True
        return False

    async def _end(self, job: str, ask: Ask) -> str:
        """End a job; return the id of another one that has taken its place, "" for none."""
        answer = await ask("DELETE", f"/api/v1/job/{job}", headers=JSON)
        if answer.status in {404, 409} and (current := (await self._current(ask)).id) != job:
            return current
        accepted(answer, "end the print")
        return ""

    def _look(self, told: Told) -> Look:
        """A job that the printer does not name just now is the last one, unless that has ended."""
        report = replace(told.status.print, file=self._named.file)
        job, ended, reason = self._last.id, self._last.ended, self._last.reason
        if told.state not in AT_LEISURE and ended is not None:
            job, ended, reason = "", None, ""
        status = replace(told.status, print=report)
        return Look(status=status, job=job, ended=ended, reason=reason)

    def _known(self, ref: Ref[Any], ours: PrinterStatus) -> Any:
        if isinstance(ref, PrinterRef) and ref.name in OWN_WORDS:
            return value_of(ours, ref)
        return TurnTimeout(f"the printer is given {self._file}, and asked nothing meanwhile")

    async def _pieces(self, file: TextFile) -> AsyncIterator[bytes]:
        """The file, until somebody cancels: a body that is cut short is thrown away by the printer."""
        async for piece in file.pieces():
            if self._is_cancelled:
                raise self._ended(PrintResult.CANCELLED, "it was cancelled before it began")
            yield piece
