"""What Prometheus has to know of a station: `labkeeper metrics targets`. Needs no agent."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.cli import output
from agent.cli.parser import WrongUsage
from agent.cli.words import said
from agent.errors import Refused
from agent.install.parts import STATION
from agent.languages.message import Message

if TYPE_CHECKING:
    from agent.settings import Station


def which() -> int:
    """Say what may be asked of the metrics. Raises WrongUsage."""
    raise WrongUsage(Message("which? metrics targets; see `labkeeper metrics --help`"))


def targets(config: Path | None) -> None:
    """Print the station's entry for file_sd_configs. Raises ConfigError, and Refused where there is none."""
    # Reading a config needs pydantic, YAML and the drivers that it names: 0.4 s.
    from agent.settings import load

    station = load(config or Path(STATION))
    entry = entry_of(station)
    output.line(json.dumps([entry], indent=2))
    if station.api.network is None:
        aside = Message(
            "only a Prometheus on this machine can scrape it: for another one add api.network, the "
            "door to other machines"
        )
        sys.stderr.write(f"{said(aside)}\n")


def entry_of(station: Station) -> dict[str, Any]:
    """Where the page is, by the first name of the door to other machines, and what its series are called by.

    Raises Refused where there is no page, or its port is not known before the agent runs.
    """
    metrics, network = station.metrics, station.api.network
    if metrics is None:
        raise Refused(
            Message("the station has no metrics page: take `metrics: null` out of its config")
        )
    listen = network.listen if network else metrics.listen
    host = network.hosts[0] if network else listen.host
    if ":" not in host:
        host = f"{host}:{listen.port}"
    if host.endswith(":0"):
        key = "api.network.listen" if network else "metrics.listen"
        raise Refused(
            Message("{key} has port 0, a free one that changes: give it a port of its own", key=key)
        )
    scheme = "https" if network else "http"
    return {"targets": [host], "labels": {"station": station.name, "__scheme__": scheme}}
