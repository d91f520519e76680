"""What is written down of one job: into its journal, its own record, and as events for all."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any, Final, Literal

from agent.clock import Clock
from agent.fleet.events import EventLog, Severity
from agent.fleet.samples import Sample
from agent.jobs.job import Answer, Job, LogLine, Measure
from agent.jobs.journal import Entry, Journal, Kind
from agent.jobs.states import JobState
from agent.jobs.step import Step

SEVERITY: Final = {
    JobState.FAILED: Severity.ERROR,
    JobState.STOPPED: Severity.WARNING,
    JobState.INTERRUPTED: Severity.WARNING,
}
LATE_S: Final = 2.0
"""How long the end of a job waits for a journal that does not keep what it is given."""

log = logging.getLogger("labkeeper")


class Notes:
    """Of one job. What can't be kept fails the step that it belongs to."""

    def __init__(self, job: Job, journal: Journal, events: EventLog, clock: Clock) -> None:
        self.job = job
        self._journal, self._events, self._clock = journal, events, clock

    def state(self, state: JobState, why: str = "") -> None:
        """Enter a state, and tell everybody at once."""
        job = self.job
        job.state, job.why = state, why
        if state.is_final:
            job.ended = self._clock.utc()
        self._events.add(
            f"job.{state}",
            f"job {job.id} ({job.recipe}): {state}{f': {why}' if why else ''}",
            severity=SEVERITY.get(state, Severity.INFO),
            job=job.id,
            recipe=job.recipe,
            actor=job.by.name,
            verdict=job.verdict,
        )

    async def submitted(self) -> None:
        """Keep what was asked for."""
        job = self.job
        data = {"recipe": job.recipe, "version": job.version, "sha256": job.sha256}
        asked = {"arguments": dict(job.arguments), "devices": dict(job.devices)}
        who = {"by": job.by.name, "origin": job.by.origin}
        await self._keep("submitted", {**data, **asked, **who})

    async def entered(self) -> None:
        """Keep the state that the job is in. It never raises: nothing may hinder a job's end."""
        await self._keep_if_possible("state", {"state": str(self.job.state), "why": self.job.why})

    async def step(self, step: Step, phase: Literal["begun", "ended"]) -> None:
        """Keep that a step has begun or ended."""
        await self._keep("step", {**_where(step), "phase": phase})

    async def failed(self, step: Step, why: str) -> None:
        """Keep that a step has failed. It never raises, for the same reason."""
        await self._keep_if_possible("step", {**_where(step), "phase": "failed", "why": why})

    async def measured(self, measure: Measure) -> None:
        """Keep a measured value and its verdict."""
        self.job.measures.append(measure)
        self.job.judged(measure.verdict)
        names = ("name", "value", "unit", "verdict", "reason", "low", "high", "equals", "quality")
        await self._keep("measure", {name: getattr(measure, name) for name in names})

    async def row(
        self, table: str, samples: Mapping[str, Sample | None], devices: Mapping[str, str]
    ) -> None:
        """Keep a row of a table: each reading with its quality and time; `devices` are by role."""
        row = {name: it._asdict() if it else None for name, it in samples.items()}
        await self._keep("row", {"table": table, "readings": row, "devices": devices})

    async def printed(self, device: str, file: str) -> None:
        """Keep that a file is about to be printed."""
        await self._keep("print", {"device": device, "file": file})

    async def line(self, level: Any, ko: str, en: str) -> None:
        """Keep a line of the job's log, and tell those who watch."""
        said = LogLine(time=self._clock.utc(), level=level, ko=ko, en=en)
        self.job.log.append(said)
        severity = Severity.WARNING if level == "warning" else Severity.INFO
        text = f"job {self.job.id}: {en}"
        self._events.add("job.log", text, severity=severity, job=self.job.id, ko=ko, en=en)
        await self._keep("log", {"level": level, "ko": ko, "en": en})

    async def asked(self, question: str, ko: str, en: str) -> None:
        """Keep that a question was put, and tell everybody."""
        text = f"job {self.job.id} asks: {en}"
        self._events.add("job.question", text, job=self.job.id, question=question, ko=ko, en=en)
        await self._keep("question", {"question": question, "ko": ko, "en": en})

    async def answered(self, answer: Answer) -> None:
        """Keep an answer, and whose it is."""
        self.job.answers.append(answer)
        data = {"question": answer.question, "value": answer.value, "by": answer.by}
        await self._keep("answer", data)

    def unsafe(self, text: str) -> None:
        """Tell that a device of the job was not confirmed safe."""
        self._events.add("job.unsafe", text, severity=Severity.ERROR, job=self.job.id)

    async def _keep(self, kind: Kind, data: Mapping[str, Any]) -> None:
        entry = Entry(job=self.job.id, time=self._clock.utc(), kind=kind, data=data)
        await self._journal.add(entry)

    async def _keep_if_possible(self, kind: Kind, data: Mapping[str, Any]) -> None:
        try:
            async with asyncio.timeout(LATE_S):
                await self._keep(kind, data)
        except Exception:
            log.exception("the journal of job %s did not keep %s", self.job.id, dict(data))


def _where(step: Step) -> dict[str, str]:
    return {"key": step.place.key, "place": str(step.place)}
