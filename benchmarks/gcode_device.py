"""A printer on a pseudo-terminal that is as slow as a serial line, for `streaming`, as a process.

It answers lines on its standard input by one line of JSON each: `begin` counts anew, `tell` says
what has come since, `reset` presses the board's reset button, `spoil 0.01 7` spoils one line, one
acknowledgement and one reply in a hundred, as the seed 7 has it. Times are of the monotonic clock,
which all processes share.
"""

import asyncio
import hashlib
import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from simulators.marlin import BoardOptions, MarlinPrinter
from simulators.marlin_lines import Line
from simulators.marlin_tally import Tally
from simulators.terminal import PtyServer

TICK_S: Final = 0.001
WARM_UP: Final = 600
"""Moves until the planner is full: it holds the first ones back, and stretches the next."""


class Watched(Tally):
    """A tally that keeps when moves came after the warm-up, and what had come by then."""

    def __init__(self, tally: Tally) -> None:
        super().__init__(tally.clock, tally.baud)
        self.moves: list[tuple[float, int]] = []
        self._begin()

    def _begin(self) -> None:
        self.moves.clear()
        self.count = 0
        self.stall = self.came_at = (
            0.0  # the longest time between two moves, and when one came last
        )
        self.digest_of_moves = hashlib.sha256()

    def accepted(self, line: Line) -> None:
        """See Tally; moves are counted, and no text is kept."""
        if line.text.startswith("G1 X"):
            self.count += 1
            self.stall = max(self.stall, self.clock.now - self.came_at if self.came_at else 0.0)
            self.came_at = self.clock.now
            self.digest_of_moves.update(f"{line.text}\n".encode())
            if self.count > WARM_UP:
                self.moves[1:] = [(self.clock.now, self.arrived)]

    def clear(self) -> None:
        """Begin to count anew."""
        super().clear()
        self._begin()


class Printer(MarlinPrinter):
    """A printer that remembers when it was stopped at once."""

    def __init__(self, options: BoardOptions) -> None:
        super().__init__(options)
        self.tally = self.watched = Watched(self.tally)
        self.reset()
        self.stopped_at = 0.0

    def handle(self, data: bytes) -> bytes:
        """Take bytes; see when an emergency stop has arrived."""
        was = self.halted
        said = super().handle(data)
        if self.halted and not was:
            self.stopped_at = asyncio.get_running_loop().time()
        return said

    def told(self) -> dict[str, Any]:
        """What has come since `forget`, between the first move and the last."""
        moves = self.watched.moves or [(0.0, 0)]
        counts = self.counts()
        return {
            "moves": self.watched.count,
            "seconds": moves[-1][0] - moves[0][0],
            "bytes": moves[-1][1] - moves[0][1],
            "stopped_at": self.stopped_at,
            "stall": self.watched.stall,
            "sha256": self.watched.digest_of_moves.hexdigest(),
            "damaged": counts["damaged"],
            "lost_oks": counts["lost_oks"],
            **{
                name: counts[name] for name in ("lost_bytes", "refused", "underruns", "dry_seconds")
            },
        }

    def spoil(self, share: float, seed: int) -> None:
        """Let so many of the lines, acknowledgements and replies be spoilt, lost and cut in two."""
        self.corrupt_lines(share, seed)
        self.lose_oks(share, seed)
        self.split_lines(share, seed)


async def serve(baud: int | None, path: Path) -> None:
    """Serve until standard input ends. Without a baud rate the line is as fast as can be."""
    printer = Printer(BoardOptions(baud=baud, reports_position=True, resets_on_open=False))
    lines = asyncio.Queue[str]()
    asyncio.get_running_loop().add_reader(0, lambda: lines.put_nowait(sys.stdin.readline()))
    async with PtyServer(printer, path, baud=baud, tick=TICK_S):
        print("{}", flush=True)
        while word := (await lines.get()).strip():
            if word == "begin":
                printer.forget()
            elif word == "reset":
                printer.reset()
            elif word.startswith("spoil"):
                printer.spoil(float(word.split()[1]), int(word.split()[2]))
            print(json.dumps(printer.told()), flush=True)


def _be_a_board() -> None:
    """Run when there is something to do: a board has a processor of its own."""
    with suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    with suppress(OSError):  # without it, it sleeps up to 50 µs longer
        Path("/proc/self/timerslack_ns").write_text("1", "ascii")


if __name__ == "__main__":
    _be_a_board()
    asyncio.run(serve(int(sys.argv[1]) or None, Path(sys.argv[2])))
