"""What an exchange of ours is compared with: pyserial's `write` and `readline`, with a time-out.

`python -m benchmarks.exchange_pyserial BARE_PORT PORT` runs in the peers' environment. It reads
the number of slices of each round from standard input, and prints what it found as JSON.
"""

import json
import sys

import serial

from benchmarks.exchange import bare, rounds, summary, timed


def main() -> None:
    """Time bare and pyserial's exchanges in turns."""
    nearest = bare(sys.argv[1])
    with serial.Serial(sys.argv[2], 115200, timeout=1) as port:

        def exchange(query: bytes) -> bytes:
            port.write(query)
            return bytes(port.readline())

        for count in rounds():
            slices = [{"bare": timed(nearest), "pyserial": timed(exchange)} for _ in range(count)]
            print(json.dumps(summary(slices)), flush=True)


if __name__ == "__main__":
    main()
