"""What may be typed to say what became of what nobody knows."""

from __future__ import annotations

from agent.cli.parser import Commands
from agent.languages.message import N_


def add_settle(commands: Commands) -> None:
    """Add `settle`."""
    settle = commands.add(
        "settle",
        "settling:settle",
        N_(
            "say what became of a command whose outcome is unknown, and so unblock its device; alone: list them"
        ),
        'labkeeper settle psu1 --reason "the output is off, I have looked"',
    )
    which = settle.add_mutually_exclusive_group()
    which.add_argument("device", metavar="DEVICE", nargs="?", help=N_("the device"))
    which.add_argument("--all", action="store_true", help=N_("every device that is blocked"))
    settle.add_argument("--reason", metavar="TEXT", default="", help=N_("what you have seen"))
