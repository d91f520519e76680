"""What the demo stands on: a broker where mosquitto is installed, and the simulators."""

from __future__ import annotations

import asyncio
import json
import os
import pwd
import shutil
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from agent.cli.demo.ports import HOST, DemoPorts
from agent.cli.demo.processes import Child, running
from agent.cli.demo.station import broker_file, station_file
from agent.cli.failures import say
from agent.languages.message import Message

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


@asynccontextmanager
async def broker_on(port: int, folder: Path) -> AsyncIterator[Child | None]:
    """A mosquitto on this port, or None where it is not installed, which is said once."""
    program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', os.defpath)}:{SBIN}")
    if program is None:
        say(
            Message(
                "mosquitto is not installed: the demo goes on without MQTT (apt install mosquitto)"
            )
        )
        yield None
        return
    config = folder / "mosquitto.conf"
    user = pwd.getpwuid(os.getuid()).pw_name
    config.write_text(broker_file(folder / "broker", port, user), "utf-8")
    async with running("mosquitto", [program, "-c", config], folder) as broker:
        await _until_it_listens(broker, port)
        yield broker


@asynccontextmanager
async def simulators_in(folder: Path, speed: float) -> AsyncIterator[tuple[Child, Room]]:
    """The simulated lab, as a process of its own, with its serial ports in the folder."""
    command = [sys.executable, "-m", "simulators", "--json", "--dir", folder / "ports"]
    command += ["--speed", str(speed)]
    async with running("simulators", command, folder, speaks=True) as child:
        try:
            async with asyncio.timeout(ROOM_WITHIN_S):
                said = json.loads(await child.first_line())
        except TimeoutError:
            raise child.trouble(
                Message("said nothing for {seconds:g} s", seconds=ROOM_WITHIN_S)
            ) from None
        host, port = said["control"]
        yield child, Room(said["devices"], (host, port))


async def _until_it_listens(broker: Child, port: int) -> None:
    """Wait until the broker takes connections. Raises CannotStart."""
    try:
        async with asyncio.timeout(BROKER_WITHIN_S):
            while not await _listens(port):
                if broker.process.returncode is not None:
                    raise broker.trouble(
                        Message("ended with {code}", code=broker.process.returncode)
                    )
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise broker.trouble(
            Message("does not listen after {seconds:g} s", seconds=BROKER_WITHIN_S)
        ) from None


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(HOST, port)
    except OSError:
        return False
    writer.close()
    return True
