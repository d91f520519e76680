"""The words of the demo on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from agent.cli.parser import Commands, add_seconds, port, times
from agent.languages.message import N_

NO_SOCKET: Final = frozenset({"socket"})


def add_demo(commands: Commands) -> None:
    """Add the command that shows a station without any device."""
    demo = commands.add(
        "demo",
        "hosting:demo",
        N_("start a broker, a simulated lab and an agent, and show five devices at work"),
        "labkeeper demo --seconds 60",
        unused=NO_SOCKET,
    )
    add_seconds(demo)
    faster = N_("let the devices live N times as fast; default: 1")
    demo.add_argument("--speed", type=times, metavar="N", default=1.0, help=faster)
    for name in ("broker", "metrics", "api"):
        demo.add_argument(
            f"--{name}-port", type=port, metavar="P", default=0, help=N_("default: a free port")
        )
    demo.add_argument(
        "--state",
        type=Path,
        metavar="DIR",
        help=N_("keep everything here; default: a temporary folder"),
    )
