"""What a printer's host on the network is asked: one method for each request, answered by each maker."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

from drivers.errors import RequestError, TurnTimeout
from drivers.forms import TextFile
from drivers.protocol.printing import PrinterStatus, PrintResult
from drivers.survey import Survey
from drivers.transport.link import Carried, Timeouts, WebLink
from drivers.transport.message import Answer, Body


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """One look at a host. `status.print.state` and its times are the host's own.

    Attributes:
        job: The host's id of the print under way, or of the last one; "" where it has none.
        ended: How that print ended; None while it is under way.
        reason: What the host says of that end, or of what is wrong now.
    """

    status: PrinterStatus
    job: str = ""
    ended: PrintResult | None = None
    reason: str = ""


class HostApi(ABC):
    """The requests to a host. Each may raise a LinkError, and DeviceError for what the host refuses."""

    carried_by: ClassVar[Carried] = "requests"
    timeouts: Timeouts = Timeouts(turn=10.0, first_byte=10.0, next_byte=10.0, whole=15.0)
    at_once: ClassVar[int] = 4
    """Requests that the host answers side by side."""

    def __init__(self, link: WebLink, timeouts: Timeouts) -> None:
        self.link, self.timeouts = link, timeouts
        self._places = asyncio.Semaphore(self.at_once)

    @abstractmethod
    async def hello(self) -> str:
        """Connect, and return what the host calls itself. Raises BadReply when it is another kind."""

    @abstractmethod
    async def look(self) -> Look:
        """Look once. Raises DeviceError where the host is there and its printer is not."""

    @abstractmethod
    async def upload(self, file: TextFile, survey: Survey) -> str:
        """Send a file, compare its hash or size, and return where the host keeps it."""

    @abstractmethod
    async def start(self, place: str) -> str:
        """Print a file that was uploaded, and return the id of the job."""

    @abstractmethod
    async def pause(self, job: str) -> None:
        """Ask for a pause; the host may take a while."""

    @abstractmethod
    async def resume(self, job: str) -> None:
        """Ask to go on, also after a pause that the printer made by itself."""

    @abstractmethod
    async def cancel(self, job: str) -> None:
        """Ask for the end of a job, whoever began it."""

    @abstractmethod
    async def cool(self) -> None:
        """Ask for heaters and fan to be off, where the host takes such orders."""

    @abstractmethod
    async def halt(self) -> None:
        """Stop the machine at once, as far as the host can. Waits for no other request."""

    async def order(self, line: str) -> None:
        """Have one line of G-code carried out. Hosts that can't refuse it."""
        raise RequestError(f"this printer takes no single orders, such as {line}")

    async def ask(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        body: Body | None = None,
        headers: Mapping[str, str] = MappingProxyType({}),
        within: float = 0.0,
    ) -> Answer:
        """One request among those that the host answers at once. See WebLink.ask, and TurnTimeout."""
        try:
            async with asyncio.timeout(self.timeouts.turn):
                await self._places.acquire()
        except TimeoutError:
            raise TurnTimeout(f"the printer was busy for {self.timeouts.turn:g} s") from None
        try:
            return await self.link.ask(
                method,
                path,
                json=json,
                body=body,
                headers=headers,
                within=within or self.timeouts.first_byte,
            )
        finally:
            self._places.release()
