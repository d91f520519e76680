"""What may be typed to have a station examined, and its state packed for somebody who helps."""

from __future__ import annotations

from pathlib import Path

from agent.cli.parser import Commands
from agent.languages.message import N_


def add_doctor(commands: Commands) -> None:
    """Add the commands that examine; they need no agent and ask one that runs."""
    doctor = commands.add(
        "doctor",
        "doctoring:doctor",
        N_("examine this station: what is right, what is wrong, what to do; disturbs nothing"),
        "labkeeper doctor    (put sudo before it, and it sees everything)",
    )
    support = commands.add(
        "support",
        "supporting:support",
        N_("pack what helps somebody to help into a file: no secrets, and no names of people"),
        "labkeeper support    (put sudo before it, and it holds everything)",
    )
    support.add_argument(
        "--out", type=Path, metavar="FILE", help=N_("the file to make; default: one in this folder")
    )
    for name, about in (
        ("people", N_("leave the names of people as they are")),
        ("ledger", N_("add the last 200 rows of the ledger: what people did")),
    ):
        support.add_argument(f"--with-{name}", action="store_true", help=about)
    for parser in (doctor, support):
        parser.add_argument(
            "--config",
            type=Path,
            metavar="FILE",
            help=N_("the station's YAML file; default: the running agent's, or the service's"),
        )
