"""Who answers at each address, asked of the running agent: nobody else may speak on its lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from agent.doctor.finding import Finding, doubtful, right, wrong
from agent.doctor.patient import Patient, no_agent
from agent.languages.message import N_, Message

ANSWERS: Final = frozenset({"ready", "busy"})
ON_ITS_WAY: Final = "connecting"
TODO: Final = {
    "offline": N_("see that it is switched on and its cable plugged in"),
    "fault": N_("`labkeeper wire {device} --fault last` shows what was on its line"),
    "wrong_device": N_(
        "plug in the right one, or correct its driver or serial_number in the config"
    ),
    "quarantined": N_("switch it off and on; `labkeeper reconnect {device}` tries it at once"),
}


def devices(patient: Patient) -> Iterator[Finding]:
    """Each device as the agent sees it. Raises NotExamined where none runs."""
    if not patient.runs:
        raise no_agent()
    found = patient.ask("devices")
    if not found:
        yield doubtful(
            Message("the agent has no devices"),
            Message("describe them in the config; `labkeeper drivers` lists what may be there"),
        )
    for device in found:
        yield _device(device)


def _device(form: dict[str, Any]) -> Finding:
    what = {"device": form["device"], "state": Message(form["state"])}
    if form["state"] in ANSWERS:
        identity = form.get("identity") or Message("it does not say who it is")
        text = N_("{device} is {state}: {identity}")
        return right(Message(text, **what, identity=identity))
    text = Message(N_("{device} is {state}: {reason}"), **what, reason=form["reason"])
    if form["state"] == ON_ITS_WAY:
        return doubtful(text, Message("wait a moment, and look again"))
    return wrong(text, Message(TODO[form["state"]], device=form["device"]))
