"""What may be typed to install labkeeper, bring it up to date, go back, and take it away."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from agent.cli.parser import Commands
from agent.languages.message import N_

NO_JSON: Final = frozenset({"as_json"})
NOTHING: Final = frozenset({"socket", "as_json"})


def add_install(commands: Commands) -> None:
    """Add the commands for root, which need no agent and ask one that runs."""
    _add_root(
        commands.add(
            "install",
            "installing:install",
            N_(
                "make this machine a station: user, folders, rules for ports, service, first config"
            ),
            "labkeeper install --dry-run    (shows each step, and does none)",
            unused=NOTHING,
        )
    )
    _add_root(
        commands.add(
            "uninstall",
            "installing:uninstall",
            N_("take labkeeper away; config, secrets and records stay"),
            "labkeeper uninstall --dry-run",
            unused=NO_JSON,
        )
    )
    _add_versions(commands)


def _add_versions(commands: Commands) -> None:
    update = commands.add(
        "update",
        "installing:update",
        N_("install a bundle and let it run, never while a job runs; the version before is kept"),
        "labkeeper update labkeeper-0.2.0-linux-x86_64.tar",
        unused=NO_JSON,
    )
    update.add_argument(
        "bundle", type=Path, metavar="BUNDLE", help=N_("what scripts/release has made")
    )
    signers = N_("who may sign it, for ssh-keygen; default: /etc/labkeeper/release-signers, if any")
    update.add_argument("--signers", type=Path, metavar="FILE", help=signers)
    _add_root(update)
    rollback = commands.add(
        "rollback",
        "installing:rollback",
        N_("let the version before run again, never while a job runs"),
        "labkeeper rollback",
        unused=NO_JSON,
    )
    restored = N_("the database was put back as the version before left it")
    rollback.add_argument("--database-restored", action="store_true", help=restored)
    _add_root(rollback)


def _add_root(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--root",
        type=Path,
        metavar="DIR",
        default=Path("/"),
        help=N_("the folder that holds the machine, such as an image; default: this machine"),
    )
    parser.add_argument("--dry-run", action="store_true", help=N_("show each step, and do none"))
