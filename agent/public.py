"""The public JSON forms of what the agent knows: the same over MQTT, HTTP and on the command line."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from agent.fleet.events import Event
from agent.fleet.plan import Plan
from agent.fleet.samples import Outcome, Sample, Snapshot
from agent.safety.alarm import Alarm
from agent.safety.interlock import Standing
from drivers import describe

if TYPE_CHECKING:
    from agent.jobs.job import Job
    from agent.jobs.progress import StepNow
    from agent.jobs.questions import Question
    from agent.jobs.recipes.parameters import Parameter
    from agent.jobs.recipes.recipe import Head
    from agent.jobs.time_left import TimeLeft


def utc_text(seconds: float) -> str:
    """Seconds since 1970 as RFC 3339 in UTC, to the millisecond."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def sample_form(sample: Sample, unit: str) -> dict[str, Any]:
    """A value with its UCUM unit, quality and time; `reason` only where there is one."""
    form: dict[str, Any] = {
        "value": sample.value,
        "unit": unit,
        "quality": sample.quality,
        "time": utc_text(sample.time),
    }
    if sample.reason:
        form["reason"] = sample.reason
    return form


def state_form(plan: Plan, snapshot: Snapshot) -> dict[str, Any]:
    """A device as it stands, with its latest values by reading."""
    readings = plan.driver_class.readings
    identity = snapshot.identity
    return {
        "device": snapshot.device,
        "state": snapshot.state,
        "since": utc_text(snapshot.since),
        "reason": snapshot.reason,
        "activity": snapshot.activity,
        "identity": identity.text if identity else "",
        "values": {
            name: sample_form(sample, readings[name].form.unit)
            for name, sample in snapshot.samples.items()
        },
    }


def description_form(plan: Plan) -> dict[str, Any]:
    """What a device offers, with this device's own limits, titles and poll periods (s)."""
    form = describe(plan.driver_name, plan.driver_class, plan.limits).as_dict()
    for entry in (*form["readings"], *form["settings"]):
        entry["every"] = plan.periods.get(entry["name"], entry["every"])
    return {
        "device": plan.name,
        "titles": dict(plan.titles),
        "simulated": plan.simulated,
        **form,
    }


def event_form(event: Event) -> dict[str, Any]:
    """One event; `data` holds what its kind adds."""
    return {
        "number": event.number,
        "time": utc_text(event.time),
        "kind": event.kind,
        "severity": event.severity,
        "device": event.device,
        "text": event.text,
        "data": dict(event.data),
    }


def alarm_form(alarm: Alarm, *, is_first: bool) -> dict[str, Any]:
    """An alarm as it stands."""
    until = alarm.shelved_until
    return {
        "alarm": alarm.name,
        "titles": dict(alarm.notice.titles),
        "todo": dict(alarm.notice.todo),
        "priority": alarm.notice.priority,
        "group": alarm.group,
        "device": alarm.notice.device,
        "state": alarm.state,
        "active": alarm.active,
        "acknowledged": alarm.acknowledged,
        "first": is_first,
        "since": utc_text(alarm.since),
        "reason": alarm.reason,
        "by": alarm.by,
        "shelved_until": None if until is None else utc_text(until),
    }


def interlock_form(standing: Standing) -> dict[str, Any]:
    """An interlock as it stands; `reason` is empty where it holds, `latched` where no trip counts."""
    interlock = standing.interlock
    titles = {"ko": interlock.title.ko, "en": interlock.title.en}
    return {
        "interlock": interlock.name,
        "titles": {language: title for language, title in titles.items() if title},
        "holds": standing.holds,
        "reason": standing.reason,
        "latched": standing.latched,
        "guards": sorted(interlock.guards),
        "trip": list(interlock.trip),
    }


def outcome_form(outcome: Outcome) -> dict[str, Any]:
    """How a request ended."""
    return {"status": outcome.status, "message": outcome.message, "value": outcome.value}


def job_form(job: Job) -> dict[str, Any]:
    """A job in a line: what it runs, for whom, and how far it is. `steps` counts those of a loop anew."""
    return {
        "job": job.id,
        "recipe": job.recipe,
        "version": job.version,
        "state": job.state,
        "why": job.why,
        "by": job.by.name,
        "origin": job.by.origin,
        "submitted": utc_text(job.submitted),
        "began": utc_text(job.began) if job.began is not None else None,
        "ended": utc_text(job.ended) if job.ended is not None else None,
        "not_before": utc_text(job.not_before) if job.not_before is not None else None,
        "priority": job.priority,
        "number": job.number,
        "copies": job.copies,
        "batch": job.batch,
        "devices": dict(job.devices),
        "verdict": job.verdict,
        "steps": {"begun": job.progress.begun, "ended": job.progress.ended},
        "now": [_step_form(step) for step in job.progress.now],
        "left": left_form(job.left()),
    }


def left_form(left: TimeLeft | None) -> dict[str, Any] | None:
    """How long a job takes still; None where it does not run."""
    return None if left is None else asdict(left)


def whole_job_form(job: Job) -> dict[str, Any]:
    """A job with its parameters and with what came out so far."""
    return {
        **job_form(job),
        "arguments": dict(job.arguments),
        "sha256": job.sha256,
        "called": dict(job.called),
        "folder": job.folder,
        "measures": [
            {
                "name": it.name,
                "time": utc_text(it.time),
                "value": it.value,
                "unit": it.unit,
                "verdict": it.verdict,
                "reason": it.reason,
            }
            for it in job.measures
        ],
        "log": [
            {"time": utc_text(it.time), "level": it.level, "texts": {"ko": it.ko, "en": it.en}}
            for it in job.log
        ],
        "answers": [
            {
                "question": it.question,
                "texts": {"ko": it.ko or it.question, "en": it.question},
                "time": utc_text(it.time),
                "value": it.value,
                "by": it.by,
            }
            for it in job.answers
        ],
        "safe": {device: outcome_form(outcome) for device, outcome in job.safe.items()},
    }


def _step_form(step: StepNow) -> dict[str, Any]:
    return {
        "key": step.key,
        "place": step.place,
        "titles": dict(step.titles),
        "left": step.left,
        "limit": step.limit,
        "turn": step.turn,
        "turns": step.turns,
    }


def question_form(question: Question) -> dict[str, Any]:
    """A question of a job; `value` says what an input may be."""
    value = question.parameter
    return {
        "question": question.id,
        "job": question.job,
        "kind": question.kind,
        "texts": {"ko": question.ko, "en": question.en},
        "asked": utc_text(question.asked),
        "value": parameter_form(value) if value is not None else None,
    }


def parameter_form(parameter: Parameter) -> dict[str, Any]:
    """What a recipe's parameter, or the answer to a question, may be."""
    return {
        "type": parameter.type,
        "unit": parameter.unit,
        "low": parameter.low,
        "high": parameter.high,
        "choices": list(parameter.choices),
        "pattern": parameter.pattern,
        "default": parameter.default,
    }


def recipe_form(head: Head) -> dict[str, Any]:
    """What a recipe takes; a parameter without a default is required."""
    titles = {"ko": head.title.ko, "en": head.title.en}
    return {
        "recipe": head.name,
        "version": head.version,
        "titles": {language: title for language, title in titles.items() if title},
        "parameters": {name: parameter_form(it) for name, it in head.parameters.items()},
        "devices": {role: it.device for role, it in head.devices.items()},
    }
