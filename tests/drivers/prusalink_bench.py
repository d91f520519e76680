"""A simulated Prusa printer behind PrusaLink, its network, and the driver at the other end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from drivers.forms import TextFile
from drivers.printers.prusalink import PrusaLinkPrinter
from drivers.protocol.printing import PrintState
from drivers.transport.access import Access
from drivers.transport.http import HttpLink
from simulators.networked_job import Job
from simulators.networked_job import PrintState as Simulated
from simulators.prusalink import PASSWORD, PrusaLinkServer
from tests.drivers.print_files import SQUARES, MemoryFile

QUICK = {"turn": 2.0, "first_byte": 2.0, "next_byte": 2.0, "whole": 4.0}

HEATED = b"M140 S60\nM104 S200\nG28\nG90\n" + b"".join(
    b"G1 X%d Y%d F6000\n" % (20 + 100 * (i % 2), 20 + i % 100) for i in range(4000)
)
"""An hour of moves while bed and nozzle are warm; nothing waits for them."""


class PrusaLinkBench:
    """A printer, and a driver that is connected to it. Time passes `pace` times faster for the machine."""

    def __init__(self, folder: Path, *, pace: float = 20.0, by_key: bool = False) -> None:
        self.server = PrusaLinkServer(latency=0.002)
        self.server.printer.pace = pace
        self.kept: dict[str, str] = {}
        self.access = with_key(folder) if by_key else with_password(folder)
        self.timeouts = QUICK

    async def __aenter__(self) -> PrusaLinkBench:
        await self.server.__aenter__()
        self.link, self.printer = self.driver()
        await self.link.__aenter__()
        await self.printer.meet()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.link.__aexit__()
        await self.server.__aexit__()

    def driver(self) -> tuple[HttpLink, PrusaLinkPrinter]:
        link = HttpLink(f"http://127.0.0.1:{self.server.port}", self.access, self.kept)
        printer = PrusaLinkPrinter.over(link, timeouts=self.timeouts)
        printer.wire.follow, printer.wire.again = 0.05, 0.02  # type: ignore[misc]
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

    def play(self, do: str, **how: Any) -> None:
        """Play a trick that needs no waiting."""
        self.server.TRICKS[do](self.server, **how)

    async def value(self, name: str) -> Any:
        return (await self.printer.read([name]))[name]

    async def values(self, *names: str) -> tuple[Any, ...]:
        told = await self.printer.read(names)
        return tuple(told[name] for name in names)

    async def until_state(self, *states: PrintState) -> None:
        async with asyncio.timeout(10.0):
            while await self.value("print_state") not in states:
                await asyncio.sleep(0.01)

    async def until_printing(self) -> None:
        """Wait until the machine prints, and the driver has seen it."""
        await self.until_state(PrintState.PRINTING)
        await self.until(lambda: self.job.state is Simulated.PRINTING)

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10.0):
            while not condition():
                await asyncio.sleep(0.005)


class SlowFile(MemoryFile):
    """A file whose bytes come slowly: a thousand at a time, until `rest` is set."""

    def __init__(self, name: str = "part.gcode", data: bytes = SQUARES) -> None:
        super().__init__(name, data)
        self.given = 0
        self.rest = asyncio.Event()

    async def pieces(self) -> AsyncIterator[bytes]:
        for at in range(0, len(self.data), 1000):
            yield self.data[at : at + 1000]
            self.given = at
            if not self.rest.is_set():
                await asyncio.sleep(0.02)


async def ended(printer: PrusaLinkPrinter, file: TextFile) -> Exception | None:
    """Print, and return what ended it."""
    try:
        await printer.print(file)
    except Exception as error:  # noqa: BLE001 - the test looks at it
        return error
    return None


def with_password(folder: Path, password: str = PASSWORD, user: str = "maker") -> Access:
    """An access with this password in a file."""
    path = folder / "password"
    path.write_text(f"{password}\n", "utf-8")
    return Access(user=user, password_file=path)


def with_key(folder: Path, key: str = PASSWORD) -> Access:
    """An access with this key in a file."""
    path = folder / "key"
    path.write_text(f"{key}\n", "utf-8")
    return Access(key_file=path)
