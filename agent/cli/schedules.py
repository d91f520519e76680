"""Schedules on the command line: list, next, enable, disable. Times are shown in each one's zone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

from agent.cli import output
from agent.cli.client import AgentClient, socket_path
from agent.cli.names import unknown
from agent.cli.parser import WrongUsage
from agent.cli.words import language, said
from agent.errors import Refused
from agent.languages.message import Message

MOST: Final = 100
"""Times of one schedule that the agent gives at once."""


def which() -> int:
    """Say what may be asked of schedules. Raises WrongUsage."""
    text = said(
        Message(
            "which command? schedule list, next, enable or disable; see `labkeeper schedule --help`"
        )
    )
    raise WrongUsage(text)


def list_schedules(socket: Path | None, *, as_json: bool) -> None:
    """List the schedules."""
    with AgentClient(socket_path(socket)) as client:
        found = client.get("schedules")
    if as_json:
        output.document(found)
    elif not found["schedules"]:
        output.line(said(Message("this station has no schedules")))
    else:
        from agent.cli.schedule_tables import schedules_table

        output.show(schedules_table(found["schedules"], language(os.environ)))


def coming(schedule: str | None, socket: Path | None, *, number: int, as_json: bool) -> None:
    """Show the next times, soonest first."""
    if number > MOST:
        raise Refused(Message("-n {number}: at most {most} are shown", number=number, most=MOST))
    with AgentClient(socket_path(socket)) as client:
        found = client.get("schedules", next=str(number))["schedules"]
    if schedule is not None:
        known = {it["schedule"]: it for it in found}
        if schedule not in known:
            raise unknown("schedule", schedule, known)
        found = [known[schedule]]
    rows = [
        {"schedule": it["schedule"], "recipe": it["recipe"], **at}
        for it in found
        for at in it["next"]
    ]
    rows = sorted(rows, key=lambda row: (row["time"], row["schedule"]))[:number]
    if as_json:
        output.document({"next": rows})
    for row in () if as_json else rows:
        output.line(f"{row['local']}  {row['schedule']} ({row['recipe']})")
    if not rows and not as_json:
        output.line(said(Message("nothing is due: no schedule is enabled")))


def enable(schedule: str, socket: Path | None, *, as_json: bool) -> None:
    """Let a schedule fire."""
    _switch(schedule, "enable", socket, as_json=as_json)


def disable(schedule: str, socket: Path | None, *, as_json: bool) -> None:
    """Keep a schedule from firing."""
    _switch(schedule, "disable", socket, as_json=as_json)


def _switch(schedule: str, verb: str, socket: Path | None, *, as_json: bool) -> None:
    with AgentClient(socket_path(socket)) as client:
        found: dict[str, Any] = client.post("schedules", schedule, verb)
    if as_json:
        output.document(found)
    elif found["next"]:
        output.line(
            said(
                Message(
                    "{schedule} is on, and starts {recipe} at {local}",
                    schedule=schedule,
                    recipe=found["recipe"],
                    local=found["next"][0]["local"],
                )
            )
        )
    else:
        output.line(said(Message("{schedule} is off", schedule=schedule)))
