"""`labkeeper doctor`: examines the station, and shows what it has found."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from agent.cli import output
from agent.cli.client import AgentClient, socket_path
from agent.cli.words import said, utc_now
from agent.errors import AgentError, DeviceTrouble
from agent.install.parts import STATION
from agent.languages.message import N_, Message

if TYPE_CHECKING:
    from agent.doctor.examine import Report
    from agent.doctor.patient import Patient

ANSWER_WITHIN_S: Final = 3.0
FIRST_WITHIN_S: Final = 1.5
"""For the two questions before the examinations: all of it is to take less than 10 s."""
WRONG: Final = DeviceTrouble.exit_code
NICE: Final = 10
"""What is looked at may take its time; the agent's work may not."""
SOCKET_VARIABLE: Final = "LABKEEPER_SOCKET"


def doctor(config: Path | None, socket: Path | None, *, as_json: bool) -> int:
    """Examine, and show what was found; return 3 where something is wrong."""
    from agent.doctor.examine import examine
    from agent.doctor.finding import Verdict, worst

    os.nice(NICE)
    patient = patient_of(config, socket)
    report = examine(patient)
    verdict = worst(it for found in report.values() for it in found)
    if as_json:
        output.document(form(patient, report))
    else:
        from agent.cli.doctor_tables import report_page

        output.show(report_page(report))
        output.line(_sum(report))
    return WRONG if verdict is Verdict.WRONG else 0


def patient_of(config: Path | None, socket: Path | None) -> Patient:
    """The station that is meant: by the config, else by the agent that runs, else the service's."""
    from agent.doctor.patient import Patient, runs
    from agent.settings import load

    given = socket or (Path(os.environ[SOCKET_VARIABLE]) if SOCKET_VARIABLE in os.environ else None)
    file = config or _in_force(given) or Path(STATION)
    described, complaint = None, None
    try:
        described = load(file)
    except AgentError as error:
        complaint = error
    place = given or (described.api.socket if described else socket_path(None))
    return Patient(
        config=file,
        described=described,
        complaint=complaint,
        ask=Questions(place),
        runs=runs(Questions(place, FIRST_WITHIN_S), described),
        now=utc_now(),
    )


class Questions:
    """Asks the agent, each time on a connection of its own: examinations ask beside each other."""

    def __init__(self, path: Path, within: float = ANSWER_WITHIN_S) -> None:
        self._path, self._within = path, within

    def __call__(self, *parts: str, **query: str) -> Any:
        """Ask for a resource. Raises AgentError."""
        with AgentClient(self._path) as client:
            return client.get(*parts, within=self._within, **query)


def form(patient: Patient, report: Report) -> dict[str, Any]:
    """The report as JSON, in the language of the person."""
    from importlib.metadata import version

    from agent.doctor.finding import Verdict, worst
    from agent.store.moments import exact

    every = [it for found in report.values() for it in found]
    return {
        "station": patient.described.name if patient.described else None,
        "config": str(patient.config),
        "version": version("labkeeper"),
        "time": exact(patient.now),
        "agent": {True: "running", False: "stopped", None: "unknown"}[patient.runs],
        "verdict": str(worst(every)),
        "counts": {str(it): sum(found.verdict is it for found in every) for it in Verdict},
        "findings": [
            it.form(name) | {"text": said(it.text), "todo": said(it.todo)}
            for name, found in report.items()
            for it in found
        ],
    }


def _in_force(socket: Path | None) -> Path | None:
    """The config of the agent that runs, if one does."""
    try:
        told = Questions(socket_path(socket), FIRST_WITHIN_S)("about")["config"]
    except AgentError:
        return None
    return Path(told["file"]) if told else None


def _sum(report: Report) -> str:
    from agent.doctor.finding import Verdict

    count = dict.fromkeys(Verdict, 0)
    for found in report.values():
        for finding in found:
            count[finding.verdict] += 1
    text = N_("{right} right, {doubtful} doubtful, {wrong} wrong, {unknown} unknown")
    return Message(text, **{str(verdict): number for verdict, number in count.items()})
