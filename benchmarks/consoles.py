"""20 open consoles on a station of 64 devices that are read once a second: what do they cost?

A console is a reader of the station page's live stream, as a browser is. The agent's processor time
is taken without consoles and with 20 of them, in turns. Of every value that comes, its age at that
moment is looked at: what a page shows is so much behind the device.
"""

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from statistics import median
from typing import Final

from agent.cli.demo.ports import choose
from agent.cli.demo.wishes import Wishes
from benchmarks.result import Result
from benchmarks.station import (
    Devices,
    config,
    cpu_seconds,
    simulators,
    station,
    until_all_answer,
)

DEVICES: Final = 64
CONSOLES: Final = 20
PERIOD_S: Final = 1.0
WARM_UP_S: Final = 5.0
ALL_UP_WITHIN_S: Final = 30.0
GOAL: Final = 0.10
"""Of one core, for all consoles."""
BEHIND_S: Final = 0.5


async def measure(quick: bool) -> list[Result]:
    """Look for 10 s with and without consoles, five times over (4 s and twice when quick)."""
    seconds, rounds = (4.0, 2) if quick else (10.0, 5)
    with tempfile.TemporaryDirectory(prefix="lk-bench-") as made:
        folder = Path(made)
        async with simulators(folder, "--modbus-devices", DEVICES) as devices:
            ports = choose(Wishes())
            text = config_of(folder, devices, ports.metrics).replace(
                "127.0.0.1:0", f"127.0.0.1:{ports.api}"
            )
            async with station(folder, text) as agent:
                await until_all_answer(ports.metrics, DEVICES, ALL_UP_WITHIN_S)
                await asyncio.sleep(WARM_UP_S)
                return [await _compared(agent.process.pid, ports.api, seconds, rounds)]


async def _compared(pid: int, port: int, seconds: float, rounds: int) -> Result:
    without, with_them = [], []
    ages: list[float] = []
    seen: list[float] = []
    for _ in range(rounds):
        without.append(await _share(pid, seconds))
        async with _consoles(port, ages):
            await asyncio.sleep(1.0)  # each gets everything once
            ages.clear()
            with_them.append(await _share(pid, seconds))
            seen = sorted(ages)
    cost = median(a - b for a, b in zip(with_them, without, strict=True))
    late = seen[int(0.99 * len(seen))]
    rate = len(seen) / seconds / CONSOLES
    return Result(
        name="consoles",
        figure=(
            f"{CONSOLES} consoles cost {cost:.1%} of one core at {DEVICES} devices read once a second "
            f"({median(without):.1%} without them); {rate:.0f} values/s reach each, 99 of 100 within "
            f"{late:.2f} s of the question to the device"
        ),
        goal=f"{GOAL:.0%} of a core, and {BEHIND_S:g} s",
        reached=min(GOAL / max(cost, 1e-3), BEHIND_S / max(late, 1e-3)),
        more={"with": with_them, "without": without, "behind_s": late, "values_s": rate},
    )


async def _share(pid: int, seconds: float) -> float:
    loop = asyncio.get_running_loop()
    used, began = cpu_seconds(pid), loop.time()
    await asyncio.sleep(seconds)
    return (cpu_seconds(pid) - used) / (loop.time() - began)


@asynccontextmanager
async def _consoles(port: int, ages: list[float]) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        readers = [
            tasks.create_task(_console(port, ages), name=f"console {number}")
            for number in range(CONSOLES)
        ]
        yield
        for reader in readers:
            reader.cancel()


async def _console(port: int, ages: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"GET /live/station?language=ko HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"
    writer.write(head.encode())
    try:
        while line := await reader.readline():
            if line.startswith(b'data: {"items"'):
                items = json.loads(line[6:])["items"].values()
                ages += [age for _, _, age, _ in items if age is not None]
    finally:
        writer.close()


def config_of(folder: Path, devices: Devices, metrics_port: int) -> str:
    """A station whose devices are read once a second, two values of each."""
    rows = [
        f'  {name}: {{driver: autonics.tk4, address: "modbus+tcp://{host}:{port}?unit=1", '
        f"poll: {{temperature: {PERIOD_S}, heating_output: {PERIOD_S}}}}}"
        for name, (host, port) in (
            (name, it["tcp"]) for name, it in devices.items() if name.startswith("controller")
        )
    ]
    return config(folder, metrics_port, rows)
