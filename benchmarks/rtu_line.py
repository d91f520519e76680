"""How near polling comes to what a Modbus RTU line can carry, and what merging requests is worth.

Polls per second ÷ what the line allows: request and reply at 11 bits a character, 3.5 characters
of silence after each, and 2 ms in which the unit thinks. Goal: 97 % at 19,200 and 115,200 baud,
judged with ten registers a poll, which is what a controller or a meter comes to once our plan has
merged what its driver polls. One register a poll, where what is lost weighs most, and 125, a whole
block, are told beside it. So is what a bare program of blocking calls reaches at the same kind of
unit in the same rounds: by so much the computer and the unit's program are late, not we.

And a scattered register map read by the plan of our Modbus wire: at least 8 times the registers
per second of reading them one by one.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, ExitStack
from dataclasses import asdict, dataclass, field
from itertools import pairwise, product
from statistics import median
from time import perf_counter
from typing import Any, Final, cast

from agent.loop import new_event_loop
from benchmarks.contest import Program, program
from benchmarks.registers import register
from benchmarks.result import Result
from benchmarks.rtu_bare import ADDRESSES
from benchmarks.rtu_device import BITS, TURN_ROUND_S, UNIT, settle_on, silence
from drivers.protocol import modbus
from drivers.protocol.modbus import Modbus
from drivers.protocol.registers import U16
from drivers.transport.address import Address
from drivers.transport.lines import Lines
from drivers.transport.link import RegisterLink, Timeouts

BAUDS: Final = (19_200, 115_200)
SIZES: Final = (1, 10, 125)
TYPICAL: Final = 10
LINE_GOAL: Final = 0.97
PLAN_GOAL: Final = 8.0
TIMEOUTS: Final = Timeouts()
SCATTERED: Final = [n for n in range(125) if n % 5 and n % 31]
"""Addresses of 96 registers in 28 pieces, as meters have them: phases, totals, and gaps between."""
WIDEST_GAP: Final = 2
"""Registers in a row that nobody asks for, to be read along."""
ONE_IN: Final = 4
"""One by one, only every fourth of the scattered registers is read: their time is that of each."""


@dataclass
class Shares:
    """Of the line at one speed, with polls of one size, in every round.

    By all polls of a round, and by its median poll, which a moment in which the processor was
    somebody else's, the unit's or ours, does not change.
    """

    ours: list[float] = field(default_factory=list)
    ours_median: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    bare_median: list[float] = field(default_factory=list)
    wrong: int = 0


async def measure(quick: bool) -> list[Result]:
    """Take five rounds of some 0.1 s for each speed, size and contestant, or ten of 1 s."""
    return await asyncio.to_thread(_measured, *((5, 0.1) if quick else (10, 1.0)))


def _measured(rounds: int, seconds: float) -> list[Result]:
    with ExitStack() as stack:

        def port(baud: int) -> str:
            unit = program(sys.executable, "benchmarks.rtu_device", baud)
            return stack.enter_context(unit).said()

        ports = {baud: port(baud) for baud in BAUDS}
        bare = {
            baud: stack.enter_context(
                program(sys.executable, "benchmarks.rtu_bare", port(baud), baud)
            )
            for baud in BAUDS
        }
        settle_on(0)  # this thread ends with the benchmark
        runner = stack.enter_context(asyncio.Runner(loop_factory=new_event_loop))
        return runner.run(_all(ports, bare, rounds, seconds))


async def _all(
    ports: dict[int, str], bare: dict[int, Program], rounds: int, seconds: float
) -> list[Result]:
    async with AsyncExitStack() as stack:
        lines = Lines()
        units = {}
        for baud, port in ports.items():
            address = Address.parse(f"modbus+rtu://{port}?baudrate={baud}&unit={UNIT}")
            link = cast(RegisterLink, lines.link(address))
            units[baud] = await stack.enter_async_context(link)
            await link.fetch("input", 0, 1, TIMEOUTS)  # the first one finds out about function 8
        shares = {key: Shares() for key in product(BAUDS, SIZES)}
        for _ in range(rounds):
            for (baud, size), found in shares.items():
                count = max(1, round(seconds / _ideal(baud, size)))
                await _poll(units[baud], baud, size, count, found)
                _poll_bare(bare[baud], baud, size, count, found)
        plans, wrong = await _read_scattered(units, rounds)
    return [_line_result(shares), _plan_result(plans, wrong)]


def _ideal(baud: int, count: int) -> float:
    """Seconds that the line needs for a poll of so many registers."""
    characters = 8 + 5 + 2 * count
    return characters * BITS / baud + 2 * silence(baud) + TURN_ROUND_S


async def _poll(unit: RegisterLink, baud: int, size: int, count: int, found: Shares) -> None:
    """One round of ours."""
    right = [[register(UNIT, n + i) for i in range(size)] for n in range(ADDRESSES)]
    await unit.fetch("input", 0, size, TIMEOUTS)  # the unit may have fallen asleep
    ends = [perf_counter()]
    for n in range(count):
        got = await unit.fetch("input", n % ADDRESSES, size, TIMEOUTS)
        found.wrong += got != right[n % ADDRESSES]
        ends.append(perf_counter())
    took = [after - before for before, after in pairwise(ends)]
    found.ours.append(count * _ideal(baud, size) / (ends[-1] - ends[0]))
    found.ours_median.append(_ideal(baud, size) / median(took))


def _poll_bare(bare: Program, baud: int, size: int, count: int, found: Shares) -> None:
    """One round of the bare program."""
    told = bare.asked(f"{count} {size}")
    found.bare.append(count * _ideal(baud, size) / told["seconds"])
    found.bare_median.append(_ideal(baud, size) / told["median"])
    found.wrong += told["wrong"]


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
                return [(await wire.read([ref]))[0] for ref in refs[::ONE_IN]]

            async def merged(wire: Modbus = wire) -> list[Any]:
                return await wire.read(refs)

            (slow, first), (fast, second) = await _timed(one_by_one), await _timed(merged)
            wrong += (first != right[::ONE_IN]) + (second != right)
            gains[baud].append(slow / len(first) * len(second) / fast)
    return gains, wrong


async def _timed(reading: Callable[[], Awaitable[list[Any]]]) -> tuple[float, list[Any]]:
    began = perf_counter()
    values = await reading()
    return perf_counter() - began, values


def _line_result(shares: dict[tuple[int, int], Shares]) -> Result:
    judged = [found for (_, size), found in shares.items() if size == TYPICAL]
    wrong = sum(found.wrong for found in shares.values())
    each = "; ".join(
        f"{baud:,} Bd: " + ", ".join(_told(baud, size, shares[baud, size]) for size in SIZES)
        for baud in BAUDS
    )
    return Result(
        name="rtu_line",
        figure=(
            f"{each}; worst round of {TYPICAL} reg. {min(min(it.ours) for it in judged):.1%}; "
            f"{wrong} wrong"
        ),
        goal=f"at least {LINE_GOAL:.0%} of what the line allows, with {TYPICAL} registers a poll",
        reached=0.0 if wrong else min(median(it.ours) for it in judged) / LINE_GOAL,
        more={f"{baud}/{size}": asdict(found) for (baud, size), found in shares.items()},
    )


def _told(baud: int, size: int, found: Shares) -> str:
    return (
        f"{median(found.ours):.1%} (median poll {median(found.ours_median):.1%}, a bare program "
        f"{median(found.bare):.1%}, {median(found.bare_median):.1%}) of "
        f"{1 / _ideal(baud, size):.1f} polls/s of {size} reg."
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
