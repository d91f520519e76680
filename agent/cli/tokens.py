"""The tokens of programs on the command line."""

from __future__ import annotations

from pathlib import Path

from agent.cli import output
from agent.cli.client import AgentClient, socket_path
from agent.cli.failures import say
from agent.cli.parser import WrongUsage
from agent.cli.words import said
from agent.languages.message import Message


def no_token_command() -> int:
    """Say what may be asked of tokens. Raises WrongUsage."""
    raise WrongUsage(
        Message("which command? token add, list, revoke; see `labkeeper token --help`")
    )


def add(name: str, scope: str, days: int, socket: Path | None, *, as_json: bool) -> None:
    """Make a token. It alone goes to the standard output, for whoever pipes it into a file."""
    with AgentClient(socket_path(socket)) as client:
        made = client.post("tokens", body={"name": name, "scope": scope, "days": days})
    if as_json:
        output.document(made)
        return
    output.line(made["token"])
    say(
        said(
            Message(
                "{name} may {scope} until {until}; it is shown this once",
                name=made["name"],
                scope=made["scope"],
                until=made["until"],
            )
        )
    )


def list_tokens(socket: Path | None, *, as_json: bool) -> None:
    """List the tokens, without themselves."""
    with AgentClient(socket_path(socket)) as client:
        found = client.get("tokens")["tokens"]
    if as_json:
        output.document(found)
    elif not found:
        output.line(said(Message("no program has a token")))
    else:
        from agent.cli.people_tables import tokens_table

        output.show(tokens_table(found))


def revoke(name: str, socket: Path | None, *, as_json: bool) -> None:
    """Let a token count no more."""
    with AgentClient(socket_path(socket)) as client:
        found = client.delete("tokens", name)
    if as_json:
        output.document(found)
    else:
        output.line(said(Message("{name} counts no more", name=found["name"])))
