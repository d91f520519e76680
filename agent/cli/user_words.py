"""What may be typed about users and about the tokens of programs."""

from __future__ import annotations

import argparse
from typing import Final

from agent.cli.parser import Commands, count
from agent.languages.message import N_

ROLES: Final = ("observer", "technician", "engineer", "qa", "administrator")
SCOPES: Final = ("read", "jobs", "technician", "engineer", "qa")
NOTHING_YET: Final = frozenset({"socket", "as_json"})


def add_people(commands: Commands) -> None:
    """Add `user` and `token`, each with its commands."""
    _add_user(commands)
    _add_token(commands)


def _add_user(commands: Commands) -> None:
    user = commands.add(
        "user",
        "users:list_users",
        N_("manage who may sign in: add, list, role, disable, enable, passwd, first-code"),
        "labkeeper user list    (each has a --help of its own)",
    )
    user.set_defaults(runs="users:no_user_command", unused=NOTHING_YET)
    each = Commands(user)
    add = each.add(
        "add",
        "users:add",
        N_("let somebody sign in from now on; the password is asked for"),
        "labkeeper user add kim --role technician --display 김하나",
    )
    _add_name(add)
    add.add_argument("--role", choices=ROLES, required=True, help=N_("what they may do"))
    add.add_argument("--display", default="", metavar="TEXT", help=N_("what people call them"))
    _add_password(add)
    each.add(
        "list", "users:list_users", N_("list who may sign in, or could"), "labkeeper user list"
    )
    _add_changes(each)
    each.add(
        "first-code",
        "users:first_code",
        N_("show the code that makes the first administrator in the console"),
        "labkeeper user first-code",
    )


def _add_changes(each: Commands) -> None:
    """Add what changes somebody who is there."""
    role = each.add(
        "role",
        "users:role",
        N_("give somebody another role, which counts at once"),
        "labkeeper user role kim engineer",
    )
    _add_name(role)
    role.add_argument("role", choices=ROLES, metavar="ROLE", help=", ".join(ROLES))
    for name, about in (
        ("disable", N_("let somebody sign in no longer; their sessions end")),
        ("enable", N_("let somebody sign in again, as before")),
    ):
        _add_name(each.add(name, f"users:{name}", about, f"labkeeper user {name} kim"))
    passwd = each.add(
        "passwd",
        "users:passwd",
        N_("give somebody another password, which is asked for; their sessions end"),
        "labkeeper user passwd kim",
    )
    _add_name(passwd)
    _add_password(passwd)


def _add_token(commands: Commands) -> None:
    token = commands.add(
        "token",
        "tokens:list_tokens",
        N_("manage the tokens of programs: add, list, revoke"),
        "labkeeper token list    (each has a --help of its own)",
    )
    token.set_defaults(runs="tokens:no_token_command", unused=NOTHING_YET)
    each = Commands(token)
    add = each.add(
        "add",
        "tokens:add",
        N_("make a token for a program, and show it this once"),
        "labkeeper token add night-report --scope read --days 30",
    )
    add.add_argument("name", metavar="NAME", help=N_("what it is for; stands in the ledger"))
    add.add_argument("--scope", choices=SCOPES, required=True, help=N_("what it may do"))
    add.add_argument(
        "--days", type=count, default=90, metavar="N", help=N_("default: 90; most: 366")
    )
    each.add("list", "tokens:list_tokens", N_("list the tokens"), "labkeeper token list")
    revoke = each.add(
        "revoke",
        "tokens:revoke",
        N_("let a token count no more, at once"),
        "labkeeper token revoke night-report",
    )
    revoke.add_argument("name", metavar="NAME", help=N_("`labkeeper token list` shows them"))


def _add_name(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help=N_("what they sign in with"))


def _add_password(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--password-stdin",
        action="store_true",
        help=N_("read the password from the standard input's first line instead of asking for it"),
    )
