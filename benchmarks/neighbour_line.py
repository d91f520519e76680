"""An RS-485 line with eight Modbus units, in time: `python -m benchmarks.neighbour_line`.

It says the name of a terminal, at which eight units answer as fast as 38,400 baud and 4 ms to think
allow. A line of numbers on its standard input names the units that are dead from then on; it is
answered with an empty object.
"""

import os
import select
import sys
import tty
from time import perf_counter
from typing import Final

from simulators.modbus import RtuBus
from simulators.modbus_block import BlockDevice

BAUD: Final = 38_400
BITS: Final = 11
THINKS_S: Final = 4e-3
UNITS: Final = range(1, 9)


class Line:
    """The units, and who of them is dead."""

    def __init__(self) -> None:
        self._end, port = os.openpty()
        tty.setraw(port)
        self.name = os.ttyname(port)  # the port stays open here, and so outlives who uses it
        self._bus = RtuBus([BlockDevice(unit, 16) for unit in UNITS])
        self._dead: set[int] = set()

    def serve(self) -> None:
        """Answer until standard input ends."""
        while True:
            ready, _, _ = select.select([self._end, sys.stdin], [], [])
            if sys.stdin in ready:
                line = sys.stdin.readline()
                if not line:
                    return
                self._dead = {int(number) for number in line.split()}
                print("{}", flush=True)
            if self._end in ready:
                self._answer(os.read(self._end, 256))

    def _answer(self, request: bytes) -> None:
        came = perf_counter()
        reply = self._bus.handle(request)
        if reply and reply[0] not in self._dead:
            takes = (len(request) + len(reply)) * BITS / BAUD + THINKS_S
            select.select([], [], [], max(0.0, came + takes - perf_counter()))
            os.write(self._end, reply)


def main() -> None:
    """Say where the line is, and serve it."""
    line = Line()
    print(line.name, flush=True)
    line.serve()


if __name__ == "__main__":
    main()
