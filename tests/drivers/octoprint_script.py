"""An OctoPrint that answers what a test has written down, and the wire that asks it."""

from __future__ import annotations

from typing import Any

from drivers.protocol.octoprint import OctoPrint
from drivers.transport.link import Timeouts
from tests.drivers.scripted_host import ScriptedHost

PLACE = "labkeeper/a.gcode"
FILE = f"GET /api/files/local/{PLACE}"
PRINTER = "GET /api/printer?exclude=sd"


def printer(*flags: str, text: str = "Printing", **heats: Any) -> tuple[int, Any]:
    told = {"tool0": {"actual": 21.0, "target": 0.0}, "bed": {"actual": 22.0, "target": 0.0}}
    state = {"text": text, "flags": dict.fromkeys(flags, True), "error": ""}
    return 200, {"state": state, "temperature": told | heats}


IDLE = printer("operational", "ready", text="Operational")
PRINTING = printer("operational", "printing")


def job(path: str | None = PLACE, *, elapsed: int | None = 3, origin: str = "local") -> Any:
    file = {"origin": origin, "path": path, "name": path, "date": 7}
    progress = {"completion": 12.5, "printTime": elapsed, "printTimeLeft": 70}
    return 200, {"job": {"file": file}, "progress": progress, "state": "Printing"}


def kept(success: int = 0, failure: int = 0, last: bool | None = None, **more: Any) -> Any:
    prints = {"success": success, "failure": failure, "last": {"success": last, "date": 9}}
    return 200, {"path": PLACE, "date": 7, "prints": prints, **more}


def host(**answers: Any) -> ScriptedHost:
    named = {"version": "GET /api/version", "printer": PRINTER, "job": "GET /api/job", "file": FILE}
    given = {named.get(name, name): answer for name, answer in answers.items()}
    return ScriptedHost({"GET /api/version": (200, {"text": "OctoPrint 1.10.2"}), **given})


def wire(link: ScriptedHost) -> OctoPrint:
    made = OctoPrint(link, Timeouts())
    made.again = 0.001  # type: ignore[misc]
    return made
