"""A simulated Klipper printer behind Moonraker, its network, and the driver at the other end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from drivers.errors import DriverError
from drivers.printers.moonraker import MoonrakerPrinter
from drivers.protocol.printing import PrintEnded, PrintResult, PrintState
from drivers.transport.access import Access
from simulators.moonraker import MoonrakerServer
from simulators.moonraker_klippy import RestartDelays
from tests.drivers.host_bench import HostBench, ended
from tests.drivers.print_files import HEATED, MemoryFile

SWIFT = RestartDelays(gone=0.2, startup=0.2)


class MoonrakerBench(HostBench[MoonrakerServer, MoonrakerPrinter]):
    """See HostBench."""

    def __init__(self, *, demands_key: bool = False, pace: float = 20.0) -> None:
        server = MoonrakerServer(demands_key=demands_key, delays=SWIFT)
        super().__init__(MoonrakerPrinter, server, Access(), pace)

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
