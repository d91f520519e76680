"""What may be typed to have a station examined, and its state packed for somebody who helps."""

from __future__ import annotations

from pathlib import Path

from agent.cli.parser import Commands
from agent.languages.message import N_


def add_doctor(commands: Commands) -> None:
    """Add the command that examines; it needs no agent and asks one that runs."""
    doctor = commands.add(
        "doctor",
        "doctoring:doctor",
        N_("examine this station: what is right, what is wrong, what to do; disturbs nothing"),
        "labkeeper doctor    (put sudo before it, and it sees everything)",
    )
    doctor.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help=N_("the station's YAML file; default: the running agent's, or that of the service"),
    )
