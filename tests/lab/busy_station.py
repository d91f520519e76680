"""A station where everything is under way at once: jobs, a print, a queue, an interlock that has tripped."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import trustme

from tests.drivers.slicer import sliced
from tests.drivers.tower import Tower
from tests.lab.broker import running_broker
from tests.lab.print_station import PrintStation, written
from tests.lab.processes import Room, agent, free_port, station

NAME: Final = "bench-1"
RECIPES: Final = {
    "short": "steps:\n  - log: {en: It is short., ko: 짧습니다.}\n",
    "failing": "steps:\n  - fail: {en: It was meant to., ko: 일부러 실패합니다.}\n",
    "long": "devices:\n  oven: {driver: autonics.tk4, device: oven1}\nsteps:\n  - wait: {until: oven.temperature >= 400, within: 30 min}\n",
}
TRIPPING: Final = """\
interlocks:
  cold: {requires: {oven1.temperature: {below: 5}}, trip: [psu1]}
"""
PRINTER: Final = "printer: {volume: {x: [0, 60], y: [0, 60], z: [0, 50]}}"
# Cooler than the room, so that nothing waits for heat, and slow, so that it lasts.
TOWER: Final = Tower(layers=20, radius=8, facets=24, speed=5, centre=(30, 30), nozzle=19, bed=18)


@asynccontextmanager
async def busy_station(lab: Room, folder: Path) -> AsyncIterator[PrintStation]:
    """Run it until the context ends, with its broker; its devices answer, and nothing has begun."""
    await asyncio.to_thread(_prepare, folder)
    devices = lab.five().replace("marlin,", f"marlin, {PRINTER},")
    devices = devices.replace("autonics.tk4,", "autonics.tk4, calibrated_until: 2099-12-31,")
    async with running_broker(folder / "broker") as broker:
        config = station(folder, devices, broker_port=broker.port, more=TRIPPING)
        config = config.replace('api: {listen: "127.0.0.1:0"}', _door(free_port()))
        async with agent(folder, config) as running:
            await running.until_ready("psu1", "dmm1", "oven1", "printer1", "stage1", seconds=60)
            yield PrintStation(lab, running)


def entry(config: Path) -> str:
    """What tells Prometheus of the station, by the address for its own machine."""
    port = config.read_text("utf-8").split('metrics: {listen: "127.0.0.1:')[1].split('"')[0]
    labels = {"station": NAME, "site": "osong"}
    return json.dumps([{"targets": [f"127.0.0.1:{port}"], "labels": labels}])


def print_file(folder: Path) -> Path:
    """A file that takes minutes to print."""
    data = sliced("PrusaSlicer", TOWER).replace(b"Y220", b"Y40").replace(b"Y200", b"Y40")
    return written(folder, "tower.gcode", data.replace(b"G1 Z10\n", b"G1 Z1\n"))


def _prepare(folder: Path) -> None:
    (folder / "recipes").mkdir()
    for name, steps in RECIPES.items():
        text = f'name: {name}\nversion: "1"\n{steps}'
        (folder / "recipes" / f"{name}.yaml").write_text(text, encoding="utf-8")
    made = trustme.CA().issue_cert("localhost")
    made.private_key_pem.write_to_path(str(folder / "door.key"))
    made.cert_chain_pems[0].write_to_path(str(folder / "door.crt"))
    (folder / "door.key").chmod(0o600)


def _door(port: int) -> str:
    return (
        f'api: {{listen: "127.0.0.1:0", network: {{listen: "127.0.0.1:{port}", '
        "certificate: door.crt, key: door.key, hosts: [localhost]}}"
    )
