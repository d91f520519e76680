"""The queue on the command line: list, hold, release, move."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from agent.cli import jobs, output
from agent.cli.client import AgentClient, socket_path
from agent.cli.parser import WrongUsage
from agent.cli.words import language, said
from agent.errors import Refused
from agent.languages.message import Message


def which() -> int:
    """Say what may be asked of the queue. Raises WrongUsage."""
    raise WrongUsage(
        Message("which? queue list, hold, release or move; see `labkeeper queue --help`")
    )


def list_queue(socket: Path | None, *, as_json: bool) -> None:
    """List the jobs that wait."""
    with AgentClient(socket_path(socket)) as client:
        _shown(client.get("queue"), as_json=as_json)


def hold(job: str | None, reason: str, socket: Path | None, *, as_json: bool) -> None:
    """Keep one job from beginning, or every one."""
    if job is not None:
        if reason:
            raise Refused(Message("--reason is said of the whole queue: leave it away, or the job"))
        jobs.hold(job, socket, as_json=as_json)
        return
    with AgentClient(socket_path(socket)) as client:
        _shown(client.post("queue", "hold", body={"reason": reason}), as_json=as_json)


def release(job: str | None, socket: Path | None, *, as_json: bool) -> None:
    """Let one job begin, or the queue as a whole."""
    if job is not None:
        jobs.release(job, socket, as_json=as_json)
        return
    with AgentClient(socket_path(socket)) as client:
        _shown(client.post("queue", "release"), as_json=as_json)


def move(
    job: str, to: str | None, other: str | None, socket: Path | None, *, as_json: bool
) -> None:
    """Give a job another place, and show the queue."""
    with AgentClient(socket_path(socket)) as client:
        client.post("jobs", job, "move", body={"to": to or "before", "other": other or ""})
        _shown(client.get("queue"), as_json=as_json)


def _shown(queue: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        output.document(queue)
        return
    if held := queue["held"]:
        why = f": {held['reason']}" if held["reason"] else ""
        output.line(
            said(
                Message(
                    "the queue is held by {by} ({origin}) since {since}{why}",
                    by=held["by"],
                    origin=held["origin"],
                    since=held["since"],
                    why=why,
                )
            )
        )
    if not queue["jobs"]:
        output.line(said(Message("no job waits")))
        return
    from agent.cli.job_tables import queue_table

    output.show(queue_table(queue["jobs"], language(os.environ)))
