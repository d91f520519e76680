"""An instrument on a pty that answers at once: `python -m benchmarks.exchange_device` says where."""

import os
import tty

from benchmarks.exchange import ANSWERS


def main() -> None:
    """Answer until terminated. What is no known query is a mistake of the benchmark, and raises."""
    device, port = os.openpty()  # the port stays open here, and so outlives who uses it
    tty.setraw(port)
    print(os.ttyname(port), flush=True)
    heard = b""
    while True:
        heard += os.read(device, 256)
        while b"\n" in heard:
            query, _, heard = heard.partition(b"\n")
            os.write(device, ANSWERS[query + b"\n"])


if __name__ == "__main__":
    main()
