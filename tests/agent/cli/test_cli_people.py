"""`labkeeper user` and `token` against an agent that is served on a real Unix socket."""

from __future__ import annotations

import asyncio
import getpass
import io
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.cli import main
from agent.cli.user_words import ROLES, SCOPES
from agent.people import tokens
from agent.people.vouched import vouched
from agent.web import administrators
from drivers import Role
from tests.agent.cli_bench import Command, Ended
from tests.agent.people_bench import PASSWORD, ROOT, House, house


class Terminal(io.StringIO):
    """A standard input with a person at it."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
async def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    async with house(tmp_path) as found:
        monkeypatch.setenv("LABKEEPER_SOCKET", str(found.path))
        monkeypatch.setenv("COLUMNS", "200")
        yield found


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Command:
    async def command(*words: str) -> Ended:
        code = await asyncio.to_thread(main, words)
        return Ended(code, *capsys.readouterr())

    return command


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What somebody types at the terminal when asked for a password."""
    given: list[str] = []
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(getpass, "getpass", lambda _: given.pop(0))
    return given


async def test_a_user_is_added_with_a_password_that_is_typed_twice(
    lab: House, ask: Command, typed: list[str]
) -> None:
    typed += [PASSWORD, PASSWORD]
    added = await ask("user", "add", "Kim", "--role", "technician", "--display", "김하나")
    assert (added.code, added.out) == (0, "kim (김하나) may sign in, as technician\n")
    typed += [PASSWORD, "another one"]
    wrong = await ask("user", "add", "lee", "--role", "engineer")
    assert wrong.code == 2
    assert "not the same" in wrong.err
    assert [it.name for it in lab.people.accounts.listing] == ["kim"]
    await lab.browser("kim")


async def test_a_user_changes_from_the_command_line(
    lab: House, ask: Command, typed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    typed += [PASSWORD, PASSWORD]
    await ask("user", "add", "kim", "--role", "technician")
    browser = await lab.browser("kim")
    assert (await ask("user", "role", "kim", "qa")).out == "kim is qa from now on\n"
    assert lab.people.accounts.named("kim").role is Role.QA
    monkeypatch.setattr(sys, "stdin", io.StringIO("a new password\n"))
    changed = await ask("user", "passwd", "kim", "--password-stdin")
    assert changed.out == "kim has a new password; their sessions have ended\n"
    assert not (await browser.get("/session")).json()["signed_in"]
    await lab.browser("kim", "a new password")
    assert "no longer" in (await ask("user", "disable", "kim")).out
    listed = await ask("user", "list")
    for word in ("kim", "qa", "no"):
        assert word in listed.out
    assert "again" in (await ask("user", "enable", "kim")).out
    [told] = json.loads((await ask("user", "list", "--json")).out)
    assert told["enabled"] is True


async def test_a_password_is_neither_a_word_nor_asked_for_without_a_terminal(
    lab: House, ask: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    for words in (
        ("user", "add", "kim", "--role", "qa", "--password", PASSWORD),
        ("user", "add", "kim", PASSWORD, "--role", "qa"),
    ):
        assert (await ask(*words)).code == 2
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    refused = await ask("user", "add", "kim", "--role", "qa")
    assert refused.code == 2
    assert "--password-stdin" in refused.err
    short = await ask("user", "add", "kim", "--role", "qa", "--password-stdin")
    assert "a password has 10 to 256 characters" in short.err
    assert lab.people.accounts.listing == ()


async def test_the_first_code_is_shown_until_there_is_somebody(
    lab: House, ask: Command, typed: list[str]
) -> None:
    code = (await ask("user", "first-code")).out.strip()
    assert code == lab.people.first.code() != ""
    assert "nobody can sign in" in (await ask("user", "list")).out
    typed += [PASSWORD, PASSWORD]
    assert (await ask("user", "add", "park", "--role", "administrator")).code == 0
    assert "there is no code" in (await ask("user", "first-code")).out


async def test_a_token_is_made_shown_once_listed_and_revoked(lab: House, ask: Command) -> None:
    assert (await ask("token", "list")).out == "no program has a token\n"
    made = await ask("token", "add", "night-report", "--scope", "read", "--days", "30")
    assert made.out.startswith("lk_")
    assert "shown this once" in made.err
    assert lab.people.tokens.find(made.out.strip())
    listed = await ask("token", "list")
    assert "night-report" in listed.out
    assert made.out.strip() not in listed.out
    assert (await ask("token", "revoke", "night-report")).out == "night-report counts no more\n"
    assert lab.people.tokens.find(made.out.strip()) is None
    assert (await ask("token", "revoke", "night-report2")).code == 2


async def test_who_may_not_manage_people_is_not_asked_for_a_password(
    lab: House, ask: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nobody(*_: object) -> bool:
        return False

    monkeypatch.setattr(administrators.Administrators, "have", nobody)
    for words in (
        ("user", "list"),
        ("user", "add", "kim", "--role", "qa"),
        ("user", "passwd", "kim"),
        ("user", "first-code"),
        ("token", "add", "t", "--scope", "read"),
    ):
        refused = await ask(*words)
        assert refused.code == 2
        assert "api.administrators" in refused.err


async def test_what_is_not_said_is_asked_for(lab: House, ask: Command) -> None:
    for words in (("user",), ("token",), ("user", "role", "kim", "boss"), ("user", "remove")):
        refused = await ask(*words)
        assert refused.code == 2
        assert refused.err.startswith("labkeeper: ")


def test_the_words_for_roles_and_scopes_are_those_that_the_agent_knows() -> None:
    assert tuple(role.name.lower() for role in Role) == ROLES
    assert tuple(tokens.SCOPES) == SCOPES


async def test_who_signs_in_elsewhere_is_listed_with_where(lab: House, ask: Command) -> None:
    await lab.people.accounts.add(ROOT, "kim", Role.TECHNICIAN, PASSWORD)
    ended = await ask("user", "list")
    assert "signs in at" not in ended.out
    claims = {"sub": "1", "preferred_username": "hana"}
    hana = vouched(claims, "https://login.lab.example", "groups")
    await lab.people.accounts.welcome(hana, Role.TECHNICIAN)
    ended = await ask("user", "list")
    assert "signs in at" in ended.out
    assert "https://login.lab.example" in ended.out
    ended = await ask("user", "role", "hana", "engineer")
    assert ended.code == 2
    assert "hana signs in at https://login.lab.example" in ended.err
