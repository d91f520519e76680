"""What may be typed about the plates of printers."""

from __future__ import annotations

from agent.cli.parser import Commands
from agent.languages.message import N_


def add_plate(commands: Commands) -> None:
    """Add `plate` and its commands."""
    plate = commands.add(
        "plate",
        "plates:which",
        N_("list the plates of the printers, or say that one is clear"),
        "labkeeper plate clear printer1    (each has a --help of its own)",
    )
    plate.set_defaults(runs="plates:which", unused=frozenset({"socket", "as_json"}))
    each = Commands(plate)
    each.add(
        "list",
        "plates:list_plates",
        N_("list the printers: on which plate a print may still lie"),
        "labkeeper plate list",
    )
    clear = each.add(
        "clear",
        "plates:clear",
        N_("say that you have taken the last print off, so that the next one may begin"),
        "labkeeper plate clear printer1",
    )
    clear.add_argument("device", metavar="DEVICE", help=N_("the printer whose plate you have seen"))
