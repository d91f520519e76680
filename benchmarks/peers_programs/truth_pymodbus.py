"""pymodbus's own RTU client against truth devices: `truth_pymodbus.py COUNT TIMEOUT PATH …`.

Reads COUNT registers from each terminal, all at once, one request without repetition each. A
register holds its own address. Prints one JSON list: good, wrong, errors and seconds of each.
"""

import asyncio
import json
import logging
import random
import sys
import time
from typing import Any

from pymodbus.client import AsyncModbusSerialClient
from pymodbus.exceptions import ModbusException

REGISTERS = range(1000, 1200)


async def read_line(path: str, count: int, timeout: float) -> dict[str, Any]:
    """Read, and compare each value with its address."""
    client = AsyncModbusSerialClient(path, baudrate=115200, timeout=timeout, retries=0)
    await client.connect()
    dice, found = random.Random(path), {"good": 0, "wrong": 0, "error": 0}
    began = time.monotonic()
    for _ in range(count):
        found[await ask(client, dice.choice(REGISTERS))] += 1
        if not client.connected:
            await client.connect()
    seconds = time.monotonic() - began
    client.close()
    return {
        "good": found["good"],
        "wrong": found["wrong"],
        "errors": {"all": found["error"]},
        "seconds": seconds,
    }


async def ask(client: AsyncModbusSerialClient, register: int) -> str:
    """Read one register: good, wrong or error."""
    try:
        reply = await client.read_holding_registers(register, count=1, device_id=1)
    except ModbusException:
        return "error"
    if reply.isError():
        return "error"
    return "good" if reply.registers == [register] else "wrong"


async def main() -> None:
    """Read all lines at once."""
    logging.getLogger("pymodbus").setLevel(logging.CRITICAL)
    count, timeout, *paths = sys.argv[1:]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(read_line(path, int(count), float(timeout))) for path in paths]
    print(json.dumps([task.result() for task in tasks]))


if __name__ == "__main__":
    asyncio.run(main())
