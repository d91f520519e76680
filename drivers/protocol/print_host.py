"""A printer on the network, which prints files by itself: what the hosts of all makers have in common.

The agent sends a file, starts it and follows it. What somebody else has started is foreign: it is
shown, and neither paused nor cancelled. A print is known by the id that the host has given it, never
by its file's name. When the connection is lost the print goes on, and is found again by that id.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from drivers.errors import (
    AccessRefused,
    BadReply,
    DeviceBusy,
    DeviceError,
    DriverError,
    LinkClosed,
    LinkError,
    Unfinished,
)
from drivers.forms import TextFile
from drivers.protocol.host_api import Look
from drivers.protocol.host_view import AT_REST, BEFORE, HostView
from drivers.protocol.printing import (
    Heaters,
    PrintEnded,
    PrinterRef,
    PrintResult,
    PrintState,
    admitted,
    told,
)
from drivers.survey import Profile
from drivers.transport.attempt import acting, beforehand
from drivers.transport.link import Timeouts, WebLink
from drivers.wire import Ref

LATE_S: Final = 1.5
"""How long a stop waits for a print that was ordered just before, to end it."""
STOP_LOOK_S: Final = 0.5
"""How long an emergency stop waits to hear that nothing is printed."""


class PrintHost(HostView):
    """The wire to a host: what is the same for all makers. Their requests are in subclasses."""

    follow: ClassVar[float] = 1.0
    """Seconds between two looks of the command that has begun a print."""

    def __init__(self, link: WebLink, timeouts: Timeouts) -> None:
        super().__init__(link, timeouts)
        self._is_cancelled = False
        self._is_ordered = False  # a print was ordered, and its job is not known yet
        self._over = asyncio.Event()  # the print command is over

    async def read(self, refs: Sequence[Ref[Any]]) -> list[Any]:
        """One look serves all refs. Raises LinkError, DeviceError."""
        status = self._judged(await self.look())
        return [told(status, ref) for ref in refs]

    async def write(self, ref: Ref[Any], value: Any) -> None:
        """Set a target. Raises DriverError."""
        codes = {"nozzle_target": "M104", "bed_target": "M140"}
        if not isinstance(ref, PrinterRef) or ref.name not in codes:
            raise TypeError(f"{ref} can't be written")
        await self.must_not_be_foreign()
        with acting():
            await self.order(f"{codes[ref.name]} S{value:g}")

    async def print_file(self, file: TextFile, profile: Profile) -> Mapping[str, Any]:
        """Examine, upload, start and follow. See PrinterWire."""
        if self._stage is not None:
            raise DeviceBusy(f"{self._file} is being printed")
        self._stage, self._file, self._is_cancelled = PrintState.CHECKING, file.name, False
        self._over.clear()
        began = asyncio.get_running_loop().time()
        try:
            with beforehand():
                self._must_be_free(await self.look())
            survey = await admitted(file, profile, by_lines=False)
            self._go_on(PrintState.UPLOADING)
            place = await self.upload(file, survey)
            self._go_on(PrintState.STARTING)
            with beforehand():  # an upload takes long, and somebody may have begun meanwhile
                self._must_be_free(await self.look())
            job = await self._started(place)
            self.link.kept.update(job=job, result="NONE", reason="")
            self._stage = None
            if self._is_cancelled:  # while it was being started
                await self._cancel_begun(job)
            await self._to_its_end(job)
        finally:
            self._stage = None
            self._over.set()
        seconds = asyncio.get_running_loop().time() - began
        return {"file": file.name, "sha256": survey.sha256, "seconds": round(seconds, 1)}

    async def pause_print(self) -> None:
        """See PrinterWire."""
        job = await self._ours()
        with self._showing(PrintState.PAUSING):
            with acting():
                await self.pause(job)
            await self._until({PrintState.PAUSED}, job)

    async def resume_print(self) -> None:
        """See PrinterWire."""
        job = await self._ours()
        with self._showing(PrintState.RESUMING):
            with acting():
                await self.resume(job)
            await self._until({PrintState.PRINTING, PrintState.FINISHING}, job)

    async def cancel_print(self) -> None:
        """See PrinterWire."""
        self._is_cancelled = True
        if self._stage in BEFORE:  # the print command ends by itself at its next step
            if self._stage is not PrintState.STARTING:
                return  # nothing was ordered: no order follows a cancel
            await self._over.wait()
            if self._is_ordered:
                raise Unfinished("the print was ordered, and may still begin: watch the printer")
            return
        await self._cancel(await self._ours())

    async def _cancel(self, job: str) -> None:
        with self._showing(PrintState.CANCELLING), acting():
            await self.cancel(job)
            look = await self._until(AT_REST, job)
            if look.job == job and look.status.print.state in AT_REST:
                await self.cool()

    async def _cancel_begun(self, job: str) -> None:
        """Cancel a print that has just begun; one that an emergency stop has ended takes no cancel."""
        try:
            await self._cancel(job)
        except DeviceError:
            await self._look_on()
            raise

    async def make_safe(self) -> None:
        """See PrinterWire."""
        self._is_cancelled = True
        was_ordered, self._is_ordered = self._is_ordered, False
        look = await self._late_print() if was_ordered else await self.look()
        if look.status.print.state not in AT_REST:
            was_ordered = False
            await self.cancel(look.job)
        await self.cool()
        async for look in self._looks():
            if look.status.heaters is Heaters.UNKNOWN:
                raise DeviceError("the printer does not say whether its heaters are off")
            if look.status.heaters is Heaters.OFF and was_ordered:
                raise DeviceError("a print was ordered just before, and may still begin: watch it")
            if look.status.heaters is Heaters.OFF:
                return

    async def interrupt(self) -> None:
        """See PrinterWire. A host at rest is left as it is; one that can't be looked at is not."""
        self._is_cancelled = True
        if self._is_ordered:  # it may begin at any moment
            await self.halt_surely()
            return
        try:
            async with asyncio.timeout(STOP_LOOK_S):
                state = (await self.look()).status.print.state
        except (DriverError, TimeoutError):
            state = PrintState.PRINTING
        if state not in AT_REST - {PrintState.BUSY}:
            await self.halt_surely()

    async def _started(self, place: str) -> str:
        """Order a print, and remember that until its job is known, or it was refused."""
        self._is_ordered = True
        with acting():
            try:
                job = await self.start(place)
            except DeviceError:
                self._is_ordered = False
                raise
        self._is_ordered = False
        return job

    async def _late_print(self) -> Look:
        """Look until a print that was ordered is seen, but not for long."""
        end = asyncio.get_running_loop().time() + LATE_S
        async for look in self._looks():
            is_late = asyncio.get_running_loop().time() >= end
            if look.status.print.state not in AT_REST or is_late:
                return look
        raise AssertionError("it looks for ever")

    async def halt_surely(self) -> None:
        """Halt, and once more when the connection had been closed at the other end: it is the same."""
        try:
            await self.halt()
        except LinkClosed:
            await self.halt()

    async def _to_its_end(self, job: str) -> None:
        """Follow a print; where it does not reach its end, ask for heaters and fan to be off.

        Not so where another print has taken its place, whose heaters they are then.
        """
        try:
            await self._follow(job)
        except PrintEnded as error:
            try:
                look = await self.look()
                is_still = look.job == job and error.result is not PrintResult.UNKNOWN
                if is_still and look.status.print.state in AT_REST:
                    await self.cool()
            except DriverError as also:
                words = f"the heaters could not be switched off: {also}"
                self.link.kept["reason"] = f"{self.link.kept.get('reason', '')}; {words}"
                error.args = (f"{error}; {words}",)
            raise

    async def _look_on(self) -> Look:
        """Look at a print that has begun. Raises PrintEnded where its host has no printer any more."""
        try:
            return await self.look()
        except DeviceError as error:
            raise self._ended(PrintResult.FAILED, str(error)) from error

    async def _follow(self, job: str) -> None:
        """Return when the job is done. Raises PrintEnded when it ends in another way."""
        while True:
            try:
                look = await self._look_on()
            except (LinkError, BadReply, AccessRefused):  # it goes on; polling finds out the rest
                await asyncio.sleep(self.follow)
                continue
            self._judged(look)
            if look.job != job:
                raise self._ended(PrintResult.UNKNOWN, "another print has taken its place")
            if look.ended is PrintResult.DONE:
                return
            if look.ended is not None:
                raise self._ended(look.ended, look.reason)
            await asyncio.sleep(self.follow)

    def _go_on(self, stage: PrintState) -> None:
        if self._is_cancelled:
            raise self._ended(PrintResult.CANCELLED, "it was cancelled before it began")
        self._stage = stage
