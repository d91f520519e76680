"""pyvisa-py's raw sockets against truth devices: `truth_pyvisa.py COUNT TIMEOUT PORT …`.

Asks COUNT queries of each port, all ports at once. An answer is the number in its query. Prints
one JSON list: good, wrong, errors and seconds of each.
"""

import json
import random
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pyvisa
from pyvisa.resources import MessageBasedResource

CHANNELS = range(1000, 1200)


def read_line(port: str, count: int, timeout: float) -> dict[str, Any]:
    """Ask, and compare each answer with its query."""
    device = pyvisa.ResourceManager("@py").open_resource(
        f"TCPIP0::127.0.0.1::{port}::SOCKET",
        read_termination="\n",
        write_termination="\n",
        timeout=timeout * 1000,
    )
    if not isinstance(device, MessageBasedResource):
        raise TypeError(f"a {type(device).__name__} takes no messages")
    dice, found = random.Random(port), {"good": 0, "wrong": 0, "error": 0}
    began = time.monotonic()
    for _ in range(count):
        found[ask(device, dice.choice(CHANNELS))] += 1
    seconds = time.monotonic() - began
    device.close()
    return {
        "good": found["good"],
        "wrong": found["wrong"],
        "errors": {"all": found["error"]},
        "seconds": seconds,
    }


def ask(device: MessageBasedResource, channel: int) -> str:
    """Ask one query: good, wrong or error."""
    try:
        answer = float(device.query(f"ECHO? {channel}"))
    except (pyvisa.VisaIOError, ValueError):  # a garbled answer is no ASCII, or no number
        return "error"
    return "good" if answer == channel else "wrong"


def main() -> None:
    """Ask all ports at once."""
    count, timeout, *ports = sys.argv[1:]
    with ThreadPoolExecutor(len(ports)) as threads:
        found = list(threads.map(lambda port: read_line(port, int(count), float(timeout)), ports))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
