"""Users on the command line. The agent looks who asks: root, its own user, or an administrator there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from agent.cli import output
from agent.cli.asking import new_password
from agent.cli.client import AgentClient, socket_path
from agent.cli.parser import WrongUsage
from agent.cli.words import said
from agent.languages.message import Message


def no_user_command() -> int:
    """Say what may be asked of users. Raises WrongUsage."""
    raise WrongUsage(
        Message(
            "which command? user add, list, role, disable, enable, passwd, first-code; see "
            "`labkeeper user --help`"
        )
    )


def add(
    name: str,
    role: str,
    display: str,
    socket: Path | None,
    *,
    password_stdin: bool,
    as_json: bool,
) -> None:
    """Let somebody sign in."""
    body = {"name": name, "role": role, "display": display}
    with AgentClient(socket_path(socket)) as client:
        client.get("users")  # who may not add one is not asked for a password
        body["password"] = new_password(from_stdin=password_stdin)
        made = client.post("users", body=body)
    _tell(
        made,
        said(
            Message(
                "{name} ({display}) may sign in, as {role}",
                name=made["name"],
                display=made["display"],
                role=Message(made["role"]),
            )
        ),
        as_json=as_json,
    )


def list_users(socket: Path | None, *, as_json: bool) -> None:
    """List everybody who may sign in, or could once."""
    with AgentClient(socket_path(socket)) as client:
        found = client.get("users")["users"]
    if as_json:
        output.document(found)
    elif not found:
        output.line(
            said(Message("nobody can sign in; `labkeeper user add NAME --role administrator`"))
        )
    else:
        # The tables' library takes 0.1 s to import.
        from agent.cli.people_tables import users_table

        output.show(users_table(found))


def role(name: str, role: str, socket: Path | None, *, as_json: bool) -> None:
    """Give somebody another role."""
    with AgentClient(socket_path(socket)) as client:
        found = client.post("users", name, "role", body={"role": role})
    _tell(
        found,
        said(
            Message("{name} is {role} from now on", name=found["name"], role=Message(found["role"]))
        ),
        as_json=as_json,
    )


def disable(name: str, socket: Path | None, *, as_json: bool) -> None:
    """Let somebody sign in no longer."""
    with AgentClient(socket_path(socket)) as client:
        found = client.post("users", name, "disable")
    _tell(
        found,
        said(
            Message("{name} may sign in no longer; their sessions have ended", name=found["name"])
        ),
        as_json=as_json,
    )


def enable(name: str, socket: Path | None, *, as_json: bool) -> None:
    """Let somebody sign in again."""
    with AgentClient(socket_path(socket)) as client:
        found = client.post("users", name, "enable")
    _tell(
        found,
        said(
            Message(
                "{name} may sign in again, as {role}",
                name=found["name"],
                role=Message(found["role"]),
            )
        ),
        as_json=as_json,
    )


def passwd(name: str, socket: Path | None, *, password_stdin: bool, as_json: bool) -> None:
    """Give somebody another password."""
    with AgentClient(socket_path(socket)) as client:
        client.get("users", name)
        body = {"password": new_password(from_stdin=password_stdin)}
        found = client.post("users", name, "password", body=body)
    _tell(
        found,
        said(Message("{name} has a new password; their sessions have ended", name=found["name"])),
        as_json=as_json,
    )


def first_code(socket: Path | None, *, as_json: bool) -> None:
    """Show the code that makes the first administrator."""
    with AgentClient(socket_path(socket)) as client:
        found = client.post("first-administrator", "code")
    none = said(
        Message("there is no code: somebody can sign in already, or nothing is recorded here")
    )
    _tell(found, found["code"] or none, as_json=as_json)


def _tell(found: dict[str, Any], text: str, *, as_json: bool) -> None:
    if as_json:
        output.document(found)
    else:
        output.line(text)
