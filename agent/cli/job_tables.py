"""Jobs as tables: all of them in a line each, and one as a page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from rich.console import RenderableType
from rich.text import Text

from agent.cli import job_view, words
from agent.cli.job_view import whole_left
from agent.cli.tables import new_table
from agent.cli.words import said
from agent.languages.message import Message

Form = Mapping[str, Any]
STYLES: Final = {
    "running": "green",
    "done": "green",
    "pass": "green",
    "paused": "yellow",
    "pausing": "yellow",
    "held": "yellow",
    "stopping": "yellow",
    "stopped": "yellow",
    "failed": "red",
    "interrupted": "red",
    "fail": "red",
}


def jobs_table(jobs: Iterable[Form], language: str) -> RenderableType:
    """Every job: its id, recipe, state, verdict, who started it, and where it is or why it ended."""
    table = new_table("job", "recipe", "state", "verdict", "by", "")
    for job in jobs:
        table.add_row(
            job["job"],
            job["recipe"],
            _coloured(job["state"]),
            _coloured(job["verdict"]) if job["verdict"] != "none" else Text(words.NOTHING),
            job["by"],
            job["why"] or _place(job, language),
        )
    return table


def queue_table(jobs: Iterable[Form], language: str) -> RenderableType:
    """The jobs that wait, in their order: priority, when each may begin, and why it is held."""
    table = new_table("job", "recipe", "state", "priority", "not before", "by", "")
    for job in jobs:
        table.add_row(
            job["job"],
            job["recipe"],
            _coloured(job["state"]),
            str(job["priority"]),
            job["not_before"] or words.NOTHING,
            job["by"],
            job["why"] or _place(job, language),
        )
    return table


def job_page(job: Form, language: str) -> Iterator[RenderableType]:
    """One job: what it is, what it measured, what it said, and what was confirmed safe."""
    table = new_table("", "")
    table.show_header = False
    arguments = ", ".join(f"{name}={words.shown(it)}" for name, it in job["arguments"].items())
    devices = ", ".join(f"{role}={device}" for role, device in job["devices"].items())
    rows = {
        "job": job["job"],
        "recipe": f"{job['recipe']} {job['version']}",
        "SHA-256": job["sha256"] or words.NOTHING,
        **{
            said(Message("calls {name}", name=name)): it or words.NOTHING
            for name, it in job["called"].items()
        },
        "state": job_view.with_why(job),
        "verdict": words.told(job["verdict"]),
        "by": f"{job['by']} ({job['origin']})",
        "submitted": job["submitted"],
        "began": job["began"] or words.NOTHING,
        "ended": job["ended"] or words.NOTHING,
        "parameters": arguments or words.NOTHING,
        "devices": devices or words.NOTHING,
        "now": _place(job, language) or words.NOTHING,
        "time left": (whole_left(job) or said(Message("unknown")))
        if job.get("left")
        else words.NOTHING,
        "run folder": job["folder"] or words.NOTHING,
    }
    for name, text in rows.items():
        table.add_row(words.told(name), text)
    yield table
    yield from _outcome(job, language)


def _outcome(job: Form, language: str) -> Iterator[RenderableType]:
    if job["measures"]:
        measures = new_table("measured", "value", "verdict", "")
        for it in job["measures"]:
            shown = words.shown(it["value"], it["unit"])
            measures.add_row(it["name"], shown, _coloured(it["verdict"]), said(it["reason"]))
        yield measures
    for line in job["log"]:
        yield Text(f"{line['time']} {line['texts'][language]}")
    for it in job["answers"]:
        yield Text(f"{it['time']} {job_view.answered(it, language)}")
    for device, outcome in job["safe"].items():
        is_safe = outcome["status"] == "done"
        safe = Message("safe") if is_safe else Message("NOT CONFIRMED SAFE, go and look")
        why = "" if is_safe else f": {said(outcome['message'])}"
        yield Text(f"{device}: {said(safe)}{why}")


def _place(job: Form, language: str) -> str:
    """Where it is: its innermost step, and what is left of it."""
    if not job["now"]:
        return ""
    step = job["now"][-1]
    left = (
        said(Message(", {duration} left", duration=words.duration(step["left"])))
        if step["left"] is not None
        else ""
    )
    whole = said(Message(" · the job: {told}", told=told)) if (told := whole_left(job)) else ""
    return f"{words.title_of(step['titles'], language)}{left}{whole}"


def _coloured(word: str) -> Text:
    return Text(words.told(word), STYLES.get(word, ""))
