"""What an exchange of ours is compared with: pyserial's `write` and `readline`, with a time-out.

`python -m benchmarks.exchange_pyserial BARE_PORT PORT` runs in the peers' environment. It reads
the count of each round from standard input, and prints what it found as JSON.
"""

import json
import sys

import serial

from benchmarks.exchange import bare, rounds, timed


def main() -> None:
    """Time bare and pyserial's exchanges in turns."""
    nearest = bare(sys.argv[1])
    with serial.Serial(sys.argv[2], 115200, timeout=1) as port:

        def exchange(query: bytes) -> bytes:
            port.write(query)
            return bytes(port.readline())

        for count in rounds():
            found = {"bare": timed(nearest, count), "pyserial": timed(exchange, count)}
            print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
