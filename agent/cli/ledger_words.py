"""What may be typed of the ledger: its commands and their arguments."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Final

from agent.cli.parser import NOTHING, Commands, count
from agent.languages.message import N_, Message

NO_SOCKET: Final = frozenset({"socket"})
KINDS: Final = ("command", "job", "step", "event", "alarm", "config", "ledger")
_MOMENT: Final = re.compile(r"\d{4}(-\d\d(-\d\d(T\d\d(:\d\d(:\d\d(\.\d{1,6})?)?)?)?)?)?")


def moment(text: str) -> str:
    """The beginning of a time in RFC 3339, UTC; "" is any. Raises argparse.ArgumentTypeError."""
    if not text:
        return ""
    if _MOMENT.fullmatch(known := text.upper().removesuffix("Z")):
        return known
    raise argparse.ArgumentTypeError(
        Message("{text!r} is no time such as 2026-11-28 or 2026-11-28T05:16", text=text)
    )


def add_ledger(commands: Commands) -> None:
    """Add `ledger` and its commands. None of them needs an agent."""
    ledger = commands.add(
        "ledger",
        "ledger:which",
        N_("show, verify or export what was done with a station, by whom, when and why"),
        "labkeeper ledger show --config station.yaml    (each command has a --help of its own)",
        unused=NOTHING,
    )
    each = Commands(ledger)
    for parser in (_add_show(each), _add_unsettled(each), _add_verify(each), _add_export(each)):
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument(
            "--config", type=Path, metavar="FILE", help=N_("the station's YAML file")
        )
        which.add_argument(
            "--state", type=Path, metavar="DIR", help=N_("its state folder, or a copy of that")
        )


def _add_show(each: Commands) -> argparse.ArgumentParser:
    show = each.add(
        "show",
        "ledger:show",
        N_("show the newest rows, oldest first; times are UTC"),
        "labkeeper ledger show --config station.yaml --device psu1 --last 20",
        unused=NO_SOCKET,
    )
    show.add_argument(
        "--last", type=count, metavar="N", default=50, help=N_("how many rows; default: 50")
    )
    for name, metavar, about in (
        ("device", "DEVICE", N_("rows about this device")),
        ("job", "JOB", N_("rows of this job")),
        ("who", "NAME", N_("what this person or program did")),
        ("action", "ACTION", N_("what was done, such as set, stop or config.reloaded")),
    ):
        show.add_argument(f"--{name}", metavar=metavar, default="", help=about)
    for name, about in (
        ("since", N_("from this time on: 2026-11-28 or 2026-11-28T05:16, UTC")),
        ("until", N_("up to this time: 2026-11-28 or 2026-11-28T05:16, UTC")),
    ):
        show.add_argument(f"--{name}", type=moment, metavar="TIME", default="", help=about)
    show.add_argument("--kind", metavar="KIND", default="", choices=KINDS, help=", ".join(KINDS))
    return show


def _add_unsettled(each: Commands) -> argparse.ArgumentParser:
    return each.add(
        "unsettled",
        "ledger:unsettled",
        N_(
            "list the commands whose outcome nobody knows, and the devices that have to be looked at"
        ),
        "labkeeper ledger unsettled --config station.yaml",
        unused=NO_SOCKET,
    )


def _add_verify(each: Commands) -> argparse.ArgumentParser:
    verify = each.add(
        "verify",
        "ledger:verify",
        N_("say whether anything was altered, removed, added or moved; ends with 3 if so"),
        "labkeeper ledger verify --config station.yaml --head 812:9f86d0…",
        unused=NO_SOCKET,
    )
    verify.add_argument(
        "--head",
        metavar="ROW:HASH",
        action="append",
        dest="heads",
        default=[],
        help=N_("a head that was kept elsewhere, as `verify` prints it; may be said several times"),
    )
    return verify


def _add_export(each: Commands) -> argparse.ArgumentParser:
    export = each.add(
        "export",
        "ledger:export",
        N_("write all rows to a file: .csv for people and Excel, .jsonl for programs"),
        "labkeeper ledger export ledger.csv --config station.yaml",
        unused=NO_SOCKET,
    )
    export.add_argument("path", type=Path, metavar="FILE", help=N_("ends with .csv or .jsonl"))
    export.add_argument("--replace", action="store_true", help=N_("put it in the place of another"))
    return export
