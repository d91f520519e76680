"""A simulated Marlin printer, its cable, and the driver at the other end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

from drivers.printers.marlin import MarlinPrinter
from drivers.protocol.gcode_printing import PrintingGCode
from drivers.survey import Profile, Scan, Survey
from drivers.transport.link import Timeouts
from drivers.transport.serial import SerialLink
from simulators import marlin
from simulators.marlin import BoardOptions
from simulators.serve import PtyServer

QUICK = Timeouts(turn=5.0, first_byte=3.0, next_byte=0.02, whole=5.0)
HASTY = replace(QUICK, first_byte=0.3, whole=0.3)
PIECE = 64 * 1024


class GCodeFile:
    """A file of G-code in memory."""

    def __init__(self, *text: str, name: str = "part.gcode") -> None:
        self.name = name
        self.data = "".join(f"{line}\n" for line in text).encode()
        self.size = len(self.data)

    async def pieces(self) -> AsyncIterator[bytes]:
        for at in range(0, len(self.data), PIECE):
            yield self.data[at : at + PIECE]

    async def survey(self) -> Survey:
        scan = Scan()
        scan.feed(self.data)
        return scan.finish()


class Bench:
    """A simulated printer, its cable, and the driver at the other end."""

    def __init__(
        self, folder: Path, options: BoardOptions | None = None, profile: Profile | None = None
    ) -> None:
        self.profile = profile
        self.simulated = marlin.MarlinPrinter(options)
        self.server = PtyServer(self.simulated, folder / "printer", tick=0.005)
        self.link = SerialLink(str(folder / "printer"), {})
        self.printer = self.driver(QUICK)

    def driver(self, timeouts: Timeouts) -> MarlinPrinter:
        return MarlinPrinter(PrintingGCode(self.link, timeouts, boot=0.3), profile=self.profile)

    async def __aenter__(self) -> Bench:
        await self.server.__aenter__()
        await self.link.__aenter__()
        await self.printer.meet()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.link.__aexit__()
        await self.server.__aexit__()

    def moves(self) -> list[str]:
        """The moves that `moves` has written; those of a pause look otherwise."""
        return [
            line for line in self.simulated.executed if line.endswith(" F60000") and "X" in line
        ]

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10.0):
            while not condition():
                await asyncio.sleep(0.001)


def moves(count: int) -> list[str]:
    return [f"G1 X{n % 200} Y{n // 200} F60000" for n in range(count)]


def long_print() -> GCodeFile:
    return GCodeFile("M140 S60", "M104 S200", *moves(20_000))


async def ended(printer: MarlinPrinter, file: GCodeFile) -> Exception | None:
    """Print, and return what ended it."""
    try:
        await printer.print(file)
    except Exception as error:  # noqa: BLE001 - the test looks at it
        return error
    return None
