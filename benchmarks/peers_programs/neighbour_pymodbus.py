"""Eight Modbus units in a round, as one writes it with pymodbus: `… PORT BAUD PERIOD_S TIMEOUT_S`.

A line on standard input with a number of seconds starts as many seconds of rounds; the answer says
how many polls of each unit brought its value. No request is repeated, which is better than the
library's default of three repetitions, with which each round takes four time-outs.
"""

import json
import logging
import select
import sys
from time import perf_counter
from typing import Any

from pymodbus.client import ModbusSerialClient
from pymodbus.exceptions import ModbusException


def polled(client: Any, unit: int) -> bool:
    """Read one register; whether it came."""
    try:
        reply = client.read_input_registers(7, count=1, device_id=unit)
    except ModbusException:
        return False
    return not reply.isError() and reply.registers == [7]


def main() -> None:
    """Poll when told to, until standard input ends."""
    logging.getLogger("pymodbus").setLevel(logging.CRITICAL)
    port, baud, period, timeout = sys.argv[1:]
    client = ModbusSerialClient(port, baudrate=int(baud), timeout=float(timeout), retries=0)
    client.connect()
    for line in sys.stdin:
        counts = dict.fromkeys(range(1, 9), 0)
        began = due = perf_counter()
        while (now := perf_counter()) < began + float(line):
            select.select([], [], [], max(0.0, due - now))
            due = max(due + float(period), perf_counter())
            for unit in counts:
                counts[unit] += polled(client, unit)
        print(json.dumps({"counts": counts, "seconds": perf_counter() - began}), flush=True)


if __name__ == "__main__":
    main()
