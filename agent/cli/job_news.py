"""What is new of a job since it was last looked at: values, lines of its log, answers, states."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from agent.cli import job_view

Form = Mapping[str, Any]


class News:
    """Tells each thing once, in the order in which it happened."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._told: set[tuple[str, str, str]] = set()
        self._state = ""
        self._given: list[str] = []

    def given_here(self, question: str) -> None:
        """Whoever reads has answered this question (its English text) himself."""
        self._given.append(question)

    def of(self, job: Form) -> Iterator[str]:
        """Yield a line for each thing that was not told yet."""
        if job["state"] != self._state and self._state and not job["ended"]:
            yield job_view.with_why(job)
        self._state = job["state"]
        found = [
            *((it["time"], it["name"], job_view.measured(it)) for it in job["measures"]),
            *((it["time"], "log", job_view.logged(it, self._language)) for it in job["log"]),
            *((it["time"], "answer", self._answered(it)) for it in job["answers"]),
        ]
        for thing in sorted(found, key=lambda it: it[0]):  # of one moment, in the order of the job
            if thing not in self._told:
                self._told.add(thing)
                if thing[2]:
                    yield thing[2]

    def _answered(self, answer: Form) -> str:
        """An answer and whose it is; nothing of one that was given here."""
        if answer["question"] in self._given:
            return ""
        return job_view.answered(answer, self._language)
