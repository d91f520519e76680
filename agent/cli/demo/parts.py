"""What the demo stands on: its folder, a broker where mosquitto is installed, the simulators."""

from __future__ import annotations

import asyncio
import json
import os
import pwd
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from agent.cli.demo.cube import cube
from agent.cli.demo.ports import HOST, DemoPorts
from agent.cli.demo.processes import Child, running
from agent.cli.demo.station import MARK, broker_file, station_file
from agent.cli.failures import say
from agent.errors import NoPermission, Refused

BROKER_WITHIN_S: Final = 5.0
ROOM_WITHIN_S: Final = 15.0
SBIN: Final = "/usr/sbin:/usr/local/sbin"
"""Debian keeps mosquitto where the PATH of people does not lead."""


@dataclass(frozen=True, slots=True)
class Room:
    """What the simulators say of themselves: addresses by device, and the port that plays tricks."""

    devices: Mapping[str, Mapping[str, Any]]
    control: tuple[str, int]

    def station_file(self, folder: Path, ports: DemoPorts, *, broker: bool) -> str:
        """The config of a station with the devices of this room."""
        return station_file(folder, self.devices, ports, broker=broker)


@contextmanager
def folder_for(wanted: Path | None) -> Iterator[Path]:
    """The folder that was asked for, or a temporary one that is removed at the end."""
    if wanted is not None:
        yield wanted.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="labkeeper-demo-", ignore_cleanup_errors=True) as made:
        yield Path(made)


def prepare(folder: Path) -> None:
    """Make the folder with a file to print.

    Raises:
        NoPermission: It can't be made or written.
        Refused: It has a station of somebody's own.
    """
    config = folder / "station.yaml"
    try:
        for part in ("files", "broker", "ports"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        (folder / "files" / "demo.gcode").write_text(cube(), "ascii")
        if config.exists() and not config.read_text("utf-8", "replace").startswith(MARK):
            raise Refused(f"{config} is not the demo's: choose another folder for --state")
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise NoPermission(f"--state: {folder} can't be used: {why}; choose another") from error


@asynccontextmanager
async def broker_on(port: int, folder: Path) -> AsyncIterator[Child | None]:
    """A mosquitto on this port, or None where it is not installed, which is said once."""
    program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', os.defpath)}:{SBIN}")
    if program is None:
        say("mosquitto is not installed: the demo goes on without MQTT (apt install mosquitto)")
        yield None
        return
    config = folder / "mosquitto.conf"
    user = pwd.getpwuid(os.getuid()).pw_name
    config.write_text(broker_file(folder / "broker", port, user), "utf-8")
    async with running("mosquitto", [program, "-c", config], folder) as broker:
        await _until_it_listens(broker, port)
        yield broker


@asynccontextmanager
async def simulators_in(folder: Path) -> AsyncIterator[tuple[Child, Room]]:
    """The simulated lab, as a process of its own, with its serial ports in the folder."""
    command = [sys.executable, "-m", "simulators", "--json", "--dir", folder / "ports"]
    async with running("simulators", command, folder, speaks=True) as child:
        try:
            async with asyncio.timeout(ROOM_WITHIN_S):
                said = json.loads(await child.first_line())
        except TimeoutError:
            raise child.trouble(f"said nothing for {ROOM_WITHIN_S:g} s") from None
        host, port = said["control"]
        yield child, Room(said["devices"], (host, port))


async def _until_it_listens(broker: Child, port: int) -> None:
    """Wait until the broker takes connections. Raises CannotStart."""
    try:
        async with asyncio.timeout(BROKER_WITHIN_S):
            while not await _listens(port):
                if broker.process.returncode is not None:
                    raise broker.trouble(f"ended with {broker.process.returncode}")
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise broker.trouble(f"does not listen after {BROKER_WITHIN_S:g} s") from None


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(HOST, port)
    except OSError:
        return False
    writer.close()
    return True
