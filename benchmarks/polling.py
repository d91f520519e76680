"""64 Modbus TCP devices polled at 10 Hz: is a poll ever skipped, and what does it cost?"""

import asyncio
import tempfile
from pathlib import Path
from typing import Final

from agent.cli.demo.ports import choose
from agent.cli.demo.wishes import Wishes
from benchmarks.result import Result
from benchmarks.station import (
    Devices,
    config,
    cpu_seconds,
    scrape,
    simulators,
    station,
    until_all_answer,
)

DEVICES: Final = 64
PERIOD_S: Final = 0.1
WARM_UP_S: Final = 5.0
ALL_UP_WITHIN_S: Final = 30.0


async def measure(quick: bool) -> list[Result]:
    """Poll for a minute (10 s when quick) and count what was skipped."""
    seconds = 10.0 if quick else 60.0
    with tempfile.TemporaryDirectory(prefix="lk-bench-") as made:
        folder = Path(made)
        async with simulators(folder, "--modbus-devices", DEVICES) as devices:
            port = choose(Wishes()).metrics
            async with station(folder, _config(folder, devices, port)) as agent:
                await until_all_answer(port, DEVICES, ALL_UP_WITHIN_S)
                await asyncio.sleep(WARM_UP_S)
                return [await _watch(port, agent.process.pid, seconds)]


async def _watch(port: int, pid: int, seconds: float) -> Result:
    before, used, loop = await scrape(port), cpu_seconds(pid), asyncio.get_running_loop()
    began = loop.time()
    await asyncio.sleep(seconds)
    elapsed, busy = loop.time() - began, cpu_seconds(pid) - used
    after = await scrape(port)
    polls = after["labkeeper_polls_total"] - before["labkeeper_polls_total"]
    skipped = after["labkeeper_polls_skipped_total"] - before["labkeeper_polls_skipped_total"]
    failures = after.get("labkeeper_failures_total", 0) - before.get("labkeeper_failures_total", 0)
    wanted = DEVICES / PERIOD_S * elapsed
    return Result(
        name="polling",
        figure=(
            f"{polls / elapsed:.0f} polls/s of {DEVICES} devices for {elapsed:.0f} s, "
            f"{skipped:.0f} skipped, {failures:.0f} failed, {busy / elapsed:.1%} of one core"
        ),
        goal="no poll skipped",
        reached=0.0 if skipped or failures else polls / (0.98 * wanted),
        more={"polls": polls, "skipped": skipped, "cpu_share": busy / elapsed},
    )


def _config(folder: Path, devices: Devices, metrics_port: int) -> str:
    rows = [
        f'  {name}: {{driver: autonics.tk4, address: "modbus+tcp://{host}:{port}?unit=1", '
        f"poll: {{temperature: {PERIOD_S}, heating_output: {PERIOD_S}}}}}"
        for name, (host, port) in (
            (name, it["tcp"]) for name, it in devices.items() if name.startswith("controller")
        )
    ]
    return config(folder, metrics_port, rows)
