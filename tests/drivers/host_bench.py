"""A simulated printer behind its host, their network, and the driver at the other end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, Self, TypeVar

from drivers.forms import TextFile
from drivers.printers.printer import Printer
from drivers.protocol.printing import PrintState
from drivers.transport.access import Access
from drivers.transport.http import HttpLink
from simulators.networked_job import Job
from simulators.networked_server import NetworkedServer

QUICK = {"turn": 2.0, "first_byte": 2.0, "next_byte": 2.0, "whole": 4.0}

S = TypeVar("S", bound=NetworkedServer)
P = TypeVar("P", bound=Printer[Any])


class HostBench(Generic[S, P]):
    """A printer, and a driver that is connected to it. Time passes `pace` times faster for the machine."""

    def __init__(self, kind: type[P], server: S, access: Access, pace: float) -> None:
        self.kind, self.server, self.access = kind, server, access
        self.server.printer.pace = pace
        self.kept: dict[str, str] = {}
        self.timeouts = QUICK

    async def __aenter__(self) -> Self:
        await self.server.__aenter__()
        self.link, self.printer = self.driver()
        await self.link.__aenter__()
        await self.printer.meet()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.link.__aexit__()
        await self.server.__aexit__()

    def driver(self) -> tuple[HttpLink, P]:
        link = HttpLink(f"http://127.0.0.1:{self.server.port}", self.access, self.kept)
        printer = self.kind.over(link, timeouts=self.timeouts)
        printer.wire.follow, printer.wire.again = 0.05, 0.02
        return link, printer

    async def reconnect(self) -> None:
        """Take a new link and a new driver, as an agent does when it has lost a device."""
        await self.link.__aexit__()
        self.link, self.printer = self.driver()
        await self.link.__aenter__()
        await self.printer.meet()

    @property
    def job(self) -> Job:
        assert self.server.printer.job is not None
        return self.server.printer.job

    @property
    def requests(self) -> int:
        return self.server.faults.counts["requests"]

    async def value(self, name: str) -> Any:
        return (await self.printer.read([name]))[name]

    async def values(self, *names: str) -> tuple[Any, ...]:
        told = await self.printer.read(names)
        return tuple(told[name] for name in names)

    async def until_state(self, *states: PrintState) -> None:
        async with asyncio.timeout(10.0):
            while await self.value("print_state") not in states:
                await asyncio.sleep(0.01)

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10.0):
            while not condition():
                await asyncio.sleep(0.005)


async def ended(printer: Printer[Any], file: TextFile) -> Exception | None:
    """Print, and return what ended it."""
    try:
        await printer.print(file)
    except Exception as error:  # noqa: BLE001 - the test looks at it
        return error
    return None


def with_key(folder: Path, key: str) -> Access:
    """An access with this key in a file."""
    path = folder / "key"
    path.write_text(f"{key}\n", "utf-8")
    return Access(key_file=path)
