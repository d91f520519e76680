"""What is published: the public forms in an envelope that names its schema. Pure.

The schemas are `docs/schemas/*.json`; golden files show every change of a payload in review.
"""

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

from agent.fleet.events import Event
from agent.fleet.plan import Plan
from agent.fleet.samples import Outcome, Quality, Sample, Snapshot
from agent.jobs.job import Job
from agent.jobs.questions import Question
from agent.public import (
    alarm_form,
    description_form,
    event_form,
    job_form,
    outcome_form,
    question_form,
    sample_form,
    state_form,
    utc_text,
)
from agent.safety.alarm import Alarm

Form = dict[str, Any]
JOB: Final = (
    *("job", "recipe", "version", "state", "why", "by", "origin"),
    *("submitted", "began", "ended", "devices", "verdict", "steps", "now", "left"),
)
"""What is published of a job: what came out of it stands in its own record."""


def online(station: str, version: str, session: int, time: float) -> Form:
    """The birth: the agent is there since `time` (seconds UTC)."""
    return _status(station, version, session, "online") | {"time": utc_text(time)}


def lost(station: str, version: str, session: int) -> Form:
    """The last will, which the broker publishes. It has no time: nobody knows when that will be."""
    return _status(station, version, session, "offline") | {"reason": "lost"}


def ended(station: str, version: str, session: int, time: float) -> Form:
    """The farewell: the agent ended in order at `time` (seconds UTC)."""
    return _status(station, version, session, "offline") | {
        "reason": "ended",
        "time": utc_text(time),
    }


def description(station: str, plan: Plan) -> Form:
    """What a device offers."""
    return _envelope("description", station) | description_form(plan)


def state(station: str, plan: Plan, snapshot: Snapshot) -> Form:
    """A device as it stands."""
    form = state_form(plan, snapshot)
    form["values"] = {name: _believable(sample) for name, sample in form["values"].items()}
    return _envelope("state", station) | form


def alarm(station: str, found: Alarm, *, is_first: bool) -> Form:
    """An alarm as it stands."""
    return _envelope("alarm", station) | alarm_form(found, is_first=is_first)


def event(station: str, happened: Event) -> Form:
    """One event."""
    return _envelope("event", station) | event_form(happened)


def job(station: str, it: Job, asked: Iterable[Question], time: float) -> Form:
    """A job as it stands at `time` (seconds UTC), with the questions that wait for an answer."""
    form = job_form(it)
    begins = utc_text(it.not_before) if it.not_before is not None else None
    return (
        _envelope("job", station)
        | {key: form[key] for key in JOB}
        | {"priority": it.priority, "not_before": begins}
        | {"questions": [question_form(question) for question in asked], "time": utc_text(time)}
    )


def ledger(station: str, seq: int, digest: str, time: float) -> Form:
    """The last row of the ledger, and its hash in hex digits, as they were at `time` (seconds UTC)."""
    head = {"seq": seq, "hash": digest, "head": f"{seq}:{digest}"}
    return _envelope("ledger", station) | head | {"time": utc_text(time)}


def values(plan: Plan, samples: Mapping[str, Sample]) -> Form:
    """What was read on request, by reading."""
    readings = plan.driver_class.readings
    return {
        name: _believable(sample_form(sample, readings[name].form.unit))
        for name, sample in samples.items()
    }


def reply(
    station: str, request: Mapping[str, str], outcome: Outcome, read: Form, time: float
) -> Form:
    """How a request ended at `time` (seconds UTC).

    `request` tells `id`, `command` and `device`, "" where the request does not; `read` is empty for
    anything but a read.
    """
    form = _envelope("reply", station) | dict(request) | outcome_form(outcome)
    return form | {"values": read, "time": utc_text(time)}


def encode(form: Form) -> bytes:
    """JSON in UTF-8. A number that JSON does not know becomes null.

    Half a surrogate pair, which a device's garbled text can hold, is written as its escape.
    """
    try:
        text = _text(form)
    except ValueError:  # NaN or infinity: rare, so looked for only then
        text = _text(_finite(form))
    return text.encode("utf-8", "backslashreplace")


def _text(form: object) -> str:
    return json.dumps(form, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=str)


def _envelope(kind: str, station: str) -> Form:
    return {"schema": f"labkeeper/{kind}/1", "station": station}


def _status(station: str, version: str, session: int, word: Literal["online", "offline"]) -> Form:
    return _envelope("status", station) | {"state": word, "session": session, "version": version}


def _believable(sample: Form) -> Form:
    """A sample whose number is none is bad, whatever the driver thought of it."""
    value = sample["value"]
    if not isinstance(value, float) or math.isfinite(value):
        return sample
    return sample | {
        "value": None,
        "quality": Quality.BAD,
        "reason": f"the device gave {value}, which is no number",
    }


def _finite(form: Any) -> Any:
    match form:
        case float() if not math.isfinite(form):
            return None
        case Mapping():
            return {key: _finite(value) for key, value in form.items()}
        case list() | tuple():
            return [_finite(value) for value in form]
    return form
