"""1,000 Modbus TCP devices in one `labkeeper run`: what does each cost in memory?

The devices are controllers of the simulated kind, each with a port and a connection of its own,
and all their values are polled. Memory is the agent's resident set, when the flight recorders of
all lines are full and its metrics have been scraped; what one device costs is the difference
between two agents, with few devices and with many.
"""

import asyncio
import tempfile
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Final

from agent.cli.demo.ports import choose
from agent.cli.demo.wishes import Wishes
from benchmarks.result import Result
from benchmarks.station import (
    Devices,
    config,
    scrape,
    series,
    simulators,
    station,
    until_all_answer,
)
from drivers.catalogue import load
from drivers.transport.recorder import MOST_EXCHANGES

DRIVER: Final = "autonics.tk4"
FEW: Final = 10
MANY: Final = 1000
GOAL_MIB: Final = 100.0
EXCHANGES_A_SECOND: Final = 1500
"""Of all devices together, which an agent keeps up with on one core beside the simulators."""
SHORTEST_PERIOD_S: Final = 0.1
ALL_UP_WITHIN_S: Final = 120.0


async def measure(quick: bool) -> list[Result]:
    """Start an agent with few devices and one with 1,000 (250 when quick)."""
    count = 250 if quick else MANY
    with tempfile.TemporaryDirectory(prefix="lk-bench-") as made:
        folder = Path(made)
        async with simulators(folder, "--modbus-devices", count) as devices:
            few = await _resident(folder, devices, FEW)
            many = await _resident(folder, devices, count)
    each = (many - few) / (count - FEW)
    expected = few + each * (MANY - FEW)
    return [
        Result(
            name="memory",
            figure=(
                f"{many / 1024:.1f} MiB with {count} polled devices and full flight recorders, "
                f"{few / 1024:.1f} with {FEW}: "
                f"{each:.1f} KiB for each more"
            ),
            goal=f"{MANY} devices in {GOAL_MIB:g} MiB",
            reached=1024 * GOAL_MIB / expected,
            more={"few_kib": few, "many_kib": many, "devices": count, "each_kib": each},
        )
    ]


async def _resident(folder: Path, devices: Devices, count: int) -> int:
    """KiB that an agent holds with so many devices, all of which answer and are polled."""
    metrics = choose(Wishes()).metrics
    async with station(folder, _config(folder, devices, count, metrics)) as agent:
        await until_all_answer(metrics, count, ALL_UP_WITHIN_S)
        before = await scrape(metrics)
        await _until_recorders_are_full(metrics, count)
        after = await scrape(metrics)
        _check_polls(before, after, count)
        return _rss(agent.process.pid)


def _check_polls(before: Mapping[str, float], after: Mapping[str, float], count: int) -> None:
    """End the run where a device was lost or polls were left out: memory would tell too little."""
    made, left_out = (
        after[name] - before[name]
        for name in ("labkeeper_polls_total", "labkeeper_polls_skipped_total")
    )
    if after["labkeeper_device_up"] != count or made < count:
        raise SystemExit(f"not all of {count} devices are polled")
    if left_out > made / 20:
        raise SystemExit(
            f"{left_out:.0f} polls were left out beside {made:.0f}: the machine is busy"
        )


async def _until_recorders_are_full(metrics: int, count: int) -> None:
    """Wait until every line has carried as many exchanges as its recorder keeps."""
    usual = MOST_EXCHANGES * count / EXCHANGES_A_SECOND
    async with asyncio.timeout(ALL_UP_WITHIN_S + 4 * usual):
        while True:
            carried = (await series(metrics))["labkeeper_bus_exchanges_total"]
            if min(carried) >= MOST_EXCHANGES:
                return
            await asyncio.sleep(5.0)


def _rss(pid: int) -> int:
    """The resident set of a process in KiB. Source: proc_pid_status(5), VmRSS."""
    for line in Path(f"/proc/{pid}/status").read_text("ascii").splitlines():
        name, _, value = line.partition(":")
        if name == "VmRSS":
            return int(value.split()[0])
    raise SystemExit(f"process {pid} has ended")


def _config(folder: Path, devices: Devices, count: int, metrics_port: int) -> str:
    controllers = (it["tcp"] for name, it in devices.items() if name.startswith("controller"))
    driver = load(DRIVER)
    each = len(driver.requests(driver.readings)) / EXCHANGES_A_SECOND
    period = max(SHORTEST_PERIOD_S, count * each)
    poll = ", ".join(f"{name}: {period:.3f}" for name in driver.readings)
    rows = [
        f'  oven{n}: {{driver: {DRIVER}, address: "modbus+tcp://{host}:{port}?unit=1", '
        f"poll: {{{poll}}}}}"
        for n, (host, port) in enumerate(islice(controllers, count), start=1)
    ]
    return config(folder, metrics_port, rows)
