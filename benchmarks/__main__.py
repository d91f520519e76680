"""Run benchmarks by name: `python -m benchmarks [name …] [--quick] [--json]`; without a name, all."""

import argparse
import asyncio
import json
import sys
from collections.abc import Callable, Coroutine
from importlib import import_module
from typing import Any, Final

from benchmarks.result import Result

BENCHMARKS: Final = (
    "truth",
    "overhead",
    "pipeline",
    "rtu_line",
    "jitter",
    "neighbour",
    "memory",
    "polling",
    "cold_start",
)
"""Each is a module of this package with `measure(quick)`."""

Measure = Callable[[bool], Coroutine[Any, Any, list[Result]]]


def main() -> int:
    """Measure what was asked for; 1 when something falls short of its goal."""
    parser = _parser()
    options = parser.parse_args()
    if unknown := [name for name in options.names if name not in BENCHMARKS]:
        parser.error(f"no benchmark is called {unknown[0]}; there are: {', '.join(BENCHMARKS)}")
    short = False
    for name in options.names or BENCHMARKS:
        for result in _measured(name, options.quick, options.at):
            sys.stdout.write(json.dumps(result.as_dict()) if options.json else result.as_text())
            sys.stdout.write("\n")
            sys.stdout.flush()
            short = short or result.reached < options.at
    return int(short)


def _measured(name: str, quick: bool, share: float) -> list[Result]:
    """Measure; below a share that is no more than a guard, twice more: a busy machine is no defect."""
    measure: Measure = import_module(f"benchmarks.{name}").measure
    results = asyncio.run(measure(quick))
    for _ in range(2 if share < 1 else 0):
        if all(result.reached >= share for result in results):
            break
        results = asyncio.run(measure(quick))
    return results


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(BENCHMARKS))
    parser.add_argument("--quick", action="store_true", help="a short form, for a first look")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument(
        "--at",
        type=float,
        default=1.0,
        metavar="SHARE",
        help="the share of a goal that must be reached, 0.8 as a guard against regressions",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
