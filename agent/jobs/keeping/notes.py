"""What is written down of one job: into its journal, its own record, and as events for all."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Coroutine, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal

from agent.clock import Clock
from agent.errors import AgentError
from agent.fleet.events import EventLog, Severity
from agent.fleet.samples import Outcome, Sample
from agent.jobs.job import Answer, Job, LogLine, Measure
from agent.jobs.keeping.journal import Entry, Journal, Kind
from agent.jobs.keeping.remember import remembered
from agent.jobs.states import JobState
from agent.languages.message import N_, Message, Titled
from agent.roles import Actor
from agent.store.store_errors import TooSlow

if TYPE_CHECKING:
    from agent.jobs.recipes.step import Step

SEVERITY: Final = {
    JobState.FAILED: Severity.ERROR,
    JobState.STOPPED: Severity.WARNING,
    JobState.INTERRUPTED: Severity.WARNING,
}
KEPT_WITHIN_S: Final = 5.0
"""How long a step waits for the journal. A disk that hangs must not keep a job from its end."""
HANDED_OVER_S: Final = 0.05
"""How long the ending of a job waits for a journal that was late already: it has what it was given."""
NEVER_LEFT: Final[frozenset[Kind]] = frozenset({"row", "answer", "print"})
"""What is kept or fails, also then."""
LATE_S: Final = 2.0
"""How long the end of a job waits for a journal that does not keep what it is given."""

log = logging.getLogger("labkeeper")


class Notes:
    """Of one job. What can't be kept fails the step that it belongs to.

    States are entered at once, and kept in their order before whatever comes after them. In the
    ending of a job (`is_ending`) nothing waits for a journal that was late already.
    """

    def __init__(self, job: Job, journal: Journal, events: EventLog, clock: Clock) -> None:
        self.job = job
        self._journal, self._events, self._clock = journal, events, clock
        self._itself = Actor(name=job.by.name, origin="job", role=job.by.role, job=job.id)
        self._entered: deque[Entry] = deque()
        self._turn = asyncio.Lock()
        self._open: Counter[tuple[str, str]] = Counter()
        self.is_ending = False
        """Whether the job has failed or was stopped: what is left to do matters more than its record."""
        self._is_late = False

    def state(self, state: JobState, why: str = "", by: Actor | None = None) -> None:
        """Enter a state, and tell everybody at once."""
        job, was = self.job, self.job.state
        job.comes_to(state, why, by)
        if state.is_final:
            job.ended = self._clock.utc()
        data = {"state": str(state), "was": str(was), "why": why}
        self._entered.append(self._entry("state", data, by, remembered(job)))
        self.tell()

    def tell(self) -> None:
        """Tell everybody which state the job is in."""
        job = self.job
        why = Message(": {why}", why=job.why) if job.why else ""
        text = N_("job {id} ({recipe}): {state}{why}")
        self._events.add(
            f"job.{job.state}",
            Message(text, id=job.id, recipe=job.recipe, state=job.state, why=why),
            severity=SEVERITY.get(job.state, Severity.INFO),
            job=job.id,
            recipe=job.recipe,
            actor=job.by.name,
            verdict=job.verdict,
        )

    def submitted(self) -> Entry:
        """What was asked for, and by whom, for the book."""
        job = self.job
        data = {"recipe": job.recipe, "version": job.version, "sha256": job.sha256}
        asked = {"arguments": dict(job.arguments), "devices": dict(job.devices)}
        turn = {"priority": job.priority, "not_before": job.not_before, "state": str(job.state)}
        copy = {"number": job.number, "copies": job.copies}
        who = {"by": job.by.name, "origin": job.by.origin}
        whole = {**data, **asked, **turn, **copy, **who}
        return self._entry("submitted", whole, job.by, remembered(job))

    def moved(self, by: Actor) -> Entry:
        """That the job has another place in the queue, for the book."""
        data = {"priority": self.job.priority, "rank": self.job.rank}
        return self._entry("moved", data, by, remembered(self.job))

    async def entered(self) -> None:
        """Keep the states that the job has come to. It never raises: nothing may hinder its end."""
        try:
            if self._is_left_behind:
                await self._hand_over()
            else:
                await self._in_time(self._all_kept(), LATE_S)
        except Exception as error:  # noqa: BLE001 - told of
            self._unkept("its state", error)

    async def must_enter(self, within: float = KEPT_WITHIN_S) -> None:
        """Keep them. Raises AgentError where they can't be kept in time, of which TooSlow is one."""
        await self._in_time(self._all_kept(), min(within, KEPT_WITHIN_S))

    def cut_off(self) -> list[Entry]:
        """What is not kept yet, and that nobody knows how the steps ended that had begun."""
        left = list(self._entered)
        self._entered.clear()
        unknown = [
            self._entry("step", {"key": key, "place": place, "phase": "unknown"})
            for (key, place), count in self._open.items()
            if count > 0
        ]
        return [*unknown, *left]

    async def step(self, step: Step, phase: Literal["begun", "ended"], *, must: bool) -> None:
        """Keep that a step has begun or ended. Unless it `must` be kept, it never raises."""
        keep = self._keep if must else self._keep_if_possible
        await keep("step", {**_where(step), "phase": phase})

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
        text = Message("job {id}: {text}", id=self.job.id, text=Titled({"en": en, "ko": ko}))
        self._events.add("job.log", text, severity=severity, job=self.job.id, ko=ko, en=en)
        await self._keep("log", {"level": level, "ko": ko, "en": en})

    async def asked(self, question: str, ko: str, en: str) -> None:
        """Keep that a question was put, and tell everybody."""
        text = Message("job {id} asks: {text}", id=self.job.id, text=Titled({"en": en, "ko": ko}))
        self._events.add("job.question", text, job=self.job.id, question=question, ko=ko, en=en)
        await self._keep("question", {"question": question, "ko": ko, "en": en})

    async def answered(self, question: str, answer: Answer, by: Actor) -> None:
        """Keep an answer, and whose it is."""
        told = {"question": question, "ko": answer.ko, "en": answer.question}
        await self._keep("answer", {**told, "value": answer.value, "by": answer.by}, by)
        self.job.answers.append(answer)

    async def safe(self, outcomes: Mapping[str, Outcome]) -> None:
        """Keep how making each device safe ended. It never raises, for the same reason."""
        data = {
            device: {"status": str(it.status), "message": it.message}
            for device, it in outcomes.items()
        }
        await self._keep_if_possible("safe", data)

    def unsafe(self, text: str) -> None:
        """Tell that a device of the job was not confirmed safe."""
        self._events.add("job.unsafe", text, severity=Severity.ERROR, job=self.job.id)

    def plate(self, device: str, *, is_clear: bool) -> Entry:
        """That a printer's plate is clear, or may not be, for the book."""
        return self._entry("plate", {"device": device, "clear": is_clear})

    def _entry(
        self,
        kind: Kind,
        data: Mapping[str, Any],
        by: Actor | None = None,
        whole: Mapping[str, Any] | None = None,
    ) -> Entry:
        return Entry(
            job=self.job.id,
            time=self._clock.utc(),
            kind=kind,
            data=data,
            recipe=self.job.recipe,
            by=by or self._itself,
            whole=whole,
        )

    async def _keep(self, kind: Kind, data: Mapping[str, Any], by: Actor | None = None) -> None:
        entry = self._entry(kind, data, by)
        if self._is_left_behind and kind not in NEVER_LEFT:
            self._begun_or_ended(entry)
            self._entered.append(entry)
            await self._hand_over()
        else:
            await self._in_time(self._kept(entry), KEPT_WITHIN_S)

    async def _all_kept(self) -> None:
        async with self._turn:
            await self._keep_entered()

    async def _kept(self, entry: Entry) -> None:
        async with self._turn:
            await self._keep_entered()
            self._begun_or_ended(entry)
            await self._add(entry)

    async def _add(self, entry: Entry) -> None:
        await self._journal.add(entry)
        self._is_late = False

    @property
    def _is_left_behind(self) -> bool:
        return self.is_ending and self._is_late

    async def _hand_over(self) -> None:
        """Give the journal what it will keep when the disk comes round; nobody waits for that.

        A state that it does not take is given to it again later: it says how the job ended.
        """
        refused: list[Entry] = []
        while self._entered:
            entry = self._entered.popleft()
            try:
                await self._in_time(self._add(entry), HANDED_OVER_S)
            except AgentError as error:
                log.warning("%s of job %s: %s", entry.kind, self.job.id, error)
                if entry.kind == "state" and not isinstance(error, TooSlow):
                    refused.append(entry)
        self._entered.extendleft(reversed(refused))

    def _begun_or_ended(self, entry: Entry) -> None:
        """Count the steps under way: from here on it is kept, whether or not somebody still waits."""
        if entry.kind == "step":
            data = entry.data
            self._open[data["key"], data["place"]] += 1 if data["phase"] == "begun" else -1

    async def _in_time(self, work: Coroutine[Any, Any, None], seconds: float) -> None:
        """Keep something within this time. Raises AgentError, of which TooSlow is one."""
        try:
            async with asyncio.timeout(seconds):
                await work
        except TimeoutError:
            self._is_late = True
            raise TooSlow(
                Message(
                    "not recorded: the disk has not taken what is to be kept of job {id} within "
                    "{seconds:g} s",
                    id=self.job.id,
                    seconds=seconds,
                )
            ) from None

    async def _keep_entered(self) -> None:
        while self._entered:
            entry = self._entered.popleft()
            try:
                await self._add(entry)
            except AgentError:  # it may be taken later; who was cancelled may have been heard
                self._entered.appendleft(entry)
                raise

    async def _keep_if_possible(self, kind: Kind, data: Mapping[str, Any]) -> None:
        try:
            await self._in_time(self._keep(kind, data), LATE_S)
        except Exception as error:  # noqa: BLE001 - told of
            self._unkept(str(dict(data)), error)

    def _unkept(self, what: str, error: Exception) -> None:
        """Say what was not kept, and why; where it is a defect of ours, with all that is known of it."""
        defect = None if isinstance(error, AgentError | TimeoutError) else error
        why = str(error) or Message("it took longer than {late_s:g} s", late_s=LATE_S)
        text = "the journal of job %s did not keep %s: %s"
        log.error(text, self.job.id, what, why, exc_info=defect)


def _where(step: Step) -> dict[str, str]:
    return {"key": step.place.key, "place": str(step.place)}
