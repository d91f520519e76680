"""The public JSON forms of what the agent knows: the same over MQTT, HTTP and on the command line."""

from datetime import UTC, datetime
from typing import Any

from agent.fleet.events import Event
from agent.fleet.plan import Plan
from agent.fleet.samples import Outcome, Sample, Snapshot
from agent.safety.interlock import Standing
from drivers import describe


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


def interlock_form(standing: Standing) -> dict[str, Any]:
    """An interlock as it stands; `reason` is empty where it holds."""
    interlock = standing.interlock
    titles = {"ko": interlock.title.ko, "en": interlock.title.en}
    return {
        "interlock": interlock.name,
        "titles": {language: title for language, title in titles.items() if title},
        "holds": standing.holds,
        "reason": standing.reason,
        "guards": sorted(interlock.guards),
        "trip": list(interlock.trip),
    }


def outcome_form(outcome: Outcome) -> dict[str, Any]:
    """How a request ended."""
    return {"status": outcome.status, "message": outcome.message, "value": outcome.value}
