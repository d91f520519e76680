"""What may be typed to say what became of what nobody knows."""

from __future__ import annotations

from agent.cli.parser import Commands


def add_settle(commands: Commands) -> None:
    """Add `settle`."""
    settle = commands.add(
        "settle",
        "settling:settle",
        "say what became of a command whose outcome is unknown, and so unblock its device; alone: list them",
        'labkeeper settle psu1 --reason "the output is off, I have looked"',
    )
    which = settle.add_mutually_exclusive_group()
    which.add_argument("device", metavar="DEVICE", nargs="?", help="the device")
    which.add_argument("--all", action="store_true", help="every device that is blocked")
    settle.add_argument("--reason", metavar="TEXT", default="", help="what you have seen")
