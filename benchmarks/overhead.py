"""What an exchange of ours adds to the bare wire, as a share of what pyserial adds.

Goal: at most a quarter, with turn, time-outs and flight recorder. Each contestant times bare
`os.write` and `os.read` beside itself in every round, against an instrument on a pty that
answers at once in a process of its own; the contestants take turns of a few milliseconds.
"""

import asyncio
import sys
from contextlib import ExitStack
from statistics import median
from typing import Any, Final

from benchmarks.contest import Program, program
from benchmarks.peers import interpreter
from benchmarks.result import Result

GOAL: Final = 0.25


async def measure(quick: bool) -> list[Result]:
    """Take 15 rounds of ten slices of 50 exchanges each, or 25 rounds of 40."""
    return [await asyncio.to_thread(_measured, *((15, 10) if quick else (25, 40)))]


def _measured(rounds: int, count: int) -> Result:
    with ExitStack() as stack:
        ports = [
            stack.enter_context(program(sys.executable, "benchmarks.exchange_device")).said()
            for _ in range(4)
        ]
        ours = stack.enter_context(program(sys.executable, "benchmarks.exchange_ours", *ports[:2]))
        peer = stack.enter_context(
            program(interpreter(), "benchmarks.exchange_pyserial", *ports[2:])
        )
        return _result([_round(ours, peer, count) for _ in range(rounds)])


def _round(ours: Program, peer: Program, count: int) -> dict[str, Any]:
    """One round of each, and what they add to their own bare exchange, in µs."""
    a, b = ours.asked(count), peer.asked(count)
    added = {
        "ours": a["ours"]["added_us"],
        "scpi": a["scpi"]["added_us"],
        "pyserial": b["pyserial"]["added_us"],
    }
    wrong = sum(found["wrong"] for found in (*a.values(), *b.values()))
    return {"ours": a, "peer": b, "added_us": added, "wrong": wrong}


def _result(rounds: list[dict[str, Any]]) -> Result:
    def added(who: str) -> float:
        return float(median(one["added_us"][who] for one in rounds))

    shares = [one["added_us"]["ours"] / one["added_us"]["pyserial"] for one in rounds]
    share, wrong = median(shares), sum(one["wrong"] for one in rounds)
    bare = median(one["ours"]["bare"]["p50_us"] for one in rounds)
    return Result(
        name="overhead",
        figure=(
            f"{share:.3f} (worst round {max(shares):.3f}): {bare:.1f} µs bare, and an exchange of "
            f"ours adds {added('ours'):.1f}, with SCPI {added('scpi'):.1f}, pyserial "
            f"{added('pyserial'):.1f} µs; {wrong} wrong"
        ),
        goal=f"at most {GOAL} of what pyserial adds",
        reached=0.0 if wrong else GOAL / share,
        more={"share": share, "worst": max(shares), "rounds": rounds},
    )
