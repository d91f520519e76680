"""A simulated Prusa printer behind PrusaLink, its network, and the driver at the other end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from drivers.printers.prusalink import PrusaLinkPrinter
from drivers.protocol.printing import PrintState
from drivers.transport.access import Access
from simulators.networked_job import PrintState as Simulated
from simulators.prusalink import PASSWORD, PrusaLinkServer
from tests.drivers.host_bench import HostBench, with_key
from tests.drivers.print_files import SQUARES, MemoryFile


class PrusaLinkBench(HostBench[PrusaLinkServer, PrusaLinkPrinter]):
    """See HostBench."""

    def __init__(self, folder: Path, *, pace: float = 20.0, by_key: bool = False) -> None:
        access = with_key(folder, PASSWORD) if by_key else with_password(folder)
        super().__init__(PrusaLinkPrinter, PrusaLinkServer(latency=0.002), access, pace)

    def play(self, do: str, **how: Any) -> None:
        """Play a trick that needs no waiting."""
        self.server.TRICKS[do](self.server, **how)

    async def until_printing(self) -> None:
        """Wait until the machine prints, and the driver has seen it."""
        await self.until_state(PrintState.PRINTING)
        await self.until(lambda: self.job.state is Simulated.PRINTING)


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


def with_password(folder: Path, password: str = PASSWORD, user: str = "maker") -> Access:
    """An access with this password in a file."""
    path = folder / "password"
    path.write_text(f"{password}\n", "utf-8")
    return Access(user=user, password_file=path)
