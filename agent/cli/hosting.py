"""Commands that start something here: run, check, demo. They need no agent that runs already."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agent.cli import output
from agent.cli.options import Config, Json, Seconds

Port = Annotated[int, typer.Option(metavar="P", min=0, max=65535, help="0: a free port.")]


def run(config: Config) -> None:
    """Run the agent of this station until SIGTERM or Ctrl-C. SIGHUP reads the config again.

    Example: labkeeper run --config /etc/labkeeper/station.yaml
    """
    # The agent itself is imported by this command alone.
    from agent.app import run as run_agent

    run_agent(config)


def check(config: Config, as_json: Json = False) -> None:
    """Say everything that is wrong with a config, each with file, line, column and key.

    Example: labkeeper check --config station.yaml
    """
    # Reading a config needs pydantic, YAML and the drivers that it names: 0.4 s.
    from agent.settings import load

    station = load(config)
    count = len(station.devices)
    if as_json:
        output.document({"station": station.name, "devices": sorted(station.devices)})
    else:
        output.line(f"ok: {count} device{'' if count == 1 else 's'}")


def demo(
    seconds: Seconds = None,
    broker_port: Port = 0,
    metrics_port: Port = 0,
    api_port: Port = 0,
    state: Annotated[
        Path | None,
        typer.Option(
            "--state",
            metavar="DIR",
            help="Keep everything here; a temporary folder if not given.",
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Start a broker, a simulated lab and an agent here, and show five devices at work.

    Example: labkeeper demo --seconds 60
    """
    from agent.cli.demo import Wishes, show

    show(
        Wishes(
            seconds=seconds,
            broker_port=broker_port,
            metrics_port=metrics_port,
            api_port=api_port,
            folder=state,
            as_json=as_json,
        )
    )
