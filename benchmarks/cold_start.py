"""Cold start: from starting the program to the first reading of a TCP device at the broker."""

import asyncio
import contextlib
import json
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Final

from agent.cli.demo.parts import broker_on
from agent.cli.demo.ports import DemoPorts, choose
from agent.cli.demo.processes import running
from agent.cli.demo.wishes import Wishes
from benchmarks.result import Result
from benchmarks.station import simulators, station

GOAL_S: Final = 0.5
IMPORTS: Final = "import pyvisa, pymodbus.client, aiomqtt, prometheus_client"


async def measure(quick: bool) -> list[Result]:
    """Start it five times (twice when quick), beside a bare import of the libraries it uses."""
    starts, bare = [], []
    for _ in range(2 if quick else 5):
        starts.append(await _one_start())
        bare.append(await _bare_import())
    return [
        Result(
            name="cold_start",
            figure=(
                f"{median(starts):.2f} s (worst {max(starts):.2f}) to the first reading at the broker; "
                f"importing its libraries alone takes {median(bare):.2f} s"
            ),
            goal=f"within {GOAL_S:g} s, and no longer than that import",
            reached=min(GOAL_S, median(bare)) / median(starts),
            more={"starts_s": starts, "bare_imports_s": bare},
        )
    ]


async def _one_start() -> float:
    with tempfile.TemporaryDirectory(prefix="lk-bench-") as made:
        folder, ports = Path(made), choose(Wishes())
        (folder / "broker").mkdir()
        async with (
            broker_on(ports.broker, folder) as broker,
            simulators(folder, "--only", "psu1") as devices,
        ):
            if broker is None:
                raise SystemExit("cold_start needs mosquitto: apt-get install mosquitto")
            listening = ["mosquitto_sub", "-h", "127.0.0.1", "-p", ports.broker]
            listening += ["-t", "lab/v1/bench/device/psu1/state"]
            async with running("listener", listening, folder) as listener:
                await asyncio.sleep(0.3)  # its subscription; before the clock starts
                began = time.monotonic()
                host, port = devices["psu1"]["tcp"]
                async with station(folder, _config(folder, ports, f"{host}:{port}")):
                    await _until_a_value(listener.log)
                    return time.monotonic() - began


async def _until_a_value(log: Path) -> None:
    """Wait until the broker has handed on a state with a value in it."""
    async with asyncio.timeout(20):
        while True:
            for line in (await asyncio.to_thread(log.read_text)).splitlines():
                with contextlib.suppress(ValueError):
                    if json.loads(line)["values"]:
                        return
            await asyncio.sleep(0.005)


async def _bare_import() -> float:
    began = time.monotonic()
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", IMPORTS)
    await process.wait()
    return time.monotonic() - began


def _config(folder: Path, ports: DemoPorts, supply: str) -> str:
    return f"""\
name: bench
state: {folder}
api: {{listen: "127.0.0.1:0"}}
metrics: {{listen: "127.0.0.1:{ports.metrics}"}}
mqtt: {{host: 127.0.0.1, port: {ports.broker}}}
devices:
  psu1: {{driver: siglent.spd1000x, address: "tcp://{supply}"}}
"""
