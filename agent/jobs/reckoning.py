"""How long a job of the station takes still: by its recipe, and by the last jobs that ran the same."""

from __future__ import annotations

from collections.abc import Iterable

from agent.clock import Clock
from agent.jobs.job import Job, StepTime
from agent.jobs.questions import Questions
from agent.jobs.shop import Kept
from agent.jobs.states import JobState
from agent.jobs.time_left import RUNS, TimeLeft, certain_left, time_left


def reckon(kept: Kept, listing: Iterable[Kept], questions: Questions, clock: Clock) -> None:
    """Have a job say, from when it begins until it ends: what is left of it, how long it and its step run."""
    job, past = kept.job, took_before(kept.job, (it.job for it in listing))

    def is_asked() -> bool:
        return any(it.job == job.id for it in questions.open)

    def elapsed() -> float:
        return 0.0 if kept.began is None else clock.monotonic() - kept.began

    def left() -> TimeLeft | None:
        if kept.began is None or kept.run is None or job.state.is_final:
            return None
        return time_left(
            certain_left(kept.run.recipe, job.progress.now, job.arguments),
            past,
            elapsed(),
            is_held_up=is_asked() or job.state is not JobState.RUNNING,
        )

    def step() -> StepTime | None:
        if kept.pace is None or job.state is not JobState.RUNNING or is_asked():
            return None
        time = kept.pace.time
        rows = (
            StepTime(time - it.began, it.expected)
            for it in job.progress.now
            if it.expected is not None
        )
        return max(rows, key=lambda it: it.elapsed - it.expected, default=None)

    job.left, job.elapsed, job.step = left, elapsed, step


def took_before(job: Job, listing: Iterable[Job]) -> tuple[float, ...]:
    """How long the last jobs took, in seconds, that ran the same files to their end."""
    same = [
        (it.ended, it.ended - it.began)
        for it in listing
        if it.state is JobState.DONE
        and (it.recipe, it.sha256, it.called) == (job.recipe, job.sha256, job.called)
        and it.began is not None
        and it.ended is not None
        and it.ended > it.began  # else the station's clock was set meanwhile
    ]
    return tuple(took for _, took in sorted(same)[-RUNS:])
