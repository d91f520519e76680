"""How many jobs wait and run and have ended, and how many questions are open. No series bears the name of a job."""

from collections import Counter
from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric

from agent.jobs.jobs import Jobs
from agent.jobs.states import FINAL, JobState
from agent.metrics.slices import cumulated


def jobs_in_hand(jobs: Jobs | None) -> Iterator[Metric]:
    """Yield how many jobs are in each state that is no end; nothing where no jobs are run."""
    if jobs is None:
        return
    states = Counter(job.state for job in jobs.listing)
    family = GaugeMetricFamily(
        "labkeeper_jobs", "Jobs that wait and run, by their state.", labels=("state",)
    )
    for state in JobState:
        if state not in FINAL:
            family.add_metric((str(state),), states[state])
    yield family
    yield GaugeMetricFamily(
        "labkeeper_questions_open",
        "Questions of jobs that wait for a person.",
        value=len(jobs.questions),
    )


def jobs_ended(jobs: Jobs | None) -> Iterator[Metric]:
    """Yield how jobs have ended since the start, and how long they took; nothing where none are run."""
    if jobs is None:
        return
    family = CounterMetricFamily(
        "labkeeper_jobs_ended", "Jobs that have ended, by how.", labels=("state",)
    )
    for state in JobState:
        if state in FINAL:
            family.add_metric((str(state),), jobs.tally.ended[state])
    yield family
    its = jobs.tally.durations
    yield HistogramMetricFamily(
        "labkeeper_job_duration_seconds",
        "Time from the beginning of a job to its end.",
        buckets=cumulated(its.bounds, its.counts),
        sum_value=its.seconds,
    )
