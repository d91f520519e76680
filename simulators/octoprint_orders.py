"""The commands that OctoPrint takes as JSON: for the job, the connection and the printer.

Source: docs.octoprint.org, REST API, "Job operations", "Connection handling" and "Printer
operations".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from simulators.networked_job import PrintState
from simulators.octoprint_files import TRUE, Refused
from simulators.octoprint_host import Conflict, OctoHost

Json = dict[str, Any]
Order = Callable[[Json], None]
TOOL: Final = re.compile(r"tool\d+")
USER: Final = "_api"
"""Whom OctoPrint takes somebody with the global API key for."""


class OctoOrders:
    """Each method takes the body of a request. Raises `Conflict` (409) and `Refused` (400)."""

    def __init__(self, host: OctoHost) -> None:
        self._host = host

    def job(self, order: Json) -> None:
        """POST /api/job."""
        command = _command(order, "start", "restart", "pause", "cancel")
        if command == "pause":
            try:
                self._host.pause(str(order.get("action", "toggle")))
            except ValueError as error:
                raise Refused(400, str(error)) from error
        elif command == "start":
            self._host.start(USER)
        elif command == "restart":
            self._host.restart(USER)
        else:
            self._host.cancel()

    def connection(self, order: Json) -> None:
        """POST /api/connection."""
        if _command(order, "connect", "disconnect", "fake_ack") == "connect":
            if order.get("port", "AUTO") not in ("AUTO", "/dev/ttyACM0"):
                raise Refused(400, "Invalid port")
            if order.get("baudrate", 0) not in (0, 115200):
                raise Refused(400, "Invalid baudrate")
            self._host.connect()
        elif order["command"] == "disconnect":
            self._host.disconnect()

    def printhead(self, order: Json) -> None:
        """POST /api/printer/printhead."""
        command = _command(order, "jog", "home", "feedrate")
        if command != "feedrate":
            self._need_idle()
        if command == "home":
            axes = order.get("axes")
            if not isinstance(axes, list) or not set(axes) <= {"x", "y", "z"}:
                raise Refused(400, "axis is invalid")
            self._host.send([f"G28 {' '.join(axes).upper()}"])
        elif command == "feedrate":
            self._host.send([f"M220 S{_percent(order, 50, 200)}"])
        else:
            self._jog(order)

    def _jog(self, order: Json) -> None:
        words = [f"{a.upper()}{_number(order, a)}" for a in "xyz" if a in order]
        mode = "G90" if order.get("absolute") in TRUE else "G91"
        speed = order.get("speed", 100)
        rate = f" F{float(speed) * 60}" if speed is not False else ""
        self._host.send([mode, f"G1 {' '.join(words)}{rate}", "G90"])

    def tool(self, order: Json) -> None:
        """POST /api/printer/tool."""
        command = _command(order, "target", "offset", "select", "extrude", "flowrate")
        if command in ("target", "offset"):
            values = order.get(f"{command}s")
            if not isinstance(values, dict) or not all(TOOL.fullmatch(name) for name in values):
                raise Refused(400, f"{command}s contains invalid tool")
            numbers = {name: _number(values, name) for name in values}
            if command == "target" and "tool0" in numbers:
                self._host.send([f"M104 S{numbers['tool0']}"])
        elif command == "flowrate":
            self._host.send([f"M221 S{_percent(order, 75, 125)}"])
        else:
            self._need_idle()
            self._extrude(order, command)

    def _extrude(self, order: Json, command: str) -> None:
        if command == "extrude":
            self._host.send(["M83", f"G1 E{_number(order, 'amount')} F300"])
        elif not TOOL.fullmatch(str(order.get("tool"))):
            raise Refused(400, "tool is invalid")

    def bed(self, order: Json) -> None:
        """POST /api/printer/bed."""
        if _command(order, "target", "offset") == "target":
            self._host.send([f"M140 S{_number(order, 'target')}"])

    def commands(self, order: Json) -> None:
        """POST /api/printer/command."""
        if ("command" in order) == ("commands" in order):
            raise Refused(400, "Need one of 'command' or 'commands'")
        lines = order.get("commands", [order.get("command")])
        if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
            raise Refused(400, "commands is invalid")
        self._host.send(lines)

    def _need_idle(self) -> None:
        printing = self._host.printer.active and not self._host.printer.state_is(PrintState.PAUSED)
        if not self._host.operational or printing:
            raise Conflict("Printer is not operational or currently printing")


def _command(order: Json, *known: str) -> str:
    command = order.get("command")
    if command not in known:
        raise Refused(400, f"command is invalid, it must be one of {', '.join(known)}")
    return str(command)


def _number(order: Json, name: str) -> float:
    value = order.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Refused(400, f"{name} is invalid")
    return float(value)


def _percent(order: Json, low: int, high: int) -> int:
    """A factor in percent as an integer, or as a part of 1 as a float."""
    value = _number(order, "factor")
    percent = round(value * 100) if isinstance(order["factor"], float) else round(value)
    if not low <= percent <= high:
        raise Refused(400, "factor is invalid")
    return percent
