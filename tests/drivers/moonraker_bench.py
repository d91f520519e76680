"""A simulated Klipper printer behind Moonraker, its network, and the driver at the other end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from drivers.errors import DriverError
from drivers.forms import TextFile
from drivers.printers.moonraker import MoonrakerPrinter
from drivers.protocol.printing import PrintEnded, PrintResult, PrintState
from drivers.transport.access import Access
from drivers.transport.http import HttpLink
from simulators.moonraker import MoonrakerServer
from simulators.moonraker_klippy import RestartDelays
from simulators.networked_job import Job
from tests.drivers.print_files import MemoryFile

QUICK = {"turn": 2.0, "first_byte": 2.0, "next_byte": 2.0, "whole": 4.0}
SWIFT = RestartDelays(gone=0.2, startup=0.2)

HEATED = b"M140 S60\nM104 S200\nG28\nG90\n" + b"".join(
    b"G1 X%d Y%d F6000\n" % (20 + 100 * (i % 2), 20 + i % 100) for i in range(4000)
)
"""An hour of moves while bed and nozzle are warm; nothing waits for them."""


class MoonrakerBench:
    """A printer, and a driver that is connected to it. Time passes `pace` times faster for both."""

    def __init__(self, *, demands_key: bool = False, pace: float = 20.0) -> None:
        self.server = MoonrakerServer(demands_key=demands_key, delays=SWIFT)
        self.server.printer.pace = pace
        self.kept: dict[str, str] = {}
        self.access = Access()
        self.timeouts = QUICK

    async def __aenter__(self) -> MoonrakerBench:
        await self.server.__aenter__()
        self.link, self.printer = self.driver()
        await self.link.__aenter__()
        await self.printer.meet()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.link.__aexit__()
        await self.server.__aexit__()

    def driver(self) -> tuple[HttpLink, MoonrakerPrinter]:
        link = HttpLink(f"http://127.0.0.1:{self.server.port}", self.access, self.kept)
        printer = MoonrakerPrinter.over(link, timeouts=self.timeouts)
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

    async def until_ready(self) -> None:
        """Wait until Klipper, and with it the driver, is back."""
        async with asyncio.timeout(10.0):
            while True:
                try:
                    await self.value("print_state")
                except DriverError:
                    await asyncio.sleep(0.02)
                else:
                    return


async def ended(printer: MoonrakerPrinter, file: TextFile) -> Exception | None:
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


@asynccontextmanager
async def printing(
    bench: MoonrakerBench, file: MemoryFile | None = None
) -> AsyncIterator[asyncio.Task[Exception | None]]:
    """A print that is under way; what ended it is awaited at the end."""
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(ended(bench.printer, file or MemoryFile("long.gcode", HEATED)))
        await bench.until_state(PrintState.PRINTING)
        yield task


def result_of(task: asyncio.Task[Exception | None]) -> PrintResult:
    error = task.result()
    assert isinstance(error, PrintEnded), error
    return error.result
