"""How a command line is taken apart: argparse that raises, and options that may stand anywhere."""

from __future__ import annotations

import argparse
import os
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NoReturn

from agent.cli.words import CHOSEN
from agent.errors import Refused
from agent.languages.message import LANGUAGES, Message

NOTHING: Final = frozenset({"socket", "as_json"})
"""The general options, where none of them means anything."""


class WrongUsage(Refused):
    """What was typed is no command of ours."""


class Parser(argparse.ArgumentParser):
    """A parser that raises instead of ending the process."""

    def error(self, message: str) -> NoReturn:
        """Raise WrongUsage."""
        raise WrongUsage(Message("{message}; see `{prog} --help`", message=message, prog=self.prog))

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Say which command was meant. Raises WrongUsage."""
        if action.choices is not None and value not in action.choices:
            # Names are compared only when one was mistyped.
            from agent.cli.names import unknown

            raise WrongUsage(str(unknown("command", value, map(str, action.choices))))


class Commands:
    """The commands, as they are added to the parser, or to a command that has some of its own."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self._added: Any = parser.add_subparsers(title="commands", metavar="COMMAND")

    def add(
        self,
        name: str,
        runs: str,
        about: str,
        example: str,
        *,
        unused: frozenset[str] = frozenset(),
    ) -> argparse.ArgumentParser:
        """Add a command; `unused` has the general options that mean nothing to it."""
        parser: argparse.ArgumentParser = self._added.add_parser(
            name,
            help=about,
            description=f"{about[:1].upper()}{about[1:]}.",
            epilog=f"Example: {example}",
            allow_abbrev=False,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        parser.set_defaults(runs=runs, unused=unused)
        # What is not said here must not replace what was said before the command.
        add_general(parser, unused, argparse.SUPPRESS, as_json=argparse.SUPPRESS)
        return parser


class Spoken(argparse.Action):
    """`--language`: counts at once, also for what is wrong in the rest of the line."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Set it for this program and for what it starts."""
        os.environ[CHOSEN] = values


def add_general(
    parser: argparse.ArgumentParser, unused: frozenset[str], socket: Any, *, as_json: Any
) -> None:
    """Add the options that may stand before or after a command, with their defaults."""
    if "socket" not in unused:
        where = "the agent's socket; else $LABKEEPER_SOCKET, else /run/labkeeper/agent.sock"
        parser.add_argument("--socket", type=Path, metavar="PATH", default=socket, help=where)
    parser.add_argument(
        "--language",
        action=Spoken,
        choices=LANGUAGES,
        default=argparse.SUPPRESS,
        help="ko or en; else what LC_ALL, LC_MESSAGES or LANG says",
    )
    if "as_json" not in unused:
        text = "print JSON for programs"
        parser.add_argument(
            "--json", dest="as_json", action="store_true", default=as_json, help=text
        )


def add_seconds(parser: argparse.ArgumentParser) -> None:
    """Add the option that says for how long."""
    parser.add_argument("--seconds", type=seconds, metavar="N", help="end after N seconds")


def seconds(text: str) -> float:
    """A number of seconds above 0. Raises argparse.ArgumentTypeError."""
    with suppress(ValueError):
        if 0 < float(text) < float("inf"):
            return float(text)
    raise argparse.ArgumentTypeError(
        Message("{text!r} is not a number of seconds above 0", text=text)
    )


def port(text: str) -> int:
    """A port from 0 to 65535. Raises argparse.ArgumentTypeError."""
    with suppress(ValueError):
        if 0 <= int(text) < 65536:
            return int(text)
    raise argparse.ArgumentTypeError(
        Message("{text!r} is not a port from 0 (a free one) to 65535", text=text)
    )


def count(text: str) -> int:
    """A whole number above 0. Raises argparse.ArgumentTypeError."""
    with suppress(ValueError):
        if int(text) > 0:
            return int(text)
    raise argparse.ArgumentTypeError(Message("{text!r} is not a whole number above 0", text=text))
