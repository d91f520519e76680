"""A print over a bad cable: does the board get exactly the file's commands, in order, each once?

One line in a hundred arrives with a wrong bit, one acknowledgement in a hundred gets lost, and one
reply in a hundred is broken in two. The printer is a process of its own behind a terminal. Goal: what
it has accepted has the same SHA-256 as the file's moves, and it never waited for a line for longer
than three time-outs of the protocol, which is how often a silent board is asked.
"""

import asyncio
import hashlib
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from time import perf_counter
from typing import Final

from benchmarks.contest import program
from benchmarks.result import Result
from drivers.printers.marlin import MarlinPrinter
from drivers.survey import Buffers, Profile, Scan, Survey
from drivers.transport.serial import SerialLink

SHARE: Final = 0.01
SEED: Final = 7
TIMEOUTS: Final = {"first_byte": 0.2, "next_byte": 0.05, "whole": 0.5}
LONGEST_S: Final = 3 * TIMEOUTS["whole"]
AS_FAST_AS_CAN_BE: Final = 0
"""A baud rate for the device: 100,000 lines would take a quarter of an hour at 115,200."""


class Moves:
    """A file in memory, as a driver takes it."""

    name = "moves.gcode"

    def __init__(self, count: int) -> None:
        moves = [
            f"G1 X{n % 180 + 10} Y{n // 180 % 180 + 10} Z{n / 1e4:.4f} F60000" for n in range(count)
        ]
        self._data = "".join(f"{move}\n" for move in moves).encode()
        self.size = len(self._data)
        self.sha256 = hashlib.sha256(self._data).hexdigest()

    async def pieces(self) -> AsyncIterator[bytes]:
        """The file in pieces of 64 KiB."""
        for at in range(0, self.size, 1 << 16):
            yield self._data[at : at + (1 << 16)]

    async def survey(self) -> Survey:
        """What it holds."""
        scan = Scan()
        scan.feed(self._data)
        return scan.finish()


async def measure(quick: bool) -> list[Result]:
    """Print a hundred thousand lines (two thousand when quick)."""
    moves = Moves(2_000 if quick else 100_000)
    with tempfile.TemporaryDirectory(prefix="lk-bench-") as made:
        path = Path(made) / "printer"
        device = (sys.executable, "benchmarks.gcode_device", AS_FAST_AS_CAN_BE, path)
        with program(*device) as board:
            board.said()
            async with SerialLink(str(path), {}) as link:
                profile = Profile(buffers=Buffers(lines=4, bytes=128))
                printer = MarlinPrinter.over(link, timeouts=TIMEOUTS, profile=profile)
                await printer.meet()
                await asyncio.to_thread(board.asked, "begin")
                await asyncio.to_thread(board.asked, f"spoil {SHARE} {SEED}")
                began = perf_counter()
                await printer.print(moves)
                took = perf_counter() - began
                told = await asyncio.to_thread(board.asked, "tell")
    right = told["sha256"] == moves.sha256
    asked_again = printer.wire.lines.resends
    return [
        Result(
            name="gcode_faults",
            figure=(
                f"{told['moves']:,} lines in {took:.0f} s, {told['damaged']:,} of them spoilt, "
                f"{told['lost_oks']:,} acknowledgements lost, {asked_again:,} resends: "
                f"{'exactly the file' if right else 'NOT the file'}, "
                f"longest wait for a line {told['stall']:.2f} s"
            ),
            goal=f"exactly the file, no wait above {LONGEST_S:g} s",
            reached=min(1.0, LONGEST_S / max(told["stall"], 1e-6)) if right else 0.0,
            more={**told, "seconds": took, "resends": asked_again},
        )
    ]
