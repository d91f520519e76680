"""Commands that start something here: run, check, demo. They need no agent that runs already."""

from __future__ import annotations

import gc
import os
from pathlib import Path

from agent.cli import output
from agent.cli.parser import WrongUsage
from agent.cli.words import said
from agent.languages.message import Message


def run(config: Path | None) -> None:
    """Run the agent of this station until it is told to end. Raises WrongUsage without a config."""
    if config is None:
        raise WrongUsage(
            Message("the following arguments are required: --config; see `labkeeper run --help`")
        )
    # What is imported stays. To look through it for garbage takes a seventh of the time until devices
    # are read; `agent.memory.settle` looks once, when all is there.
    gc.disable()
    # Pydantic would look for plugins in all that is installed, for a twentieth of that time. We use none.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    # The agent itself is imported by this command alone.
    from agent.running import run as run_agent

    run_agent(config)


def check(config: Path, *, as_json: bool) -> None:
    """Read a config, and warn of what can't go as it says. Raises ConfigError, with all that is wrong."""
    # Reading a config needs pydantic, YAML and the drivers that it names: 0.4 s.
    from agent.doctor.config import warnings_of
    from agent.settings import load

    station = load(config)
    count = len(station.devices)
    warnings = warnings_of(station)
    if as_json:
        found = {"station": station.name, "devices": sorted(station.devices), "warnings": warnings}
        output.document(found)
    else:
        for warning in warnings:
            output.line(Message("warning: {warning}", warning=warning))
        output.line(
            said(
                Message(
                    "ok: {count} device{count_2}", count=count, count_2=("" if count == 1 else "s")
                )
            )
        )


def demo(
    seconds: float | None,
    broker_port: int,
    metrics_port: int,
    api_port: int,
    state: Path | None,
    *,
    speed: float,
    as_json: bool,
) -> None:
    """Start a broker, a simulated lab and an agent, and show them."""
    from agent.cli.demo.lab import run_demo
    from agent.cli.demo.wishes import Wishes

    run_demo(
        Wishes(
            seconds=seconds,
            broker_port=broker_port,
            metrics_port=metrics_port,
            api_port=api_port,
            folder=state,
            as_json=as_json,
            speed=speed,
        )
    )
