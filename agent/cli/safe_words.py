"""What may be typed of safe states: make-safe, and waivers of what covers an output."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from agent.cli.parser import Commands
from agent.languages.message import N_

NO_SOCKET: Final = frozenset({"socket"})


def add_safe(commands: Commands) -> None:
    """Add `make-safe`, which needs no agent and must not meet one, and what is said of covers."""
    make_safe = commands.add(
        "make-safe",
        "safe:make_safe",
        N_("make safe what an agent that was killed has left; systemd runs it after every end"),
        "labkeeper make-safe --state /var/lib/labkeeper",
        unused=NO_SOCKET,
    )
    make_safe.add_argument(
        "--state",
        type=Path,
        metavar="DIR",
        required=True,
        help=N_("the state folder of the station"),
    )
    make_safe.add_argument(
        "--within",
        type=float,
        metavar="S",
        default=2.5,
        help=N_(
            "how long a device may take to be confirmed safe; default: 2.5, which systemd waits for"
        ),
    )
    waive = commands.add(
        "waive",
        "waivers:waive",
        N_("allow unattended starts with a device whose outputs nothing covers"),
        'labkeeper waive psu1 --reason "the load is a resistor" --until 2026-12-31',
    )
    waive.add_argument("device", metavar="DEVICE", help=N_("the device"))
    waive.add_argument("--reason", metavar="TEXT", required=True, help=N_("why that is all right"))
    waive.add_argument("--until", metavar="DATE", required=True, help=N_("the last day, in UTC"))
    commands.add("waivers", "waivers:waivers", N_("list the waivers in force"), "labkeeper waivers")
