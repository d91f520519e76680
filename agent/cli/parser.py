"""How a command line is taken apart: argparse that raises, and options that may stand anywhere."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NoReturn

from agent.cli.words import CHOSEN, said, spoken, told
from agent.errors import Refused
from agent.languages.message import ENGLISH, LANGUAGES, N_, Message

FASTEST: Final = 100
NOTHING: Final = frozenset({"socket", "as_json"})
"""The general options, where none of them means anything."""


BEFORE_NOTE: Final = "    ("
"""What stands between an example of a command and a note on it."""
NOTES: Final = (
    N_("needs no agent"),
    N_("each has a --help of its own"),
    N_("shows each step, and does none"),
    N_("each command has a --help of its own"),
    N_("lists; each of the commands has a --help of its own"),
    N_("a number is in the setting's own unit"),
    N_("numbers are in the argument's own unit"),
    N_("it is no emergency stop: that is the red button"),
)
"""Those that there are."""


class WrongUsage(Refused):
    """What was typed is no command of ours."""


class Parser(argparse.ArgumentParser):
    """A parser that raises instead of ending the process."""

    def error(self, message: str) -> NoReturn:
        """Raise WrongUsage."""
        raise WrongUsage(
            Message("{message}; see `{prog} --help`", message=in_our_words(message), prog=self.prog)
        )

    def format_help(self) -> str:
        """The help in the language of the person; argparse's own words as well."""
        about, example = self.description or "", self.epilog or ""
        self.description = f"{told(about)[:1].upper()}{told(about)[1:]}".rstrip(".") + "."
        if example.startswith("labkeeper"):
            typed, gap, note = example.partition(BEFORE_NOTE)
            typed += f"{gap}{told(note.removesuffix(')'))})" if gap else ""
            self.epilog = said(Message("Example: {example}", example=typed))
        else:
            self.epilog = told(example)
        for group in self._action_groups:
            group.title = told(group.title or "")
        for action in self._actions:
            for it in (action, *getattr(action, "_choices_actions", ())):
                it.help = told(it.help) if it.help and it.help != argparse.SUPPRESS else it.help
        return super().format_help().replace("usage: ", said(Message("usage: ")), 1)

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Say which command was meant, or what an option may be. Raises WrongUsage."""
        if action.choices is not None and value not in action.choices:
            if action.option_strings:
                raise WrongUsage(_not_one_of(action.option_strings[-1], value, action.choices))
            # Names are compared only when one was mistyped.
            from agent.cli.names import unknown

            raise WrongUsage(str(unknown("command", value, map(str, action.choices))))


def _not_one_of(option: str, value: str, choices: Iterable[Any]) -> Message:
    """What to say of an option whose value is none of those that it may have."""
    # Imported when one was mistyped.
    from difflib import get_close_matches

    names = list(map(str, choices))
    near = get_close_matches(value, names, n=1)
    meant = Message("did you mean {near}? ", near=near[0]) if near else ""
    text = N_("{option}: {value!r} is not allowed; {meant}allowed: {names}")
    return Message(text, option=option, value=value, meant=meant, names=", ".join(names))


USUAL: Final = (
    (r"the following arguments are required: (?P<names>.+)", N_("{names}: this is missing")),
    (r"unrecognized arguments: (?P<words>.+)", N_("{words}: this means nothing here")),
    (
        r"argument (?P<name>\S+): expected (one|at least one) argument",
        N_("{name}: a value is missing"),
    ),
    (
        r"argument (?P<name>\S+): expected (?P<count>\d+) arguments",
        N_("{name}: {count} values are needed"),
    ),
    (
        r"argument (?P<name>\S+): not allowed with argument (?P<other>\S+)",
        N_("{name}: not together with {other}"),
    ),
    (
        r"argument (?P<name>\S+): ignored explicit argument (?P<value>.+)",
        N_("{name}: takes no value: {value}"),
    ),
    (
        r"argument (?P<name>\S+): invalid \S+ value: (?P<value>.+)",
        N_("{name}: {value} means nothing here"),
    ),
    (
        r"one of the arguments (?P<names>.+) is required",
        N_("one of these is needed: {names}"),
    ),
    (
        r"ambiguous option: (?P<words>.+) could match (?P<names>.+)",
        N_("{words}: this may mean {names}"),
    ),
    (r"argument (?P<name>\S+): (?P<text>.+)", N_("{name}: {text}")),
)
"""What argparse complains of, and the same in words of ours; the rest is said as it says it."""


def in_our_words(complaint: str) -> str:
    """A complaint of argparse as a message. English stays as argparse says it."""
    for pattern, text in USUAL:
        if spoken() != ENGLISH and (found := re.fullmatch(pattern, complaint)):
            return Message(text, **{name: it for name, it in found.groupdict().items() if it})
    return complaint


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
            description=about,
            epilog=example,
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


def speak_as_asked(words: Sequence[str]) -> None:
    """Take `--language` from the words before anything is said of the others, as by `--help`."""
    for word, following in zip(words, (*words, "")[1:], strict=True):
        option, _, given = word.partition("=")
        wanted = given or following
        if option == "--language" and wanted in LANGUAGES:
            os.environ[CHOSEN] = wanted


def add_general(
    parser: argparse.ArgumentParser, unused: frozenset[str], socket: Any, *, as_json: Any
) -> None:
    """Add the options that may stand before or after a command, with their defaults."""
    if "socket" not in unused:
        where = N_("the agent's socket; else $LABKEEPER_SOCKET, else /run/labkeeper/agent.sock")
        parser.add_argument("--socket", type=Path, metavar="PATH", default=socket, help=where)
    parser.add_argument(
        "--language",
        action=Spoken,
        choices=LANGUAGES,
        default=argparse.SUPPRESS,
        help=N_("ko or en; else what LC_ALL, LC_MESSAGES or LANG says"),
    )
    if "as_json" not in unused:
        text = N_("print JSON for programs")
        parser.add_argument(
            "--json", dest="as_json", action="store_true", default=as_json, help=text
        )


def add_seconds(parser: argparse.ArgumentParser) -> None:
    """Add the option that says for how long."""
    parser.add_argument("--seconds", type=seconds, metavar="N", help=N_("end after N seconds"))


def times(text: str) -> float:
    """How many times as fast, above 0 and up to 100. Raises argparse.ArgumentTypeError."""
    with suppress(ValueError):
        if 0 < float(text) <= FASTEST:
            return float(text)
    raise argparse.ArgumentTypeError(
        Message("{text!r} is not a number above 0 and up to {most}", text=text, most=FASTEST)
    )


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
