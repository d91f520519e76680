"""The options that every command takes, before its name or after."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Socket = Annotated[
    Path | None,
    typer.Option(
        "--socket",
        metavar="PATH",
        help="The agent's socket; $LABKEEPER_SOCKET, else /run/labkeeper/agent.sock.",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Config = Annotated[
    Path,
    typer.Option("--config", metavar="FILE", help="The station's YAML file.", show_default=False),
]
Seconds = Annotated[
    float | None,
    typer.Option(
        "--seconds", metavar="N", min=0.1, help="End after N seconds.", show_default=False
    ),
]
