"""Run benchmarks by name: `python -m benchmarks [name …] [--quick] [--json]`; without a name, all."""

import argparse
import asyncio
import json
import sys
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final

from benchmarks import cold_start, polling
from benchmarks.result import Result

BENCHMARKS: Final[Mapping[str, Callable[[bool], Coroutine[Any, Any, Result]]]] = {
    "polling": polling.measure,
    "cold_start": cold_start.measure,
}


def main() -> int:
    """Measure what was asked for; 1 when something falls short of its goal."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(BENCHMARKS))
    parser.add_argument("--quick", action="store_true", help="a short form, for a first look")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    options = parser.parse_args()
    if unknown := [name for name in options.names if name not in BENCHMARKS]:
        parser.error(f"no benchmark is called {unknown[0]}; there are: {', '.join(BENCHMARKS)}")
    short = False
    for name in options.names or BENCHMARKS:
        result = asyncio.run(BENCHMARKS[name](options.quick))
        sys.stdout.write(json.dumps(result.as_dict()) if options.json else result.as_line())
        sys.stdout.write("\n")
        sys.stdout.flush()
        short = short or not result.holds
    return int(short)


if __name__ == "__main__":
    sys.exit(main())
