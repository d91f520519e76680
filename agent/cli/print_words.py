"""What may be typed about printing a file, and about putting one into the store."""

from __future__ import annotations

import argparse

from agent.cli.parser import Commands
from agent.languages.message import N_


def add_print(commands: Commands) -> None:
    """Add `print`."""
    print_ = commands.add(
        "print",
        "printing:print_",
        N_("print a file, and show how far it is; Ctrl-C ends the watching alone"),
        "labkeeper print printer1 part.gcode",
    )
    print_.add_argument("device", metavar="DEVICE", help=N_("the printer"))
    print_.add_argument(
        "file", metavar="FILE", help=N_("a file of this machine, else the name of one in the store")
    )
    add_upload(print_)
    print_.add_argument(
        "--detach", action="store_true", help=N_("end as soon as it is being printed")
    )


def add_upload(parser: argparse.ArgumentParser) -> None:
    """Add what may be said of a file that is put into the store."""
    parser.add_argument("--name", metavar="NAME", help=N_("what to call it in the store"))
    parser.add_argument(
        "--replace", action="store_true", help=N_("put it in the place of another of this name")
    )
