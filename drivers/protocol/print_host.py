"""A printer on the network, which prints files by itself: what the hosts of all makers have in common.

The agent sends a file, starts it and follows it. What somebody else has started is foreign: it is
shown, and neither paused nor cancelled. A print is known by the id that the host has given it, never
by its file's name. When the connection is lost the print goes on, and is found again by that id.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, ClassVar, Final

from drivers.errors import (
    BadReply,
    DeviceBusy,
    DeviceError,
    DriverError,
    LinkClosed,
    LinkError,
    RequestError,
)
from drivers.forms import TextFile
from drivers.protocol.host_api import HostApi, Look
from drivers.protocol.printing import (
    Heaters,
    PrintEnded,
    PrinterRef,
    PrinterStatus,
    PrintOwner,
    PrintResult,
    PrintState,
    admitted,
    told,
)
from drivers.survey import Profile
from drivers.transport.attempt import acting
from drivers.transport.link import Timeouts, WebLink
from drivers.wire import Ref

AT_REST: Final = frozenset(
    {PrintState.IDLE, PrintState.BUSY, PrintState.ATTENTION, PrintState.ERROR}
)
"""States of the host in which there is no print."""
STOP_LOOK_S: Final = 0.5
"""How long an emergency stop waits to hear that nothing is printed."""


class PrintHost(HostApi):
    """The wire to a host: what is the same for all makers. Their requests are in subclasses."""

    follow: ClassVar[float] = 1.0
    """Seconds between two looks of the command that has begun a print."""
    again: ClassVar[float] = 0.2
    """Seconds between two looks for the end of something that ends soon."""

    def __init__(self, link: WebLink, timeouts: Timeouts) -> None:
        super().__init__(link, timeouts)
        self._stage: PrintState | None = None  # ours, before or beside what the host says
        self._file = ""
        self._is_cancelled = False

    async def read(self, refs: Sequence[Ref[Any]]) -> list[Any]:
        """One look serves all refs. Raises LinkError, DeviceError."""
        status = self._judged(await self.look())
        return [told(status, ref) for ref in refs]

    async def write(self, ref: Ref[Any], value: Any) -> None:
        """Set a target. Raises DriverError."""
        codes = {"nozzle_target": "M104", "bed_target": "M140"}
        if not isinstance(ref, PrinterRef) or ref.name not in codes:
            raise TypeError(f"{ref} can't be written")
        with acting():
            await self.order(f"{codes[ref.name]} S{value:g}")

    async def print_file(self, file: TextFile, profile: Profile) -> Mapping[str, Any]:
        """Examine, upload, start and follow. See PrinterWire."""
        if self._stage is not None:
            raise DeviceBusy(f"{self._file} is being printed")
        self._stage, self._file, self._is_cancelled = PrintState.CHECKING, file.name, False
        began = asyncio.get_running_loop().time()
        try:
            self._must_be_free(await self.look())
            survey = await admitted(file, profile, by_lines=False)
            self._go_on(PrintState.UPLOADING)
            place = await self.upload(file, survey)
            self._go_on(PrintState.STARTING)
            with acting():
                job = await self.start(place)
            self.link.kept.update(job=job, result="NONE", reason="")
            self._stage = None
            if self._is_cancelled:  # while it was being started
                await self.cancel_print()
            await self._to_its_end(job)
        finally:
            self._stage = None
        seconds = asyncio.get_running_loop().time() - began
        return {"file": file.name, "sha256": survey.sha256, "seconds": round(seconds, 1)}

    async def pause_print(self) -> None:
        """See PrinterWire."""
        job = await self._ours()
        with self._showing(PrintState.PAUSING):
            with acting():
                await self.pause(job)
            await self._until({PrintState.PAUSED})

    async def resume_print(self) -> None:
        """See PrinterWire."""
        job = await self._ours()
        with self._showing(PrintState.RESUMING):
            with acting():
                await self.resume(job)
            await self._until({PrintState.PRINTING, PrintState.FINISHING})

    async def cancel_print(self) -> None:
        """See PrinterWire."""
        self._is_cancelled = True
        if self._stage in {PrintState.CHECKING, PrintState.UPLOADING, PrintState.STARTING}:
            return  # the print command ends by itself at its next step
        job = await self._ours()
        with self._showing(PrintState.CANCELLING), acting():
            await self.cancel(job)
            await self._until(AT_REST)
            await self.cool()

    async def make_safe(self) -> None:
        """See PrinterWire."""
        self._is_cancelled = True
        look = await self.look()
        if look.status.print.state not in AT_REST:
            await self.cancel(look.job)
        await self.cool()
        async for look in self._looks():
            if look.status.heaters is Heaters.UNKNOWN:
                raise DeviceError("the printer does not say whether its heaters are off")
            if look.status.heaters is Heaters.OFF:
                return

    async def interrupt(self) -> None:
        """See PrinterWire. A host at rest is left as it is; one that can't be looked at is not."""
        self._is_cancelled = True
        try:
            async with asyncio.timeout(STOP_LOOK_S):
                state = (await self.look()).status.print.state
        except (DriverError, TimeoutError):
            state = PrintState.PRINTING
        if state not in AT_REST - {PrintState.BUSY}:
            await self.halt_surely()

    async def halt_surely(self) -> None:
        """Halt, and once more when the connection had been closed at the other end: it is the same."""
        try:
            await self.halt()
        except LinkClosed:
            await self.halt()

    async def _to_its_end(self, job: str) -> None:
        """Follow a print; where it does not reach its end, ask for heaters and fan to be off."""
        try:
            await self._follow(job)
        except PrintEnded as error:
            try:
                await self.cool()
            except DriverError as also:
                error.add_note(f"the heaters could not be switched off: {also}")
            raise

    async def _follow(self, job: str) -> None:
        """Return when the job is done. Raises PrintEnded when it ends in another way."""
        while True:
            try:
                look = await self.look()
            except (LinkError, BadReply):  # the print goes on; polling finds out what is lost
                await asyncio.sleep(self.follow)
                continue
            except DeviceError as error:
                raise self._ended(PrintResult.FAILED, str(error)) from error
            self._judged(look)
            if look.job != job:
                raise self._ended(PrintResult.UNKNOWN, "another print has taken its place")
            if look.ended is PrintResult.DONE:
                return
            if look.ended is not None:
                raise self._ended(look.ended, look.reason)
            await asyncio.sleep(self.follow)

    def _ended(self, result: PrintResult, reason: str) -> PrintEnded:
        self.link.kept.update(result=result.name, reason=reason)
        words = f"{self._file}: the print has {_ENDS[result]}"
        return PrintEnded.because(result, f"{words}: {reason}" if reason else words)

    def _judged(self, look: Look) -> PrinterStatus:
        """The status, with whose print it is, and how ours ended."""
        kept, report = self.link.kept, look.status.print
        is_ours = bool(look.job) and look.job == kept.get("job")
        if is_ours and look.ended is not None:
            kept.update(result=look.ended.name, reason=look.reason)
        runs = report.state not in AT_REST
        owner = PrintOwner.AGENT if is_ours else PrintOwner.FOREIGN
        changes: dict[str, Any] = {
            "owner": owner if runs else PrintOwner.NOBODY,
            "result": PrintResult[kept.get("result", "NONE")],
            "reason": kept.get("reason", ""),
        }
        if self._stage is not None:
            changes["state"] = self._stage
        if self._stage in _BEFORE:
            changes |= {"file": self._file, "owner": PrintOwner.AGENT}
        return replace(look.status, print=replace(report, **changes))

    def _must_be_free(self, look: Look) -> None:
        report = look.status.print
        if report.state in AT_REST and report.state is not PrintState.IDLE:
            words = report.message or f"it is {report.state.name.lower()}"
            raise DeviceBusy(f"the printer takes no print now: {words}")
        if report.state is not PrintState.IDLE:
            is_ours = look.job == self.link.kept.get("job")
            whose = "" if is_ours else ", which somebody else began"
            raise DeviceBusy(f"{report.file or 'something'} is being printed{whose}")

    async def _ours(self) -> str:
        """The id of our print that is under way. Raises RequestError."""
        look = await self.look()
        report = look.status.print
        if report.state in AT_REST or not look.job:
            raise RequestError("nothing is being printed")
        if look.job != self.link.kept.get("job"):
            raise RequestError(
                f"{report.file or 'what is printed'} was begun by somebody else: it is not touched. "
                "`stop` ends it, if it must be"
            )
        return look.job

    @contextmanager
    def _showing(self, stage: PrintState) -> Iterator[None]:
        """Show a state in …ing meanwhile; what is asked for later is shown instead."""
        self._stage = stage
        try:
            yield
        finally:
            if self._stage is stage:
                self._stage = None

    async def _until(self, states: Set[PrintState]) -> None:
        """Wait until the host has reached one of these, or a print's end."""
        async for look in self._looks():
            if look.status.print.state in states | AT_REST:
                return

    async def _looks(self) -> AsyncIterator[Look]:
        """Look now, and again and again."""
        while True:
            yield await self.look()
            await asyncio.sleep(self.again)

    def _go_on(self, stage: PrintState) -> None:
        if self._is_cancelled:
            raise self._ended(PrintResult.CANCELLED, "it was cancelled before it began")
        self._stage = stage


_BEFORE: Final = frozenset({PrintState.CHECKING, PrintState.UPLOADING, PrintState.STARTING})
_ENDS: Final = {
    PrintResult.CANCELLED: "been cancelled",
    PrintResult.FAILED: "failed",
    PrintResult.INTERRUPTED: "been interrupted",
    PrintResult.UNKNOWN: "ended in an unknown way",
}
