"""Asking for a password: on the terminal, twice and unseen, or from the standard input. Never as a word."""

from __future__ import annotations

import getpass
import sys
from typing import Final

from agent.errors import Refused
from agent.languages.message import Message

LONGEST: Final = 1000


def new_password(*, from_stdin: bool) -> str:
    """A password that somebody shall have from now on. Raises Refused."""
    if from_stdin:
        return sys.stdin.readline(LONGEST).rstrip("\r\n")
    if not sys.stdin.isatty():
        raise Refused(
            Message("there is no terminal to ask for the password: give --password-stdin")
        )
    try:
        password = getpass.getpass("Password: ")
        again = getpass.getpass("The same again: ")
    except EOFError:
        raise Refused(Message("no password was given; nothing was changed")) from None
    if password != again:
        raise Refused(Message("the two are not the same; nothing was changed"))
    return password
