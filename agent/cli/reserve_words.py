"""What may be typed about reservations."""

from __future__ import annotations

from agent.cli.parser import Commands
from agent.languages.message import N_


def add_reserve(commands: Commands) -> None:
    """Add `reserve` and `unreserve`."""
    reserve = commands.add(
        "reserve",
        "reserve:reserve",
        N_(
            "keep a device for yourself for a time, or list what is reserved; jobs wait, others may stop"
        ),
        'labkeeper reserve psu1 --for 15min --reason "changing the leads"',
    )
    reserve.add_argument("device", metavar="DEVICE", nargs="?", help=N_("default: list them"))
    reserve.add_argument("--for", dest="duration", metavar="TIME", help=N_("such as 15min or 2h"))
    reserve.add_argument("--reason", metavar="TEXT", default="", help=N_("what you do with it"))
    reserve.add_argument(
        "--takeover", action="store_true", help=N_("also from somebody else, as an engineer")
    )
    unreserve = commands.add(
        "unreserve",
        "reserve:unreserve",
        N_("give a device back before its time"),
        "labkeeper unreserve psu1",
    )
    unreserve.add_argument("device", metavar="DEVICE", help=N_("the device"))
