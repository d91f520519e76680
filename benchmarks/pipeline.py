"""The whole pipeline at full speed, beside a bare pymodbus loop that throws the values away.

64 Modbus TCP devices of eight registers, read with one request each. Both sides ask the same
servers, one side at a time, in turns. The agent's side polls, decodes, checks, puts up, builds
the payloads for the broker and is scraped; every value is compared with its address on both.

Beside that, for the eye alone: both with a request for each register. The agent merges what lies
together; a loop asks for what its author has written.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from statistics import median
from typing import Any, Final

from benchmarks.peers import interpreter
from benchmarks.result import Result

DEVICES: Final = 64
TOGETHER, APART = 8, 1
"""Registers of one request."""
GOAL: Final = 1.5
Round = dict[str, Any]


async def measure(quick: bool) -> list[Result]:
    """Run both for 4 s each, seven times over (0.7 s and three times when quick)."""
    seconds, rounds = (0.7, 3) if quick else (4.0, 7)
    ours, theirs = [], []
    async with servers(DEVICES) as ports:
        for _ in range(rounds):
            ours.append(await _ours(seconds, TOGETHER, ports))
            theirs.append(await _theirs(seconds, TOGETHER, ports))
        apart = [await _ours(seconds, APART, ports), await _theirs(seconds, APART, ports)]
    return [_result(ours, theirs, apart)]


def _result(ours: list[Round], theirs: list[Round], apart: list[Round]) -> Result:
    ratios = [_rate(a) / _rate(b) for a, b in zip(ours, theirs, strict=True)]
    wrong = sum(found["wrong"] for found in (*ours, *theirs, *apart))
    rate, (alone, naive) = median(map(_rate, ours)), map(_rate, apart)
    return Result(
        name="pipeline",
        figure=(
            f"{rate:,.0f} readings/s ({median(map(_cost, ours)):.1f} µs of "
            f"processor each), pymodbus {median(map(_rate, theirs)):,.0f} "
            f"({median(map(_cost, theirs)):.1f} µs): ×{median(ratios):.2f}, worst ×{min(ratios):.2f}; "
            f"a request for each: {alone:,.0f}, pymodbus {naive:,.0f} (×{alone / naive:.2f}; merging "
            f"is ×{rate / naive:.1f} of that); {wrong} wrong"
        ),
        goal=f"×{GOAL:g} and none wrong",
        reached=0.0 if wrong else median(ratios) / GOAL,
        more={
            "ratios": ratios,
            "agent": ours,
            "pymodbus": theirs,
            "apart": apart,
            "devices": DEVICES,
        },
    )


def _rate(found: Round) -> float:
    return float(found["readings"] / found["seconds"])


def _cost(found: Round) -> float:
    """Microseconds of processor time for each reading."""
    return float(1e6 * found["cpu_s"] / found["readings"])


@asynccontextmanager
async def servers(count: int) -> AsyncIterator[list[int]]:
    """Serve registers on so many ports, in a process of its own; it ends with its input."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks.registers",
        str(count),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield json.loads(await process.stdout.readline() if process.stdout else b"")
    finally:
        if process.stdin is not None:
            process.stdin.close()
        await process.communicate()  # its pipe is read to the end: else it stays open


async def _ours(seconds: float, most: int, ports: list[int]) -> Round:
    return await _run(sys.executable, "benchmarks.pipeline_agent", seconds, most, *ports)


async def _theirs(seconds: float, most: int, ports: list[int]) -> Round:
    return await _run(interpreter(), "benchmarks.pipeline_peer", seconds, most, *ports)


async def _run(python: str, module: str, *arguments: float) -> Round:
    """Run one side to its end, and return what it prints."""
    process = await asyncio.create_subprocess_exec(
        python,
        "-m",
        module,
        *map(str, arguments),
        stdout=asyncio.subprocess.PIPE,
    )
    printed, _ = await process.communicate()
    if process.returncode:
        raise SystemExit(f"{module} ended with {process.returncode}")
    found: Round = json.loads(printed)
    return found
