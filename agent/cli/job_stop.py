"""Stopping a job: what is confirmed safe is told at once, and the rest of its devices as it comes."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import Any

from agent.cli import output
from agent.cli.acting import TROUBLE
from agent.cli.client import AgentClient, socket_path
from agent.cli.job_view import summary
from agent.cli.stop_follow import ends_of_stops, safety


def stop(job: str, socket: Path | None, *, as_json: bool) -> int:
    """Stop a job and its devices; return 3 when one of them is not confirmed safe.

    What follows in the job, as its `finally`, is not waited for.
    """
    with AgentClient(socket_path(socket)) as client:
        answer = client.stop_job(job)
        if "trying" not in answer:
            _told(answer, as_json=as_json)
            return 0
        outcomes: dict[str, Any] = answer["devices"]
        trying = answer["trying"]
        at_once = ((name, it) for name, it in outcomes.items() if name not in trying)
        for name, outcome in chain(at_once, ends_of_stops(client, trying)):
            outcomes[name] = outcome
            if not as_json:
                output.line(f"{name}: {safety(outcome)}")
        _told({**client.get("jobs", job), "safe": outcomes}, as_json=as_json)
    return 0 if all(outcome["status"] == "done" for outcome in outcomes.values()) else TROUBLE


def _told(job: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        output.document(job)
    else:
        output.line(summary(job))
