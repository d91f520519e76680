"""A job as JSON for the next agent, and back: what was asked for, how far it came, what came out."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, Final

from agent.fleet.samples import Outcome, Status
from agent.jobs.job import KEPT, Answer, Job, LogLine, Measure
from agent.jobs.states import JobState
from agent.roles import Actor
from drivers import Role, word

PLAIN: Final = (
    *("id", "recipe", "version", "sha256", "submitted", "priority", "rank", "not_before"),
    *("number", "copies", "batch", "why", "began", "ended", "verdict", "folder"),
    "is_held_by_agent",
)
"""What JSON has as it is."""


def remembered(job: Job) -> dict[str, Any]:
    """The job as JSON. What came out is there once the job has ended; until then the ledger has it."""
    form: dict[str, Any] = {name: getattr(job, name) for name in PLAIN}
    form |= {
        "state": str(job.state),
        "titles": dict(job.titles),
        "arguments": dict(job.arguments),
        "devices": dict(job.devices),
        "called": dict(job.called),
        "claimed": sorted(job.claimed),
        "by": actor_form(job.by),
    }
    if job.state.is_final:
        form |= {
            "steps": [job.progress.begun, job.progress.ended],
            "over": [[*step, is_done] for step, is_done in job.progress.over.items()],
            "measures": [asdict(it) for it in job.measures],
            "log": [asdict(it) for it in job.log],
            "answers": [asdict(it) for it in job.answers],
            "safe": {
                device: {"status": str(it.status), "message": it.message}
                for device, it in job.safe.items()
            },
        }
    return form


def recalled(form: Mapping[str, Any]) -> Job:
    """The job that was remembered so. What a later agent has added is passed over."""
    known = {field.name for field in fields(Job)}
    given = {name: form[name] for name in PLAIN if name in form and name in known}
    job = Job(
        **given,
        state=JobState(form["state"]),
        titles=form.get("titles", {}),
        arguments=form["arguments"],
        devices=form["devices"],
        called=form["called"],
        claimed=frozenset(form["claimed"]),
        by=actor_of(form["by"]),
    )
    job.progress.begun, job.progress.ended = form.get("steps", (0, 0))
    job.progress.over = {(file, key): is_done for file, key, is_done in form.get("over", ())}
    job.measures = deque((Measure(**it) for it in form.get("measures", ())), maxlen=KEPT)
    job.log = deque((LogLine(**it) for it in form.get("log", ())), maxlen=KEPT)
    job.answers = [Answer(**it) for it in form.get("answers", ())]
    job.safe = {
        device: Outcome(status=Status(it["status"]), message=it["message"])
        for device, it in form.get("safe", {}).items()
    }
    return job


def actor_form(actor: Actor) -> dict[str, str]:
    """Who, as JSON."""
    return {"name": actor.name, "origin": actor.origin, "role": word(actor.role)}


def actor_of(form: Mapping[str, Any]) -> Actor:
    """Who it was."""
    return Actor(name=form["name"], origin=form["origin"], role=Role[form["role"].upper()])
