"""Run benchmarks by name; without a name, all. The exit code is 1 when something falls short."""

import argparse
import asyncio
import json
import sys
from collections.abc import Callable, Coroutine, Iterator
from importlib import import_module
from typing import Any, Final

from benchmarks.guard import Guard, record
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
    "streaming",
    "gcode_faults",
    "ledger",
    "tampering",
    "crash",
    "power_cuts",
    "dispatch",
    "stop_all",
    "consoles",
    "scrape",
    "first_page",
)
"""Each is a module of this package with `measure(quick)`."""

TRIES: Final = 3
"""How often the guard lets a benchmark run: a machine that was busy for a while is no defect."""

Measure = Callable[[bool], Coroutine[Any, Any, list[Result]]]
Passes = Callable[[Result], bool]


def main() -> int:
    """Measure what was asked for; 1 when something falls short of its goal."""
    parser = _parser()
    options = parser.parse_args()
    if unknown := [name for name in options.names if name not in BENCHMARKS]:
        parser.error(f"no benchmark is called {unknown[0]}; there are: {', '.join(BENCHMARKS)}")
    if options.record and (options.quick or options.guard):
        parser.error("only the full form of a benchmark is recorded")
    passes: Passes = Guard().passes if options.guard else lambda result: result.holds
    results = []
    for result in _measured(options.names or BENCHMARKS, options, passes):
        sys.stdout.write(json.dumps(result.as_dict()) if options.json else result.as_text())
        sys.stdout.write("\n")
        sys.stdout.flush()
        results.append(result)
    if options.record:
        record(results)
    return int(not all(map(passes, results)))


def _measured(
    names: tuple[str, ...], options: argparse.Namespace, passes: Passes
) -> Iterator[Result]:
    for name in names:
        measure: Measure = import_module(f"benchmarks.{name}").measure
        results: list[Result] = []
        for _ in range(TRIES if options.guard else 1):
            results = asyncio.run(measure(options.quick))
            if all(map(passes, results)):
                break
        yield from results


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(BENCHMARKS))
    parser.add_argument("--quick", action="store_true", help="a short form, for a first look")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--record", action="store_true", help="keep the results as the last ones")
    parser.add_argument(
        "--guard",
        action="store_true",
        help="fail only below four fifths of a goal, or of the recorded figure where that is short",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
