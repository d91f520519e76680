"""What may be typed about run folders, behind `run`, which runs the agent where nothing follows."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from agent.cli.parser import Commands
from agent.languages.message import N_

UNUSED: Final = frozenset({"socket", "config"})
"""`--config` of `run` itself means nothing to these, and none of them asks an agent."""
NO_SOCKET: Final = frozenset({"socket"})
FOLDER: Final = "/var/lib/labkeeper/runs/20261122-091500-1_thermal_cycle"


def add_run_folders(run: argparse.ArgumentParser) -> None:
    """Add the commands that look at what jobs have left. None of them needs an agent."""
    each = Commands(run)
    verify = each.add(
        "verify",
        "runs:verify",
        N_("say whether a run folder is as it was closed; ends with 3 if not"),
        f"labkeeper run verify {FOLDER}",
        unused=UNUSED,
    )
    show = each.add(
        "show",
        "runs:show",
        N_("show what a run was: who, when, with which devices, what came out"),
        f"labkeeper run show {FOLDER}",
        unused=UNUSED,
    )
    for parser in (verify, show):
        parser.add_argument(
            "folder", type=Path, metavar="FOLDER", help=N_("a run folder, or a copy")
        )
    verify.add_argument(
        "--ledger",
        type=Path,
        metavar="PATH",
        help=N_(
            "the ledger, or the state folder that has it; default: the one beside the folder of runs"
        ),
    )
    listing = each.add(
        "list",
        "runs:list_runs",
        N_("list the run folders, oldest first; `open` are those that have not been closed"),
        "labkeeper run list --config station.yaml",
        unused=NO_SOCKET,
    )
    which = listing.add_mutually_exclusive_group(required=True)
    which.add_argument("--config", type=Path, metavar="FILE", help=N_("the station's YAML file"))
    which.add_argument(
        "--runs", type=Path, dest="shelf", metavar="DIR", help=N_("the folder of runs, or a copy")
    )
