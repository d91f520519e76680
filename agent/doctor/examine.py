"""All examinations beside each other, each in a thread of its own that nobody waits for too long."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Thread
from time import monotonic
from typing import Final

from agent.doctor.examinations import EXAMINATIONS, Examination
from agent.doctor.finding import Finding, unknown
from agent.doctor.patient import Patient
from agent.errors import AgentError
from agent.languages.message import N_, Message

WITHIN_S: Final = 5.0
"""For each of them, counted from the beginning of all."""

Report = Mapping[str, tuple[Finding, ...]]


def examine(
    patient: Patient,
    examinations: Mapping[str, Examination] = EXAMINATIONS,
    within: float = WITHIN_S,
) -> Report:
    """Examine, and return what was found by the name of the examination, in their order.

    One that hangs, as on a disk that does not answer, is left behind: its thread keeps no program from
    ending.
    """
    under_way = {name: _Turn(name, it, patient) for name, it in examinations.items()}
    end = monotonic() + within
    for turn in under_way.values():
        turn.start()
    return {name: turn.found(end, within) for name, turn in under_way.items()}


class _Turn(Thread):
    """One examination."""

    def __init__(self, name: str, examination: Examination, patient: Patient) -> None:
        super().__init__(name=f"labkeeper[doctor {name}]", daemon=True)
        self._examination, self._patient = examination, patient
        self._found: list[Finding] = []

    def run(self) -> None:
        """Examine, and keep each finding as it comes."""
        try:
            for finding in self._examination(self._patient):
                self._found.append(finding)
        except AgentError as error:
            self._found.append(unknown(str(error)))
        except Exception as error:  # noqa: BLE001 - the others are worth as much without this one
            text = N_("the examination itself failed: {error}")
            todo = Message("please report it: it is a defect of labkeeper")
            self._found.append(unknown(Message(text, error=repr(error)), todo))

    def found(self, end: float, within: float) -> tuple[Finding, ...]:
        """What it has found until `end`."""
        self.join(max(0.0, end - monotonic()))
        found = tuple(self._found)
        if not self.is_alive():
            return found
        text = N_("the examination did not end within {within:g} s")
        todo = Message("a disk, a directory service or the network may hang: look again")
        return (*found, unknown(Message(text, within=within), todo))
