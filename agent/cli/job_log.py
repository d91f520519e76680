"""What is on record of one job, as lines: `labkeeper job log`."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from agent.cli import output, words
from agent.cli.client import AgentClient, socket_path
from agent.cli.job_view import given
from agent.cli.words import said
from agent.languages.message import Message

AT_ONCE: Final = 500
LOOK_S: Final = 1.0
"""How often the record is asked for what is new."""
ENDED: Final = frozenset({"done", "failed", "stopped", "interrupted"})


def log(job: str, socket: Path | None, *, follow: bool, as_json: bool) -> None:
    """Show the entries of a job, the oldest first; with `follow` go on until it has ended."""
    language = words.language(os.environ)
    with AgentClient(socket_path(socket)) as client:
        for entry in _entries(client, job, follow=follow):
            if as_json:
                output.document(entry)
            else:
                output.line(f"{entry['time']}  {_told(entry, language)}")


def _entries(client: AgentClient, job: str, *, follow: bool) -> Iterator[dict[str, Any]]:
    after, has_ended = 0, False
    while True:
        found = client.get("jobs", job, "log", after=str(after), most=str(AT_ONCE))["entries"]
        for entry in found:
            after = entry["row"]
            has_ended |= entry["what"] == "state" and entry["data"]["state"] in ENDED
            yield entry
        if len(found) < AT_ONCE:
            if has_ended or not follow:
                return
            asyncio.run(asyncio.sleep(LOOK_S))


def _told(entry: Mapping[str, Any], language: str) -> str:
    data = entry["data"]
    by = f" ({entry['by']}, {entry['origin']})"
    match entry["what"]:
        case "submitted":
            arguments = [f"{name}={words.shown(it)}" for name, it in data["arguments"].items()]
            return f"{words.told('submitted')}: {' '.join(arguments)}".rstrip(": ") + by
        case "state":
            return f"{words.told(data['state'])}{_why(data['why'])}" + by
        case "step":
            return said(
                Message(
                    "step {key} {phase} ({place}){why}",
                    key=data["key"],
                    phase=Message(data["phase"]),
                    place=data["place"],
                    why=_why(data["why"]),
                )
            )
        case "measure":
            shown = words.shown(data["value"], data["unit"])
            verdict = words.told(data["verdict"])
            return f"{data['name']} = {shown}: {verdict}{_why(data['reason'])}"
        case "log" | "question":
            return f"{words.told(entry['what'])}: {data[language]}"
        case "answer":
            return (
                said(
                    Message(
                        "answer to {question}: {shown}",
                        question=data["question"],
                        shown=given(data["value"]),
                    )
                )
                + by
            )
        case "safe":
            return "; ".join(f"{device}: {_safe(it)}" for device, it in data.items())
        case what:
            return _other(what, data) + by


def _other(what: str, data: Mapping[str, Any]) -> str:
    """A command with its stage, an event, or what this does not know."""
    if "object" not in data:
        return f"{what}: {' '.join(f'{name}={it}' for name, it in data.items())}"
    value = "" if data.get("after") is None else f" {_shown(data['after'])}"
    stage = f": {words.told(data['stage'])}" if "stage" in data else ""
    return f"{words.told(data['action'])} {data['object']}{value}{stage}{_why(data['why'])}"


def _shown(after: Any) -> str:
    """A value, or the arguments of a command by name."""
    if isinstance(after, Mapping):
        return " ".join(f"{name}={words.shown(it)}" for name, it in after.items())
    return words.shown(after)


def _safe(outcome: Mapping[str, Any]) -> str:
    if outcome["status"] == "done":
        return said(Message("safe"))
    return f"{said(Message('NOT CONFIRMED SAFE'))}{_why(outcome['message'])}"


def _why(text: str) -> str:
    return f": {said(text)}" if text else ""
