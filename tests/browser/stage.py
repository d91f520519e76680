"""A real station for a real browser: the simulators and the agent as processes, driven from plain tests.

Playwright's plain interface has a loop of its own, so nothing here is a coroutine.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.lab.processes import END_S, LABKEEPER, START_S, free_port

CHROMIUM = Path("/usr/bin/chromium")
QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--no-first-run"),
)


@dataclass
class Stage:
    """A running station. `url` is where its console is."""

    folder: Path
    port: int
    agent: subprocess.Popen[bytes]
    devices: dict[str, dict[str, Any]]

    @property
    def url(self) -> str:
        """The console's address."""
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str) -> Any:
        """GET a path of the API."""
        return httpx.get(f"{self.url}/api/v1{path}", timeout=5).json()

    def put(self, path: str, body: dict[str, Any]) -> None:
        """PUT to a path of the API, with the token; it must be done."""
        self._change("PUT", path, body)

    def post(self, path: str, body: dict[str, Any]) -> None:
        """POST to a path of the API, with the token; it must be done."""
        self._change("POST", path, body)

    def _change(self, method: str, path: str, body: dict[str, Any]) -> None:
        token = (self.folder / "state" / "api-token").read_text().strip()
        bearer = {"Authorization": f"Bearer {token}"}
        address = f"{self.url}/api/v1{path}"
        httpx.request(method, address, json=body, headers=bearer, timeout=10).raise_for_status()

    def until_ready(self) -> None:
        """Wait until every device answers."""
        deadline = time.monotonic() + 2 * START_S
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx.TransportError):
                found = self.get("/devices")
                if len(found) == len(self.devices) and all(it["state"] == "ready" for it in found):
                    return
            self.agent.poll()
            assert self.agent.returncode is None, (self.folder / "agent.log").read_text()
            time.sleep(0.05)  # noqa: TID251 - until the condition above holds
        raise AssertionError((self.folder / "agent.log").read_text()[-3000:])

    def restart(self) -> None:
        """Start the agent anew after it has ended, at the same address."""
        self.agent = _agent(self.folder)


@contextmanager
def stage(folder: Path, more: str = "", *, api: str = "") -> Iterator[Stage]:
    """Run the simulated room and an agent on its five devices until the context ends.

    `more` is what its config has besides the devices, and `api` what its section of this name has.
    """
    arguments = (sys.executable, "-m", "simulators", "--json", "--dir", str(folder / "room"))
    (folder / "room").mkdir()
    room = subprocess.Popen(arguments, stdout=subprocess.PIPE)
    try:
        assert room.stdout is not None
        found = json.loads(room.stdout.readline())["devices"]
        port = free_port()
        config = _station(folder, port, found, api) + more
        (folder / "station.yaml").write_text(config, "utf-8")
        five = {name: found[name] for name in ("psu1", "dmm1", "oven1", "printer1", "stage1")}
        made = Stage(folder, port, _agent(folder), five)
        try:
            made.until_ready()
            yield made
        finally:
            _end(made.agent)
    finally:
        _end(room)
        assert room.stdout is not None
        room.stdout.close()


def _agent(folder: Path) -> subprocess.Popen[bytes]:
    with (folder / "agent.log").open("ab") as log:
        command = (*LABKEEPER, "run", "--config", str(folder / "station.yaml"))
        return subprocess.Popen(command, stderr=log, stdout=subprocess.DEVNULL, env=os.environ)


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGCONT)  # it may have been halted by a test
        process.terminate()
    try:
        process.wait(END_S + 2)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _station(folder: Path, port: int, found: dict[str, dict[str, Any]], api: str) -> str:
    psu, dmm, oven = (found[name]["tcp"] for name in ("psu1", "dmm1", "oven1"))
    return f"""\
name: bench-1
title: {{ko: 1번 작업대, en: Bench 1}}
state: {folder / "state"}
api: {{listen: "127.0.0.1:{port}"{api}}}
metrics: null
log: {{format: json}}
devices:
  psu1:
    driver: siglent.spd1000x
    address: tcp://{psu[0]}:{psu[1]}
    title: {{ko: 전원 공급기, en: Bench supply}}
    simulated: true
    limits: {{voltage: {{high: 5.5}}}}
  dmm1:
    driver: keysight.34460a
    address: visa://TCPIP0::{dmm[0]}::{dmm[1]}::SOCKET
    title: {{ko: 멀티미터, en: Multimeter}}
    simulated: true
  oven1:
    driver: autonics.tk4
    address: modbus+tcp://{oven[0]}:{oven[1]}?unit=1
    title: {{ko: 오븐, en: Oven}}
    simulated: true
  printer1:
    driver: printers.marlin
    address: serial://{found["printer1"]["pty"]}
    title: {{ko: 3D 프린터, en: 3D printer}}
    simulated: true
  stage1:
    driver: motion.grbl
    address: serial://{found["stage1"]["pty"]}
    title: {{ko: 이송 스테이지, en: Motion stage}}
    simulated: true
"""
