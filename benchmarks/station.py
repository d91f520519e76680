"""A station under measurement: simulators and agent as processes of their own."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from agent.cli.demo.processes import Child, running

Devices = Mapping[str, Mapping[str, Any]]
TICKS: int = os.sysconf("SC_CLK_TCK")


@asynccontextmanager
async def simulators(folder: Path, *options: object) -> AsyncIterator[Devices]:
    """Run simulators, and say where each is."""
    command = [sys.executable, "-m", "simulators", "--json", "--dir", folder / "ports", *options]
    async with running("simulators", command, folder, speaks=True) as child:
        yield json.loads(await child.first_line())["devices"]


@asynccontextmanager
async def station(folder: Path, config: str) -> AsyncIterator[Child]:
    """Run an agent with this config."""
    path = folder / "station.yaml"
    await asyncio.to_thread(path.write_text, config, "utf-8")
    command = [sys.executable, "-m", "agent.cli", "run", "--config", path]
    async with running("agent", command, folder) as child:
        yield child


def config(folder: Path, metrics_port: int, rows: list[str]) -> str:
    """A station's config with these rows of devices."""
    head = [
        "name: bench",
        f"state: {folder}",
        'api: {listen: "127.0.0.1:0"}',
        f'metrics: {{listen: "127.0.0.1:{metrics_port}"}}',
        "devices:",
    ]
    return "\n".join([*head, *rows, ""])


async def until_all_answer(metrics_port: int, count: int, within: float) -> None:
    """Wait until so many devices are up. Raises TimeoutError after `within` seconds."""
    async with asyncio.timeout(within):
        while True:
            try:
                if (await scrape(metrics_port)).get("labkeeper_device_up", 0) == count:
                    return
            except OSError:
                pass  # the page is not up yet
            await asyncio.sleep(0.2)


async def scrape(port: int) -> dict[str, float]:
    """The sum of every metric over its labels, as `/metrics` on this port says now."""
    return {name: sum(values) for name, values in (await series(port)).items()}


async def series(port: int) -> dict[str, list[float]]:
    """Every metric of `/metrics` on this port as it is now, with one value for each set of labels."""
    found: dict[str, list[float]] = {}
    for family in text_string_to_metric_families((await page(port)).decode()):
        for sample in family.samples:
            found.setdefault(sample.name, []).append(sample.value)
    return found


def cpu_seconds(pid: int) -> float:
    """Processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


async def page(port: int) -> bytes:
    """What `/metrics` on this port says now, as it came."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    request = f"GET /metrics HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n\r\n"
    writer.write(request.encode())
    said = await reader.read()
    writer.close()
    return said.partition(b"\r\n\r\n")[2]
