"""What the demo tells about itself: where to look, and what to try."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.cli.demo.ports import HOST, DemoPorts
from agent.cli.demo.station import DEVICES, STATION
from agent.cli.words import said
from agent.languages.message import Message

TOPICS = f"lab/v1/{STATION}/#"


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where everything of one demo is."""

    folder: Path
    config: Path
    socket: Path
    ports: DemoPorts
    broker: bool
    control: tuple[str, int]
    pids: dict[str, int]

    def as_json(self) -> dict[str, Any]:
        """The same for programs."""
        ports = self.ports
        return {
            "station": STATION,
            "devices": sorted(DEVICES),
            "folder": str(self.folder),
            "config": str(self.config),
            "socket": str(self.socket),
            "api": {"host": HOST, "port": ports.api, "url": f"http://{HOST}:{ports.api}/api/v1"},
            "metrics": {
                "host": HOST,
                "port": ports.metrics,
                "url": f"http://{HOST}:{ports.metrics}/metrics",
            },
            "broker": {"host": HOST, "port": ports.broker} if self.broker else None,
            "topics": TOPICS if self.broker else None,
            "simulators": {"control": list(self.control)},
            "pids": self.pids,
        }

    def as_line(self) -> str:
        """One line of JSON."""
        return json.dumps(self.as_json(), ensure_ascii=False)

    def as_text(self, done: Iterable[str]) -> str:
        """What a newcomer reads first; `done` is what the demo has set going."""
        where = self.as_json()
        listen = f"mosquitto_sub -h {HOST} -p {self.ports.broker} -t '{TOPICS}' -v"
        off = Message("off: mosquitto is not installed")
        up, look, attempt, sign_in, job, end = _headings()
        return f"""
{up}

{chr(10).join(f"  {said(sentence)}" for sentence in done)}

{look}

  console   http://{HOST}:{self.ports.api}/
  API       {where["api"]["url"]}/devices
  metrics   {where["metrics"]["url"]}
  MQTT      {listen if self.broker else said(off)}
  socket    {self.socket}
  config    {self.config}
  logs      {self.folder}/*.log

{self._to_try(attempt, sign_in, job)}
{end}
"""

    def _to_try(self, attempt: str, sign_in: str, job: str) -> str:
        return f"""\
{attempt}

  export LABKEEPER_SOCKET={shlex.quote(str(self.socket))}
  alias labkeeper={shlex.quote(_program())}

  labkeeper devices
  labkeeper read oven1 --fresh
  labkeeper set oven1.setpoint 120
  labkeeper do psu1.ramp to=12 rate=1
  labkeeper do stage1.jog x=10 feed=300
  labkeeper print printer1 demo.gcode
  labkeeper stop

{sign_in}

  labkeeper user first-code

{job}

  labkeeper recipe list --config {shlex.quote(str(self.config))}
  labkeeper job start leakage_ramp sample=R-1 limit=0.6 --wait
"""


def _headings() -> list[str]:
    """What stands above each part of what a newcomer reads, and at its end."""
    up = Message(
        "The demo lab is up: {count} simulated devices at one agent. So that something moves:",
        count=len(DEVICES),
    )
    others = (
        Message("Where to look:"),
        Message("Try, in another terminal:"),
        Message("To act on the console, sign in first; the code for that:"),
        Message("A job; its questions are answered there:"),
        Message("Ctrl-C ends everything."),
    )
    return [said(it) for it in (up, *others)]


def _program() -> str:
    """How the command line is started in another terminal, wherever that stands."""
    started = Path(sys.argv[0]).absolute()
    if started.name != "labkeeper":
        return f"{shlex.quote(sys.executable)} -m agent.cli"
    return shlex.quote(str(started))
