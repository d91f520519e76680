"""The files that make a machine a station, and where they come from and go to."""

from __future__ import annotations

import re
import socket
from pathlib import Path
from typing import Final

UNIT: Final = "labkeeper.service"
PROGRAM: Final = "/opt/labkeeper"
COMMAND: Final = "/usr/local/bin/labkeeper"
CONFIG: Final = "/etc/labkeeper"
STATION: Final = f"{CONFIG}/station.yaml"
SECRETS: Final = f"{CONFIG}/secrets"
STATE: Final = "/var/lib/labkeeper"
SIGNERS: Final = f"{CONFIG}/release-signers"
"""Who may sign releases, as ssh-keygen(1) has it; without it no signature is asked for."""

PARTS: Final = {
    "labkeeper.sysusers": "/etc/sysusers.d/labkeeper.conf",
    "labkeeper.tmpfiles": "/etc/tmpfiles.d/labkeeper.conf",
    "labkeeper.rules": "/etc/udev/rules.d/72-labkeeper.rules",
    UNIT: f"/etc/systemd/system/{UNIT}",
    "station.example.yaml": f"{CONFIG}/station.example.yaml",
    "station.schema.json": f"{CONFIG}/station.schema.json",
}
"""What is ours on a station, by its name here."""

HERE: Final = Path(__file__).parent
CHECKOUT: Final = HERE.parents[1]
PLACES: Final = (HERE / "station", CHECKOUT / "systemd", CHECKOUT / "config")
"""In a wheel they lie beside this file; in a checkout where they are written."""

FIRST: Final = """\
# yaml-language-server: $schema=station.schema.json
#
# This station. Every key with its default is in station.example.yaml, beside this file. After a change:
#
#     labkeeper check --config /etc/labkeeper/station.yaml
#     systemctl reload labkeeper

name: {name}                  # in topics and metrics: a to z, digits and -

# Secrets, such as the broker's password, are files of their own in secrets/, readable by root alone:
#
# mqtt: {{host: broker.lab.example, username: {name}, password_file: secrets/mqtt-password}}

devices: {{}}                   # what is on this bench; `labkeeper drivers` lists what may be here
"""


def part(name: str) -> bytes:
    """The content of one of PARTS. Raises FileNotFoundError."""
    for place in PLACES:
        if (place / name).is_file():
            return (place / name).read_bytes()
    raise FileNotFoundError(name)


def first_config(host: str | None = None) -> bytes:
    """The config that a new station starts from, called after the machine."""
    name = (host or socket.gethostname()).partition(".")[0].lower()
    name = re.sub(r"[^a-z0-9-]+", "-", name).strip("-")[:40] or "station"
    return FIRST.format(name=name).encode()
