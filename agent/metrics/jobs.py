"""How many jobs wait and run and have ended, how the queue stands. No label bears the name of a job."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import get_args

from prometheus_client.metrics_core import Metric
from prometheus_client.samples import Exemplar

from agent.jobs.job import Job, StepTime, Verdict
from agent.jobs.job_tally import JobTally, Last
from agent.jobs.jobs import Jobs
from agent.jobs.states import FINAL, WAITING, JobState
from agent.metrics.families import counter, gauge, histogram, one
from agent.metrics.slices import cumulated


def jobs_in_hand(jobs: Jobs | None) -> Iterator[Metric]:
    """Yield how many jobs are in each state that is no end; nothing where no jobs are run."""
    if jobs is None:
        return
    states = Counter(job.state for job in jobs.listing)
    family = gauge("jobs")
    for state in JobState:
        if state not in FINAL:
            family.add_metric((str(state),), states[state])
    yield family
    yield one("jobs_held_by_agent", sum(job.is_held_by_agent for job in jobs.listing))
    yield one("questions_open", len(jobs.questions))
    yield one("queue_held", jobs.held is not None)
    oldest = gauge("queue_oldest_timestamp_seconds")
    if waiting := [job.submitted for job in jobs.listing if job.state in WAITING]:
        oldest.add_metric((), min(waiting))
    yield oldest
    yield from _steps(jobs.listing)


def jobs_ended(jobs: Jobs | None) -> Iterator[Metric]:
    """Yield how jobs have ended since the start, and how long they took; nothing where none are run."""
    if jobs is None:
        return
    tally = jobs.tally
    ended = counter("jobs_ended_total")
    for state in JobState:
        if state in FINAL:
            last = _exemplar(tally.last_ended.get(state))
            ended.add_metric((str(state),), tally.ended[state], exemplar=last)
    yield ended
    judged = counter("jobs_judged_total")
    for verdict in get_args(Verdict):
        judged.add_metric((verdict,), tally.judged[verdict])
    yield judged
    durations = histogram("job_duration_seconds")
    durations.add_metric((), _buckets(tally), tally.durations.seconds)
    yield durations


def claims(jobs: Jobs | None) -> Counter[str]:
    """How many jobs that have begun each device belongs to."""
    under_way = (it for it in (jobs.listing if jobs else ()) if _is_under_way(it))
    return Counter(device for job in under_way for device in job.claimed)


def _is_under_way(job: Job) -> bool:
    return job.state not in FINAL and job.state not in WAITING


def _steps(listing: tuple[Job, ...]) -> Iterator[Metric]:
    elapsed, expected = gauge("job_step_seconds"), gauge("job_step_expected_seconds")
    steps: dict[str, StepTime] = {}
    for job in listing:
        if step := job.step():
            for device in job.claimed or ("",):
                steps[device] = max(step, steps.get(device, step))
    for device, step in sorted(steps.items()):
        elapsed.add_metric((device,), step.elapsed)
        expected.add_metric((device,), step.expected)
    yield elapsed
    yield expected


def _buckets(tally: JobTally) -> list[tuple[str, float] | tuple[str, float, Exemplar]]:
    """The rows of the durations, those with the last job that took so long that have had one."""
    its = tally.durations
    rows = enumerate(cumulated(its.bounds, its.counts))
    return [(*row, last) if (last := _exemplar(tally.last_in.get(n))) else row for n, row in rows]


def _exemplar(last: Last | None) -> Exemplar | None:
    return Exemplar({"job": last.job}, last.value, last.time) if last else None
