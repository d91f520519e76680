"""What the broker keeps of each job: how it stands, told at once when that changes, and thinned.

It keeps those that wait and run, and the last that ended. Older ones are cleared, and so are those
of an earlier start that this agent does not know.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from agent.jobs.job import Job
from agent.jobs.jobs import Jobs
from agent.jobs.states import JobState
from agent.mqtt import payloads
from agent.mqtt.outbox import Outbox
from agent.mqtt.topics import Topics
from agent.station import Station

ENDED: Final = 20
"""Jobs that have ended and are still kept by the broker."""
GAP_S: Final = 0.1
"""Least time between two looks at all jobs, however often their states change."""
LEFT_EVERY_S: Final = 10.0
"""How often a job is told of that only waits: what is left can be reckoned from `time`."""


LOUD: Final = frozenset({*(f"job.{state}" for state in JobState), "job.question"})
"""Events after which a job is looked at at once."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a job stands: what is said at once when it changes, and what can wait."""

    loud: tuple[Any, ...]
    quiet: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Said:
    """How a job stood when it was told of last, and when that was (seconds, monotonic)."""

    standing: Standing
    at: float


class JobAnnouncements:
    """Follows the jobs while there is a broker. `interval`: least seconds between two words of progress."""

    name = "jobs"

    def __init__(
        self, station: Station, jobs: Jobs, topics: Topics, outbox: Outbox, interval: float
    ) -> None:
        self.kept = topics.jobs
        self._station, self._jobs = station, jobs
        self._topics, self._outbox = topics, outbox
        self._interval = interval
        self._said: dict[str, Said] = {}

    def announce(self) -> None:
        """Say how each job stands, whatever was said before."""
        shown = self._shown()
        for job in shown:
            self._say(job)
        self._clear_all_but(shown)

    async def follow(self) -> None:
        """Say each change until cancelled: of a state or a question at once, of the rest in time."""
        clock = self._station.clock
        async with self._station.events.listen() as heard, asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep_looking(), name="mqtt.jobs.progress")
            async for event in heard:
                if event.kind in LOUD and self._look():
                    await clock.sleep(GAP_S)

    def catch_up(self) -> None:
        """Say what waits for its time; there will be no later."""
        for job in self._shown():
            said = self._said.get(job.id)
            if said is None or said.standing != self._standing(job):
                self._say(job)

    def see_kept(self, topic: str) -> None:
        """Clear what the broker keeps of a job that is not shown any more."""
        job = self._topics.job_of(topic)
        if job is not None and job not in {it.id for it in self._shown()}:
            self._clear(job)

    async def _keep_looking(self) -> None:
        while True:
            await self._station.clock.sleep(max(self._interval, GAP_S))
            self._look()

    def _look(self) -> bool:
        """Say what may be said now; whether that was anything."""
        shown, now = self._shown(), self._station.clock.monotonic()
        due = [job for job in shown if self._is_due(job, now)]
        for job in due:
            self._say(job)
        self._clear_all_but(shown)
        return bool(due)

    def _shown(self) -> list[Job]:
        """Those that wait and run, and the last that ended."""
        listing = self._jobs.listing
        ended = sorted(
            (it for it in listing if it.state.is_final), key=lambda it: it.ended or it.submitted
        )
        return [*(it for it in listing if not it.state.is_final), *ended[-ENDED:]]

    def _is_due(self, job: Job, now: float) -> bool:
        said, standing = self._said.get(job.id), self._standing(job)
        if said is None or said.standing.loud != standing.loud:
            return True
        if said.standing.quiet != standing.quiet:
            return now - said.at >= self._interval
        waits = any(it.left is not None for it in job.progress.now)
        return waits and now - said.at >= LEFT_EVERY_S

    def _standing(self, job: Job) -> Standing:
        asked = tuple(it.id for it in self._jobs.questions if it.job == job.id)
        progress = job.progress
        steps = tuple((it.key, it.turn) for it in progress.now)
        return Standing(
            (job.state, asked), (job.why, job.verdict, progress.begun, progress.ended, steps)
        )

    def _say(self, job: Job) -> None:
        asked = [it for it in self._jobs.questions if it.job == job.id]
        now = self._station.clock.utc()
        form = payloads.job(self._station.name, job, asked, now)
        self._outbox.retain(self._topics.job(job.id), payloads.encode(form))
        self._said[job.id] = Said(self._standing(job), self._station.clock.monotonic())

    def _clear_all_but(self, shown: Iterable[Job]) -> None:
        for job in self._said.keys() - {it.id for it in shown}:
            self._clear(job)

    def _clear(self, job: str) -> None:
        self._outbox.retain(self._topics.job(job), b"")
        self._said.pop(job, None)
