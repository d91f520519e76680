"""The commands that have no end yet, or an unknown one. Everything here is part of a transaction."""

import json
from dataclasses import dataclass
from typing import Final

from agent.languages.message import Message
from agent.store.database import Connection
from agent.store.entries import STAGES_BEFORE, CommandEntry, Json, Stage
from agent.store.store_errors import WriteRefused

_KEPT: Final = {Stage.INTENT, Stage.SENT, Stage.UNKNOWN}
"""The stages after which a command is still open."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Unsettled:
    """A command whose outcome nobody knows, and what it was to do."""

    command: str
    seq: int
    """The row of its intent."""
    stage: Stage
    action: str
    target: str
    utc: str
    """When it was intended, in RFC 3339."""
    actor: str
    job: str

    @property
    def device(self) -> str:
        """The device that is to be left alone."""
        return self.target.partition(".")[0]


def advance(connection: Connection, entry: CommandEntry, seq: int) -> None:
    """Note the stage that a command has come to. Raises WriteRefused where it can't follow."""
    if entry.stage is Stage.INTENT:
        connection.execute(
            "INSERT INTO open_commands (command, seq, stage) VALUES (?, ?, ?)",
            (entry.command, seq, entry.stage),
        )
        return
    stage = _stage_of(connection, entry.command)
    if stage not in STAGES_BEFORE[entry.stage]:
        now = f"is {stage}" if stage else "is not known, or has ended"
        raise WriteRefused(
            Message(
                "not recorded: {stage} of command {command}, which {now}",
                stage=entry.stage,
                command=entry.command,
                now=now,
            )
        )
    if entry.stage in _KEPT:
        query = "UPDATE open_commands SET stage = ? WHERE command = ?"
        connection.execute(query, (entry.stage, entry.command))
    else:
        connection.execute("DELETE FROM open_commands WHERE command = ?", (entry.command,))


def unsettled(connection: Connection) -> tuple[Unsettled, ...]:
    """The open commands, oldest first."""
    query = (
        "SELECT command, ledger.seq, stage, body FROM open_commands "
        "JOIN ledger ON ledger.seq = open_commands.seq ORDER BY ledger.seq"
    )
    return tuple(_unsettled(*found) for found in connection.execute(query))


def settled(it: Unsettled, *, reason: str, after: Json) -> CommandEntry:
    """The last entry of a command: somebody has looked, and says how it ended."""
    return CommandEntry(
        action=it.action,
        target=it.target,
        job=it.job,
        after=after,
        reason=reason,
        command=it.command,
        stage=Stage.SETTLED,
    )


def _unsettled(command: str, seq: int, stage: str, body: str) -> Unsettled:
    entry = json.loads(body)
    return Unsettled(
        command=command,
        seq=seq,
        stage=Stage(stage),
        action=entry["action"],
        target=entry["object"],
        utc=entry["utc"],
        actor=entry["actor"]["name"],
        job=entry.get("job", ""),
    )


def _stage_of(connection: Connection, command: str) -> Stage | None:
    query = "SELECT stage FROM open_commands WHERE command = ?"
    found = connection.execute(query, (command,)).fetchone()
    return Stage(found[0]) if found else None
