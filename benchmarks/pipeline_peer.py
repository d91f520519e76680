"""What pipeline is compared with: pymodbus's own asyncio client in a bare loop, values thrown away.

`python -m benchmarks.pipeline_peer SECONDS MOST PORT…` prints what it read and used as JSON. MOST is
how many registers one request asks for: 8 for all of a device, 1 for each by itself. It runs in the
peers' environment, so it imports nothing of ours but the value of a register.
"""

import asyncio
import json
import sys
import time
from typing import Any

from pymodbus.client import AsyncModbusTcpClient

from benchmarks.registers import register

FIRST, COUNT = 100, 8
"""The registers of a device; the same as `pipeline_agent.Module` has."""
WARM_UP_S = 0.3


class Loop:
    """One client a device, each asking again as soon as it was answered."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.readings = self.wrong = 0
        self.ended = False

    async def ask(self, unit: int, port: int) -> None:
        """Read until ended."""
        client = AsyncModbusTcpClient("127.0.0.1", port=port)
        await client.connect()
        most = self.most
        firsts = range(FIRST, FIRST + COUNT, most)
        right = {first: [register(unit, first + n) for n in range(most)] for first in firsts}
        while not self.ended:
            for first in firsts:
                reply: Any = await client.read_input_registers(first, count=most, device_id=unit)
                self.readings += most
                self.wrong += reply.registers != right[first]
        client.close()

    async def measure(self, seconds: float) -> dict[str, float]:
        """Count what is read in so many seconds."""
        await asyncio.sleep(WARM_UP_S)
        before, began, used = self.readings, time.perf_counter(), time.process_time()
        await asyncio.sleep(seconds)
        elapsed, busy = time.perf_counter() - began, time.process_time() - used
        readings = self.readings - before
        self.ended = True
        return {
            "readings": readings,
            "seconds": elapsed,
            "cpu_s": busy,
            "wrong": self.wrong,
        }


async def main() -> None:
    """Measure once."""
    loop = Loop(int(sys.argv[2]))
    asking = [loop.ask(n, int(port)) for n, port in enumerate(sys.argv[3:], start=1)]
    *_, found = await asyncio.gather(*asking, loop.measure(float(sys.argv[1])))
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    asyncio.run(main())
