"""What may be typed about the metrics."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from agent.cli.parser import Commands
from agent.languages.message import N_

NEEDS_NO_AGENT: Final = frozenset({"socket", "as_json"})


def add_metrics(commands: Commands) -> None:
    """Add `metrics` and its commands."""
    metrics = commands.add(
        "metrics",
        "scraping:which",
        N_("say how Prometheus finds this station"),
        "labkeeper metrics targets    (each has a --help of its own)",
        unused=NEEDS_NO_AGENT,
    )
    metrics.set_defaults(runs="scraping:which", unused=NEEDS_NO_AGENT)
    targets = Commands(metrics).add(
        "targets",
        "scraping:targets",
        N_("print the station's entry for Prometheus's file_sd_configs, as JSON"),
        "labkeeper metrics targets > /etc/prometheus/labkeeper/bench-3.json",
        unused=NEEDS_NO_AGENT,
    )
    targets.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help=N_("the station's YAML file; default: the service's"),
    )
