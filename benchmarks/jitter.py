"""How late polls begin: 64 devices at 10 Hz in the agent's schedule and loop, beside bare sleepers.

Lateness is the time from the moment that a poll's grid names to the moment that its driver is
asked, which here answers at once. It is compared with a thread that sleeps towards absolute times at the same 640 Hz, which
is what the kernel can do, and with 64 tasks that do so by asyncio.sleep in asyncio's own loop.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from statistics import median
from typing import Any, Final

from agent.clock import SystemClock
from agent.fleet.plan import Plan
from agent.fleet.polling import Polling
from agent.fleet.tally import Tally
from agent.loop import new_event_loop
from benchmarks.result import Result
from drivers import Address, Driver
from drivers.protocol import modbus
from drivers.protocol.modbus import Modbus
from drivers.protocol.registers import U16
from drivers.transport.modbus_tcp import TcpBus
from drivers.transport.tcp import TcpLink

DEVICES: Final = 64
PERIOD_S: Final = 0.1
MOST_OF_BARE: Final = 1.5
MOST_OF_ASYNCIO: Final = 0.25
Lateness = list[float]
"""Seconds from when each poll was due to when it began, in any order."""


async def measure(quick: bool) -> list[Result]:
    """Run each for 4 s, seven times over (1 s and five times when quick)."""
    seconds, rounds = (1.0, 5) if quick else (4.0, 7)
    p99: dict[str, list[float]] = {"agent": [], "bare": [], "asyncio": []}
    for _ in range(rounds):
        for name, side in SIDES.items():
            p99[name].append(_p99(await asyncio.to_thread(side, seconds)))
    return [_result(p99, "bare", MOST_OF_BARE), _result(p99, "asyncio", MOST_OF_ASYNCIO)]


def _result(p99: Mapping[str, list[float]], other: str, most: float) -> Result:
    ratios = [a / b for a, b in zip(p99["agent"], p99[other], strict=True)]
    worst = max(ratios)
    return Result(
        name="jitter",
        figure=(
            f"p99 {1e3 * median(p99['agent']):.3f} ms late; {other} "
            f"{1e3 * median(p99[other]):.3f} ms: ×{median(ratios):.2f}, worst ×{worst:.2f}"
        ),
        goal=f"at most ×{most:g} of {other}",
        reached=most / median(ratios),
        more={"p99_s": dict(p99), "ratios": ratios},
    )


def _p99(lateness: Lateness) -> float:
    return sorted(lateness)[int(0.99 * len(lateness))]


class Thermometer(Driver[Modbus]):
    """A register that nothing but the clock stands behind: asking it notes how late that was."""

    temperature = modbus.reading(0, U16, unit="Cel", every=PERIOD_S, doc="Always 20 °C.")

    clock: "Watched"

    async def read(self, names: Iterable[str]) -> dict[str, Any]:
        """See Driver."""
        self.clock.note()
        return dict.fromkeys(names, 20)


class Watched(SystemClock):
    """A clock that knows until when it was asked to sleep."""

    def __init__(self) -> None:
        self.lateness: Lateness = []
        self._due = 0.0

    async def sleep(self, seconds: float) -> None:
        """See Clock."""
        self._due = time.monotonic() + seconds
        await super().sleep(seconds)

    def note(self) -> None:
        """Note how long ago the sleep should have ended."""
        self.lateness.append(time.monotonic() - self._due)


def _agent(seconds: float) -> Lateness:
    """The agent's own Polling and Schedule, a task for each device, in the agent's loop."""
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(_polls(seconds))


async def _polls(seconds: float) -> Lateness:
    """Poll every device. Ends the run when a poll is missing, which no lateness would show."""
    clocks = [Watched() for _ in range(DEVICES)]
    tallies = [Tally() for _ in clocks]
    tasks = [
        asyncio.get_running_loop().create_task(
            _polling(clock, tally).run(number / DEVICES), name=f"poll.{number}"
        )
        for number, (clock, tally) in enumerate(zip(clocks, tallies, strict=True))
    ]
    await asyncio.sleep(seconds)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    fewest = min(tally.polls for tally in tallies)
    if any(tally.skipped for tally in tallies) or fewest < seconds / PERIOD_S - 2:
        raise SystemExit(f"polls were skipped: a device was asked {fewest} times")
    return [late for clock in clocks for late in clock.lateness]


def _polling(clock: Watched, tally: Tally) -> Polling:
    plan = Plan(
        name="thermometer",
        driver_name="bench.thermometer",
        driver_class=Thermometer,
        address=Address.parse("modbus+tcp://127.0.0.1:1"),
        periods={"temperature": PERIOD_S},
    )
    driver = Thermometer(Modbus(NOWHERE, Modbus.timeouts))
    driver.clock = clock
    return Polling(plan, driver, clock, tally, _ignore, _ignore)


def _ignore(*_: object) -> None:
    """Nobody looks at the values here."""


def _asyncio(seconds: float) -> Lateness:
    """64 tasks that sleep towards absolute times by asyncio alone."""
    return asyncio.run(_sleepers(seconds))


async def _sleepers(seconds: float) -> Lateness:
    lateness: Lateness = []
    began = time.monotonic()

    async def sleep(number: int) -> None:
        due = began + number / DEVICES * PERIOD_S
        while due < began + seconds:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            lateness.append(time.monotonic() - due)
            due += PERIOD_S

    await asyncio.gather(*(sleep(number) for number in range(DEVICES)))
    return lateness


def _bare(seconds: float) -> Lateness:
    """This thread, sleeping towards each of the same 640 moments a second."""
    lateness: Lateness = []
    due, step = time.monotonic(), PERIOD_S / DEVICES
    for _ in range(int(seconds / step)):
        due += step
        time.sleep(max(0.0, due - time.monotonic()))  # noqa: TID251 - what all is compared with
        lateness.append(time.monotonic() - due)
    return lateness


NOWHERE: Final = TcpBus(TcpLink("127.0.0.1", 1)).unit(1)
"""What the driver is made on; nothing is ever asked of it."""
SIDES: Final[Mapping[str, Callable[[float], Lateness]]] = {
    "bare": _bare,
    "agent": _agent,
    "asyncio": _asyncio,
}
