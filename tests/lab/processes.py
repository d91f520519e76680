"""The real processes of a station: the room of simulators, and the agent, started and ended by pid."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from simulators.control import RoomControl

START_S = 15.0
END_S = 5.0
LABKEEPER = (sys.executable, "-m", "agent.cli")


@dataclass
class Room:
    """The running simulators: where each is, and how to play tricks on them."""

    devices: dict[str, dict[str, Any]]
    control: RoomControl
    process: asyncio.subprocess.Process
    keys: dict[str, str] = field(default_factory=dict)
    """What the printers on the network take as a key, and as a password."""

    def tcp(self, name: str) -> tuple[str, int]:
        """Host and port of a simulator on TCP."""
        host, port = self.devices[name]["tcp"]
        return host, port

    def http(self, name: str) -> str:
        """The address of a simulated printer on the network."""
        host, port = self.devices[name]["http"]
        return f"http://{host}:{port}"

    def pty(self, name: str) -> str:
        """The stable path of a simulator on a pseudo-terminal."""
        return str(self.devices[name]["pty"])

    def five(self) -> str:
        """The devices section of a config with all five devices of the room."""
        psu, dmm, oven = (self.tcp(name) for name in ("psu1", "dmm1", "oven1"))
        return f"""\
devices:
  psu1: {{driver: siglent.spd1000x, address: "tcp://{psu[0]}:{psu[1]}", simulated: true}}
  dmm1: {{driver: keysight.34460a, address: "visa://TCPIP0::{dmm[0]}::{dmm[1]}::SOCKET", simulated: true}}
  oven1: {{driver: autonics.tk4, address: "modbus+tcp://{oven[0]}:{oven[1]}?unit=1", simulated: true}}
  printer1: {{driver: printers.marlin, address: "serial://{self.pty("printer1")}", simulated: true}}
  stage1: {{driver: motion.grbl, address: "serial://{self.pty("stage1")}", simulated: true}}
"""


@asynccontextmanager
async def room(folder: Path, *options: str) -> AsyncIterator[Room]:
    """Run the simulators until the context ends."""
    folder.mkdir(parents=True, exist_ok=True)
    arguments = (sys.executable, "-m", "simulators", "--json", "--dir", str(folder), *options)
    async with child(*arguments) as process:
        assert process.stdout is not None
        async with asyncio.timeout(START_S):
            found = json.loads(await process.stdout.readline())
        async with RoomControl(*found["control"]) as control:
            yield Room(found["devices"], control, process, found["keys"])


class Agent:
    """A running agent, seen through its socket, its pages and its log."""

    def __init__(self, folder: Path, process: asyncio.subprocess.Process) -> None:
        self.folder, self.process = folder, process
        self.socket = folder / "state" / "agent.sock"
        self.config = folder / "station.yaml"

    @property
    def log(self) -> str:
        """Everything it has written."""
        return (self.folder / "agent.log").read_text()

    def lines(self) -> list[dict[str, Any]]:
        """The log's lines as JSON."""
        return [json.loads(line) for line in self.log.splitlines() if line.startswith("{")]

    def events(self, kind: str) -> list[dict[str, Any]]:
        """The log's lines of one kind of event."""
        return [line for line in self.lines() if line.get("event") == kind]

    async def get(self, path: str) -> Any:
        """GET a path of the API through the Unix socket, as JSON."""
        transport = httpx.AsyncHTTPTransport(uds=str(self.socket))
        async with httpx.AsyncClient(transport=transport, base_url="http://labkeeper") as client:
            return (await client.get(f"/api/v1{path}", timeout=5)).json()

    async def devices(self) -> dict[str, dict[str, Any]]:
        """The devices as they stand, by name."""
        return {device["device"]: device for device in await self.get("/devices")}

    async def until(
        self, holds: Callable[[dict[str, dict[str, Any]]], bool], seconds: float = 45.0
    ) -> dict[str, dict[str, Any]]:
        """Wait until something holds of the devices, and return them."""
        deadline = asyncio.get_running_loop().time() + seconds
        devices: dict[str, dict[str, Any]] = {}
        while asyncio.get_running_loop().time() < deadline:
            with contextlib.suppress(httpx.TransportError):
                devices = await self.devices()
                if holds(devices):
                    return devices
            await asyncio.sleep(0.05)
        states = {n: (d["state"], d["reason"]) for n, d in devices.items()}
        raise AssertionError(f"not within {seconds} s; devices: {states}; log:\n{self.log[-3000:]}")

    async def until_ready(self, *names: str, seconds: float = 45.0) -> dict[str, dict[str, Any]]:
        """Wait until these devices answer."""
        return await self.until(
            lambda devices: all(devices.get(n, {}).get("state") == "ready" for n in names), seconds
        )

    async def until_said(self, text: str, seconds: float = 45.0) -> None:
        """Wait until its log has this text."""
        async with asyncio.timeout(seconds):
            while text not in self.log:
                await asyncio.sleep(0.02)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    async def ended(self, seconds: float = END_S) -> int:
        """Wait for its end, and return its exit code."""
        async with asyncio.timeout(seconds):
            return await self.process.wait()


@asynccontextmanager
async def agent(
    folder: Path, config: str, *, program: str = "agent.cli", **environment: str
) -> AsyncIterator[Agent]:
    """Run `labkeeper run` with this config until the context ends; its log goes to a file.

    `program` is another module that ends in the same: with a defect, or of another version.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "station.yaml").write_text(config, encoding="utf-8")
    with (folder / "agent.log").open("wb") as log:
        run = ("run", "--config", str(folder / "station.yaml"))
        arguments = (sys.executable, "-m", program, *run)
        async with child(*arguments, stderr=log.fileno(), environment=environment) as process:
            yield Agent(folder, process)


def station(folder: Path, devices: str, *, broker_port: int = 0, more: str = "") -> str:
    """A config with free ports, its state below `folder`, and a broker where a port is given."""
    mqtt = f"mqtt: {{host: 127.0.0.1, port: {broker_port}}}\n" if broker_port else ""
    return f"""\
name: bench-1
state: {folder / "state"}
api: {{listen: "127.0.0.1:0"}}
metrics: {{listen: "127.0.0.1:{free_port()}"}}
log: {{format: json}}
{mqtt}{more}{devices}"""


@asynccontextmanager
async def child(
    *arguments: str, stderr: int | None = None, environment: dict[str, str] | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process of ours, ended by SIGTERM and, if it does not heed that, by SIGKILL."""
    process = await asyncio.create_subprocess_exec(
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=stderr,
        env={**os.environ, **(environment or {})},
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(END_S + 2):
                await process.communicate()
        except TimeoutError:
            process.kill()
            await process.communicate()


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def short_folder() -> Path:
    """A folder with a path short enough for a Unix socket (108 bytes)."""
    return Path(tempfile.mkdtemp(prefix="lk-"))
