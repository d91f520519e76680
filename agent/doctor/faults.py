"""What went wrong lately and is not settled: asked of the running agent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from agent.doctor.finding import Finding, doubtful, right, wrong
from agent.doctor.patient import Patient, no_agent
from agent.languages.message import N_, Message

SHOWN: Final = 5
TROUBLE: Final = frozenset({"warning", "error"})


def faults(patient: Patient) -> Iterator[Finding]:
    """Blocked devices, interlocks that do not hold, alarms, the last warnings. Raises NotExamined."""
    if not patient.runs:
        raise no_agent()
    found = [*_unsettled(patient), *_interlocks(patient), *_alarms(patient), *_events(patient)]
    yield from found or [right(Message("no warning since the agent started, and nothing is open"))]


def _unsettled(patient: Patient) -> Iterator[Finding]:
    for doubt in patient.ask("unsettled"):
        todo = N_("look at the device, then `labkeeper settle {device}`")
        yield wrong(doubt["text"], Message(todo, device=doubt["device"]))


def _interlocks(patient: Patient) -> Iterator[Finding]:
    for it in patient.ask("interlocks"):
        if not it["holds"]:
            text = N_("interlock {interlock} does not hold: {reason}")
            found = Message(text, interlock=it["interlock"], reason=it["reason"])
            yield wrong(found, Message("see to what it requires; it keeps devices safe until then"))
        elif it["latched"]:
            text = N_("interlock {interlock} does not count at present: {reason}")
            yield doubtful(
                Message(text, interlock=it["interlock"], reason=it["latched"]),
                Message("`labkeeper interlocks` shows what it would keep from being done"),
            )


def _alarms(patient: Patient) -> Iterator[Finding]:
    for it in patient.ask("alarms"):
        if it["active"] or not it["acknowledged"]:
            text = N_("alarm {alarm}: {reason}")
            todo = N_("see to it; `labkeeper alarm ack {alarm}` says that you know")
            found = Message(text, alarm=it["alarm"], reason=it["reason"])
            yield doubtful(found, Message(todo, alarm=it["alarm"]))


def _events(patient: Patient) -> Iterator[Finding]:
    found = [it for it in patient.ask("events") if it["severity"] in TROUBLE]
    for event in found[-SHOWN:]:
        yield _event(event)
    if more := len(found[:-SHOWN]):
        text = N_("{count} more warnings and errors since the agent started")
        yield doubtful(Message(text, count=more), Message("`labkeeper events` shows them"))


def _event(event: dict[str, Any]) -> Finding:
    text = N_("{time} {kind}: {text}")
    found = Message(text, time=event["time"][:19] + "Z", kind=event["kind"], text=event["text"])
    return doubtful(found, Message("`labkeeper events` shows what came before and after"))
