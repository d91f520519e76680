"""The order in which jobs that wait have their turn, and how a person changes it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, TypeAlias

from agent.errors import NotNow
from agent.jobs.job import Job
from agent.jobs.states import WAITING
from agent.languages.message import Message

Place: TypeAlias = Literal["first", "last", "before"]


def in_order(jobs: Iterable[Job]) -> list[Job]:
    """The jobs that wait: the highest priority first, then in the order of submission."""
    waiting = [job for job in jobs if job.state in WAITING]
    return sorted(waiting, key=lambda it: (-it.priority, it.rank))


def moved(jobs: Iterable[Job], job: Job, to: Place, other: str = "") -> Mapping[str, Job]:
    """Give a job another place, and return those whose place has changed by that, by id.

    It takes the priority of those beside it: the place that was asked for is the place it has.
    Raises NotNow where `other`, before which it shall stand, does not wait.
    """
    queue = in_order(jobs)
    before = {it.id: (it.priority, it.rank) for it in queue}
    ranks = sorted(it.rank for it in queue)
    queue.remove(job)
    places = {"first": 0, "last": len(queue)}
    at = _place_of(other, queue) if to == "before" else places[to]
    if queue:
        job.priority = queue[min(at, len(queue) - 1)].priority
    queue.insert(at, job)
    for it, rank in zip(queue, ranks, strict=True):
        it.rank = rank
    return {it.id: it for it in queue if before[it.id] != (it.priority, it.rank)}


def _place_of(other: str, queue: list[Job]) -> int:
    for number, it in enumerate(queue):
        if it.id == other:
            return number
    raise NotNow(
        Message(
            "{other} does not wait: `labkeeper queue list` shows those that do",
            other=other or Message("no job"),
        )
    )
