"""What the units of an RS-485 line notice of a dead one among them.

Eight units at 38,400 baud, polled four times a second, which fills two fifths of the line. Polls of
the seven that live, with unit 3 dead ÷ with all alive: once it dies while it is being polled, once
it is dead when the agent starts. Goal: 97 % in both. Beside it the plain round over the units that
one writes with pymodbus, with the same time-out and no repetition.

In the full form the window begins with the death, and so counts what that costs; in the quick one
it begins 2 s later, and the polls that were lost to the death are told apart.
"""

import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import ExitStack, asynccontextmanager
from random import Random
from statistics import median
from typing import Any, ClassVar, Final

from agent.clock import SystemClock
from agent.fleet.board import Board
from agent.fleet.events import EventLog
from agent.fleet.fleet import Fleet
from agent.fleet.plan import Plan
from agent.loop import new_event_loop
from benchmarks.contest import Program, program
from benchmarks.neighbour_line import BAUD, UNITS
from benchmarks.peers import interpreter
from benchmarks.result import Result
from drivers import Address, Driver
from drivers.protocol import modbus
from drivers.protocol.modbus import Modbus
from drivers.protocol.registers import U16
from drivers.transport.lines import Lines
from drivers.transport.link import Timeouts

GOAL: Final = 0.97
DEAD: Final = 3
PERIOD_S: Final = 0.25
FIRST_BYTE_S: Final = 0.5
QUICK_S, FULL_S = 3.5, 40.0
AFTER_S: Final = 2.0
START_WITHIN_S: Final = 15.0
PEER_S: Final = 2.5
WAYS: Final = ("dying", "dead", "peer")


class Block(Driver[Modbus]):
    """A block of registers, each worth its own address."""

    traits: ClassVar = {"timeouts": Timeouts(first_byte=FIRST_BYTE_S, next_byte=0.1, whole=1.5)}
    level = modbus.reading(7, U16, every=PERIOD_S, doc="Always 7.")


async def measure(quick: bool) -> list[Result]:
    """Take one round of 20 s, or three of two minutes each."""
    logging.getLogger("labkeeper").setLevel(logging.ERROR)  # that a unit is dead is no news here
    return await asyncio.to_thread(_measured, *((1, QUICK_S, AFTER_S) if quick else (3, FULL_S, 0)))


def _measured(rounds: int, seconds: float, after: float) -> list[Result]:
    with ExitStack() as stack:
        own, other = (
            stack.enter_context(program(sys.executable, "benchmarks.neighbour_line"))
            for _ in range(2)
        )
        port, far = own.said(), other.said()
        naive = program(
            *(interpreter(), "benchmarks.peers_programs.neighbour_pymodbus"),
            *(far, BAUD, PERIOD_S, FIRST_BYTE_S),
        )
        peer = stack.enter_context(naive)
        found: list[dict[str, float]] = []
        for _ in range(rounds):
            with asyncio.Runner(loop_factory=new_event_loop) as runner:
                shares = runner.run(_round(own, port, seconds, after))
            found.append({**shares, "peer": _peer(other, peer)})
    return [_result(found, seconds)]


async def _round(line: Program, port: str, seconds: float, after: float) -> dict[str, float]:
    """Healthy, then dying, then dead from the start; the shares of the polls that were made."""
    line.asked("")
    async with _fleet(port, UNITS) as fleet:
        healthy = await _rate(fleet, seconds)
        line.asked(DEAD)
        at_death = await _rate(fleet, after) if after else healthy
        dying = await _rate(fleet, seconds)
    async with _fleet(port, [unit for unit in UNITS if unit != DEAD]) as fleet:
        await asyncio.sleep(after)
        dead = await _rate(fleet, seconds)
    return {
        "dying": dying / healthy,
        "dead": dead / healthy,
        "polls_lost_to_the_death": (healthy - at_death) * after,
        "polls_per_second": healthy,
    }


@asynccontextmanager
async def _fleet(port: str, living: Iterable[int]) -> AsyncIterator[Fleet]:
    """The agent's workers of all eight, once those that live are connected."""
    clock, lines = SystemClock(), Lines()

    @asynccontextmanager
    async def opened(plan: Plan) -> AsyncIterator[Driver[Any]]:
        async with lines.link(plan.address) as link:
            yield plan.driver_class.over(link)

    async with asyncio.TaskGroup() as tasks:
        fleet = Fleet(
            *(tasks, opened),
            clock=clock,
            rng=Random(1),
            board=Board(),
            events=EventLog(clock),
        )
        for unit in UNITS:
            fleet.start(_plan(port, unit))
        async with asyncio.timeout(START_WITHIN_S):
            for unit in living:
                await asyncio.shield(fleet.workers[f"unit{unit}"].tried)
        yield fleet
        await fleet.end()


def _plan(port: str, unit: int) -> Plan:
    return Plan(
        name=f"unit{unit}",
        driver_name="benchmark.block",
        driver_class=Block,
        address=Address.parse(f"modbus+rtu://{port}?baudrate={BAUD}&unit={unit}"),
        periods={"level": PERIOD_S},
    )


async def _rate(fleet: Fleet, seconds: float) -> float:
    """Polls per second of the units that never die. Raises RuntimeError when one connected anew."""
    loop = asyncio.get_running_loop()
    tallies = [worker.tally for name, worker in fleet.workers.items() if name != f"unit{DEAD}"]
    before, began = sum(it.polls for it in tallies), loop.time()
    await asyncio.sleep(seconds)
    polls, elapsed = sum(it.polls for it in tallies) - before, loop.time() - began
    if any(it.connects > 1 for it in tallies):
        raise RuntimeError("a unit that lives had to connect anew")
    return polls / elapsed


def _peer(line: Program, peer: Program) -> float:
    """The same share of a plain round over the units."""
    rates: list[float] = []
    for dead in ("", DEAD):
        line.asked(dead)
        told = peer.asked(PEER_S)
        living: int = sum(n for unit, n in told["counts"].items() if int(unit) != DEAD)
        rates.append(living / told["seconds"])
    return rates[1] / rates[0]


def _result(found: list[dict[str, float]], seconds: float) -> Result:
    dying, dead, peer = (median(it[way] for it in found) for way in WAYS)
    lost = median(it["polls_lost_to_the_death"] for it in found)
    aside = f" ({lost:.0f} polls of 7 units lost to the death itself, apart)" if lost else ""
    return Result(
        name="neighbour",
        figure=(
            f"7 units keep {dying:.1%} of their polls when the eighth dies{aside} and {dead:.1%} "
            f"when it is dead from the start, for {seconds:g} s; a plain round keeps {peer:.0%}"
        ),
        goal="97 % in both",
        reached=min(dying, dead) / GOAL,
        more={"rounds": found},
    )
