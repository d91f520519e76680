"""What pipeline is compared with: pymodbus's own asyncio client in a bare loop, values thrown away.

`python -m benchmarks.pipeline_peer SECONDS PORT…` prints what it read and used as JSON. It runs in
the peers' environment, so it imports nothing of ours but the value of a register.
"""

import asyncio
import json
import sys
import time
from typing import Any

from pymodbus.client import AsyncModbusTcpClient

from benchmarks.registers import register

FIRST, COUNT = 100, 8
"""The registers of one request; the same as `pipeline_agent.Module` has."""
WARM_UP_S = 0.3


class Loop:
    """One client a device, each asking again as soon as it was answered."""

    def __init__(self) -> None:
        self.requests = self.wrong = 0
        self.ended = False

    async def ask(self, unit: int, port: int) -> None:
        """Read until ended."""
        client = AsyncModbusTcpClient("127.0.0.1", port=port)
        await client.connect()
        right = [register(unit, FIRST + n) for n in range(COUNT)]
        while not self.ended:
            reply: Any = await client.read_input_registers(FIRST, count=COUNT, device_id=unit)
            self.requests += 1
            self.wrong += reply.registers != right
        client.close()

    async def measure(self, seconds: float) -> dict[str, float]:
        """Count what is read in so many seconds."""
        await asyncio.sleep(WARM_UP_S)
        before, began, used = self.requests, time.perf_counter(), time.process_time()
        await asyncio.sleep(seconds)
        elapsed, busy = time.perf_counter() - began, time.process_time() - used
        requests = self.requests - before
        self.ended = True
        return {
            "readings": requests * COUNT,
            "seconds": elapsed,
            "cpu_s": busy,
            "wrong": self.wrong,
        }


async def main() -> None:
    """Measure once."""
    loop = Loop()
    asking = [loop.ask(n, int(port)) for n, port in enumerate(sys.argv[2:], start=1)]
    *_, found = await asyncio.gather(*asking, loop.measure(float(sys.argv[1])))
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    asyncio.run(main())
