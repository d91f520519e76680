"""One job as everybody sees it: what was asked for, how far it is, and what came out."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from agent.fleet.samples import Outcome
from agent.jobs.progress import Progress
from agent.jobs.states import JobState
from agent.languages.message import Titled
from agent.roles import Actor

if TYPE_CHECKING:
    from agent.jobs.language.expressions import Value
    from agent.jobs.time_left import TimeLeft

KEPT: Final = 1000
"""Measured values and lines of the log that a job shows; the journal keeps what came before."""
Verdict = Literal["pass", "fail", "none"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Measure:
    """One measured value. `value` is None where it could not be had; `reason` says why."""

    name: str
    time: float
    value: Value | None
    unit: str
    verdict: Verdict
    reason: str = ""
    low: float | None = None
    high: float | None = None
    equals: Value | None = None
    """The limits that it was judged by, where it had some."""
    quality: str = ""
    """The least that is to be said of the readings that it comes from; "" where it comes from none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LogLine:
    """One line of a job's log."""

    time: float
    level: Literal["info", "warning"]
    ko: str
    en: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What a person answered, and who. `question` is English, and `ko` the same in Korean."""

    question: str
    time: float
    value: Value
    by: str
    ko: str = ""


class StepTime(NamedTuple):
    """How long a step runs already, pauses not counted, and how long it may; both in seconds."""

    elapsed: float
    expected: float


@dataclass(kw_only=True, slots=True)
class Job:
    """A job. Only the run that it belongs to, and the queue, change it. Times are in seconds UTC."""

    id: str
    recipe: str
    version: str
    sha256: str
    """Of the recipe's file, as it was when the job was submitted."""
    arguments: Mapping[str, Value]
    devices: Mapping[str, str]
    """The device that plays each role."""
    claimed: frozenset[str]
    """All devices that belong to it while it runs, those of called recipes included."""
    by: Actor
    submitted: float
    titles: Mapping[str, str] = field(default_factory=dict)
    """What people call the recipe, by language; none where it has no title."""
    called: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of the file of each recipe that it calls, by name."""
    priority: int = 0
    """Of those that wait for the same devices the highest begins first."""
    rank: int = 0
    """Its place among those of the same priority; the lowest begins first."""
    not_before: float | None = None
    """When it may begin at the earliest, in seconds UTC."""
    number: int = 1
    """Which of `copies` it is, from 1: each copy is a job of its own."""
    copies: int = 1
    batch: str = ""
    """The first of its copies; "" where there is one alone."""
    state: JobState = JobState.QUEUED
    why: str = ""
    """What it waits for, or why it ended as it did."""
    is_held_by_agent: bool = False
    """Whether it is held and no person has asked for that: until somebody looks, nobody knows."""
    began: float | None = None
    ended: float | None = None
    progress: Progress = field(default_factory=Progress)
    measures: deque[Measure] = field(default_factory=lambda: deque(maxlen=KEPT))
    log: deque[LogLine] = field(default_factory=lambda: deque(maxlen=KEPT))
    answers: list[Answer] = field(default_factory=list)
    safe: dict[str, Outcome] = field(default_factory=dict)
    """How making each device safe ended, where the job was stopped or has failed."""
    verdict: Verdict = "none"
    folder: str = ""
    """Where its run is written down; "" where nothing is, or not yet."""
    left: Callable[[], TimeLeft | None] = lambda: None
    """How long it takes still; None where it does not run."""
    elapsed: Callable[[], float] = lambda: 0.0
    """How long it runs already, in seconds of the monotonic clock; 0 where it has not begun."""
    step: Callable[[], StepTime | None] = lambda: None
    """Of the steps that run and say how long they may take, the one that is nearest to that or most
    beyond it; None where there is none, the job does not run, or it waits for a person."""

    @property
    def title(self) -> str:
        """What people call the recipe, each in their language; its name where it has no title."""
        return Titled(self.titles) or self.recipe

    def comes_to(self, state: JobState, why: str, by: Actor | None) -> None:
        """Take a state, and why; `by` is the person who wanted it, None where the agent did."""
        self.state, self.why = state, why
        self.is_held_by_agent = state is JobState.HELD and by is None

    def judged(self, verdict: Verdict) -> None:
        """Take a verdict into that of the whole job: one fail is a fail."""
        if verdict == "fail" or self.verdict == "none":
            self.verdict = verdict


@dataclass(frozen=True, kw_only=True, slots=True)
class StoppedJob:
    """A job that was stopped, and how the stop of each of its devices stood when that was answered."""

    job: Job
    devices: Mapping[str, Outcome]
