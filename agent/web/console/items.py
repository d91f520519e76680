"""What of a page changes while it is looked at: small pieces, each with the id of its element."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from agent.fleet.plan import Plan
from agent.fleet.samples import Sample, Snapshot
from agent.jobs.job import Job
from agent.languages.catalogues import in_language
from agent.languages.message import Message
from agent.languages.names import choice, spoken
from agent.station import Station
from agent.web.console.show import note_of, value_text
from agent.web.console.words import JOBS, STATES

ON_A_CARD: Final = 5
"""Readings of a card. The device's page has them all."""


class Item(NamedTuple):
    """One piece: its text, what it is for the style sheet, when it is from, and a remark.

    `mono` is a moment of the monotonic clock, or None where no age is shown.
    """

    text: str
    kind: str = ""
    mono: float | None = None
    note: str = ""

    def sent(self, now: float) -> list[Any]:
        """As it goes over the line: with its age in seconds, which the page counts on itself."""
        age = None if self.mono is None else round(max(now - self.mono, 0.0), 2)
        return [self.text, self.kind, age, self.note]


Items = Mapping[str, Item]


def on_a_card(plan: Plan) -> tuple[str, ...]:
    """The readings that a device's card shows, of those that are polled.

    What may be energised first, then what is measured, what it is set to, and the rest.
    """
    its = plan.driver_class
    settings = its.settings()

    def rank(name: str) -> int:
        if name in its.hazards:
            return 0
        is_number = its.readings[name].form.kind in {"number", "integer"}
        return (2 if is_number else 3) if name in settings else (1 if is_number else 4)

    polled = [name for name, period in plan.periods.items() if period > 0]
    return tuple(sorted(polled, key=rank)[:ON_A_CARD])


def device_items(
    plan: Plan, snapshot: Snapshot, names: Iterable[str], language: str
) -> dict[str, Item]:
    """State and values of a device."""
    device = snapshot.device
    note = in_language(snapshot.reason, language)
    note = note or (in_language(spoken(snapshot.activity), language) if snapshot.activity else "")
    state = in_language(STATES[snapshot.state], language)
    found = {f"state:{device}": Item(state, snapshot.state, None, note)}
    for name in names:
        sample = snapshot.samples.get(name)
        if sample is not None and sample.reason == snapshot.reason:
            sample = sample._replace(reason="")  # it is said of the device, once
        is_choice = plan.driver_class.readings[name].form.kind == "choice"
        found[f"value:{device}.{name}"] = _value(sample, is_choice, language)
    return found


def _value(sample: Sample | None, is_choice: bool, language: str) -> Item:
    if sample is None:
        return Item(value_text(None, language), "none", None, note_of(None, language))
    value = choice(str(sample.value)) if is_choice and sample.value is not None else sample.value
    text = value_text(value, language)
    return Item(text, sample.quality, sample.mono, note_of(sample, language))


def job_items(station: Station, devices: Iterable[str], language: str) -> dict[str, Item]:
    """The job that each of these devices belongs to now; an empty piece where it belongs to none."""
    found = {f"job:{device}": Item("") for device in devices}
    for job in station.jobs.listing if station.jobs else ():
        if job.began is not None and not job.state.is_final:
            item = _job(job, language)
            found.update({f"job:{it}": item for it in job.claimed if f"job:{it}" in found})
    return found


def _job(job: Job, language: str) -> Item:
    step = next(iter(job.progress.now), None)
    where = step.titles.get(language) or step.place if step else ""
    text = Message("Job {recipe}: {state}", recipe=job.title, state=JOBS[job.state])
    return Item(in_language(text, language), job.state, None, where)


def alarms_now(station: Station) -> tuple[tuple[str, str, float], ...]:
    """Which alarms ask for somebody, so that a change of them is seen."""
    alarms = station.alarms.all.values() if station.alarms else ()
    return tuple(sorted((it.name, str(it.state), it.since) for it in alarms if is_open(it.state)))


def is_open(state: str) -> bool:
    """Whether an alarm in this state belongs on a page of what is going on."""
    return state in {"unacknowledged", "acknowledged", "returned"}
