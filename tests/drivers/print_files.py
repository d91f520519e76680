"""Files of G-code in memory, as a command takes them."""

from __future__ import annotations

from collections.abc import AsyncIterator

from drivers.survey import Scan, Survey

PIECE = 4096

SQUARES = b"G28\nG90\nM83\n" + b"".join(
    b"G1 X%d Y%d F6000\n" % (20 + 100 * (i % 2), 20 + i % 100) for i in range(400)
)
"""Some minutes of moves here and there, without heat."""

SHORT = b"".join(SQUARES.splitlines(keepends=True)[:30])
"""Half a minute of the same."""

HEATED = b"M140 S60\nM104 S200\nG28\nG90\n" + b"".join(
    b"G1 X%d Y%d F6000\n" % (20 + 100 * (i % 2), 20 + i % 100) for i in range(4000)
)
"""An hour of moves while bed and nozzle are warm; nothing waits for them."""


class MemoryFile:
    """A file with these bytes."""

    def __init__(self, name: str = "part.gcode", data: bytes = SQUARES) -> None:
        self.name, self.data, self.size = name, data, len(data)
        self.surveys = 0

    async def pieces(self) -> AsyncIterator[bytes]:
        for at in range(0, len(self.data), PIECE):
            yield self.data[at : at + PIECE]

    async def survey(self) -> Survey:
        self.surveys += 1
        scan = Scan()
        scan.feed(self.data)
        return scan.finish()
