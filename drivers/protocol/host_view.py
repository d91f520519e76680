"""What a printer's host shows, and whose print it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Set
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, ClassVar, Final

from drivers.errors import DeviceBusy, RequestError
from drivers.protocol.host_api import HostApi, Look
from drivers.protocol.printing import (
    PrintEnded,
    PrinterStatus,
    PrintOwner,
    PrintResult,
    PrintState,
)
from drivers.transport.attempt import beforehand
from drivers.transport.link import Timeouts, WebLink

AT_REST: Final = frozenset(
    {PrintState.IDLE, PrintState.BUSY, PrintState.ATTENTION, PrintState.ERROR}
)
"""States of the host in which there is no print."""


class HostView(HostApi):
    """A host as it was looked at: the print under way is ours by the id that the host gave it."""

    again: ClassVar[float] = 0.2
    """Seconds between two looks for the end of something that ends soon."""

    def __init__(self, link: WebLink, timeouts: Timeouts) -> None:
        super().__init__(link, timeouts)
        self._stage: PrintState | None = None  # ours, before or beside what the host says
        self._file = ""

    async def must_be_at_rest(self) -> None:
        """See DirectWire."""
        with beforehand():
            look = await self.look()
        if look.status.print.state not in AT_REST:
            raise DeviceBusy(f"{look.status.print.file or 'something'} is being printed")

    async def must_not_be_foreign(self) -> None:
        """See DirectWire."""
        with beforehand():
            look = await self.look()
        runs = look.status.print.state not in AT_REST
        if runs and look.job != self.link.kept.get("job"):
            raise DeviceBusy(_foreign(look.status.print.file))

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
        if self._stage in BEFORE:
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
            raise RequestError(_foreign(report.file))
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

    async def _until(self, states: Set[PrintState], job: str) -> Look:
        """Wait until the host has reached one of these, or the end of this print."""
        async for look in self._looks():
            if look.status.print.state in states | AT_REST or look.job != job:
                return look
        raise AssertionError("it looks for ever")

    async def _looks(self) -> AsyncIterator[Look]:
        """Look now, and again and again."""
        while True:
            yield await self.look()
            await asyncio.sleep(self.again)


def _foreign(file: str) -> str:
    return (
        f"{file or 'what is printed'} was begun by somebody else: it is not touched. "
        "`stop` ends it, if it must be"
    )


BEFORE: Final = frozenset({PrintState.CHECKING, PrintState.UPLOADING, PrintState.STARTING})
_ENDS: Final = {
    PrintResult.CANCELLED: "been cancelled",
    PrintResult.FAILED: "failed",
    PrintResult.INTERRUPTED: "been interrupted",
    PrintResult.UNKNOWN: "ended in an unknown way",
}
