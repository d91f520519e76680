"""How near polling comes to what a Modbus RTU line can carry, and what merging requests is worth.

Polls per second ÷ what the line allows: request and reply at 11 bits a character, 3.5 characters
of silence after each, and 2 ms in which the unit thinks. Goal: 97 % at 19,200 and 115,200 baud,
with one register a poll as with ten. And a scattered register map read by the plan of our
Modbus wire: at least 8 times the registers per second of reading them one by one.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, ExitStack
from itertools import product
from operator import sub
from statistics import median
from time import perf_counter
from typing import Any, Final, cast

from agent.loop import new_event_loop
from benchmarks.contest import program
from benchmarks.registers import register
from benchmarks.result import Result
from benchmarks.rtu_device import BITS, TURN_ROUND_S, UNIT, silence
from drivers.protocol import modbus
from drivers.protocol.modbus import Modbus
from drivers.protocol.registers import U16
from drivers.transport.address import Address
from drivers.transport.lines import Lines
from drivers.transport.link import RegisterLink, Timeouts

BAUDS: Final = (19_200, 115_200)
SIZES: Final = (1, 10)
LINE_GOAL: Final = 0.97
PLAN_GOAL: Final = 8.0
TIMEOUTS: Final = Timeouts()
SCATTERED: Final = [n for n in range(125) if n % 5 and n % 31]
"""Addresses of 96 registers in 28 pieces, as meters have them: phases, totals, and gaps between."""
WIDEST_GAP: Final = 2
"""Registers in a row that nobody asks for, to be read along."""

Shares = dict[tuple[int, int], list[float]]
"""By speed in baud and registers a poll, of every round."""


async def measure(quick: bool) -> list[Result]:
    """Take five rounds of some 0.4 s for each speed and size, or ten of 2 s."""
    return await asyncio.to_thread(_measured, *((5, 0.4) if quick else (10, 2.0)))


def _measured(rounds: int, seconds: float) -> list[Result]:
    with ExitStack() as stack:
        ports = {
            baud: stack.enter_context(program(sys.executable, "benchmarks.rtu_device", baud)).said()
            for baud in BAUDS
        }
        runner = stack.enter_context(asyncio.Runner(loop_factory=new_event_loop))
        return runner.run(_all(ports, rounds, seconds))


async def _all(ports: dict[int, str], rounds: int, seconds: float) -> list[Result]:
    async with AsyncExitStack() as stack:
        lines = Lines()
        units = {}
        for baud, port in ports.items():
            address = Address.parse(f"modbus+rtu://{port}?baudrate={baud}&unit={UNIT}")
            link = cast(RegisterLink, lines.link(address))
            units[baud] = await stack.enter_async_context(link)
            await link.fetch("input", 0, 1, TIMEOUTS)  # the first one finds out about function 8
        polls, typical, wrong = await _poll(units, rounds, seconds)
        plans, wrong_too = await _read_scattered(units, rounds if seconds > 1 else 3)
    return [_line_result(polls, typical, wrong), _plan_result(plans, wrong_too)]


def _ideal(baud: int, count: int) -> float:
    """Seconds that the line needs for a poll of so many registers."""
    characters = 8 + 5 + 2 * count
    return characters * BITS / baud + 2 * silence(baud) + TURN_ROUND_S


async def _poll(
    units: dict[int, RegisterLink], rounds: int, seconds: float
) -> tuple[Shares, Shares, int]:
    """The share of the line that was used, by speed and size, in every round.

    Once by all polls of a round, and once by its median poll, which a moment in which the
    processor was somebody else's, the unit's or ours, does not change.
    """
    shares: Shares = {key: [] for key in product(BAUDS, SIZES)}
    typical: Shares = {key: [] for key in shares}
    wrong = 0
    for _ in range(rounds):
        for (baud, size), found in shares.items():
            count = max(10, int(seconds / _ideal(baud, size)))
            ends = [perf_counter()]
            for n in range(count):
                got = await units[baud].fetch("input", n % 100, size, TIMEOUTS)
                wrong += got != [register(UNIT, n % 100 + i) for i in range(size)]
                ends.append(perf_counter())
            found.append(count * _ideal(baud, size) / (ends[-1] - ends[0]))
            typical[baud, size].append(_ideal(baud, size) / median(map(sub, ends[1:], ends)))
    return shares, typical, wrong


async def _read_scattered(
    units: dict[int, RegisterLink], rounds: int
) -> tuple[dict[int, list[float]], int]:
    """How many times faster the plan reads the scattered map, by speed, in every round."""
    refs = [modbus.ref(n, U16, "input") for n in SCATTERED]
    right = [register(UNIT, n) for n in SCATTERED]
    gains: dict[int, list[float]] = {baud: [] for baud in BAUDS}
    wrong = 0
    for _ in range(rounds):
        for baud, unit in units.items():
            wire = Modbus(unit, TIMEOUTS, gap=WIDEST_GAP)

            async def one_by_one(wire: Modbus = wire) -> list[Any]:
                return [(await wire.read([ref]))[0] for ref in refs]

            async def merged(wire: Modbus = wire) -> list[Any]:
                return await wire.read(refs)

            (slow, first), (fast, second) = await _timed(one_by_one), await _timed(merged)
            wrong += (first != right) + (second != right)
            gains[baud].append(slow / fast)
    return gains, wrong


async def _timed(reading: Callable[[], Awaitable[list[Any]]]) -> tuple[float, list[Any]]:
    began = perf_counter()
    values = await reading()
    return perf_counter() - began, values


def _line_result(shares: Shares, typical: Shares, wrong: int) -> Result:
    least = min(median(rounds) for rounds in shares.values())
    worst = min(min(rounds) for rounds in shares.values())
    each = ", ".join(
        f"{median(rounds):.1%} (median poll {median(typical[baud, size]):.1%}) of "
        f"{1 / _ideal(baud, size):.1f} polls/s ({size} reg., {baud:,} Bd)"
        for (baud, size), rounds in shares.items()
    )
    return Result(
        name="rtu_line",
        figure=f"{each}; worst round {worst:.1%}; {wrong} wrong",
        goal=f"at least {LINE_GOAL:.0%} of what the line allows",
        reached=0.0 if wrong else least / LINE_GOAL,
        more={
            f"{baud}/{size}": {"share": rounds, "median_poll": typical[baud, size]}
            for (baud, size), rounds in shares.items()
        },
    )


def _plan_result(gains: dict[int, list[float]], wrong: int) -> Result:
    least = min(median(rounds) for rounds in gains.values())
    each = ", ".join(f"{median(rounds):.1f}x at {baud:,} Bd" for baud, rounds in gains.items())
    return Result(
        name="rtu_plan",
        figure=f"{each} for {len(SCATTERED)} registers among 125; {wrong} wrong",
        goal=f"at least {PLAN_GOAL:g}x the registers/s of one by one",
        reached=0.0 if wrong else least / PLAN_GOAL,
        more={str(baud): rounds for baud, rounds in gains.items()},
    )
