"""What a start makes of what the agent before has left, and what an end leaves for the next one.

After an end in order the queue goes on as it was. After any other, what waits is held until a
person has looked, what ran is `interrupted`, and nothing begins by itself.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any, Final

from agent.errors import AgentError
from agent.fleet.events import Severity
from agent.jobs.keeping.book import Mark
from agent.jobs.keeping.history import Past
from agent.jobs.keeping.journal import Entry
from agent.jobs.keeping.remember import recalled, remembered
from agent.jobs.shop import Kept, Shop, kept_of
from agent.jobs.states import WAITING, JobState
from agent.jobs.submission import Submission
from agent.jobs.turns import Hold, Turns
from agent.languages.message import Message

CUT_OFF: Final = Message("the agent was cut off while it ran: look at its devices")
END_UNKNOWN: Final = Message("how it ended is not on record: look at its devices")
TO_BE_LOOKED_AT: Final = Message(
    "the agent was cut off, and nothing begins by itself after that: look at the "
    "devices, then release it"
)
ROWS_AT_ONCE: Final = 10_000

log = logging.getLogger("labkeeper")


async def take_over(shop: Shop, turns: Turns, submission: Submission) -> None:
    """List the jobs of the agent before. Where it was cut off, that is on record before they are.

    Raises:
        AgentError: The disk does not let it; nothing is listed, and it may be tried again.
    """
    found = await shop.book.recall()
    kept = [kept_of(recalled(whole), shop) for whole in found.wholes]
    was_cut_off = bool(found.marks.get("running"))
    entries = await _left_open(shop, kept, was_cut_off=was_cut_off)
    await shop.book.enter(entries, marks={"running": True})
    changed = {entry.job for entry in entries}
    for it in kept:
        turns.add(it)
        if it.job.id in changed and it.job.state.is_final:
            turns.tally.over(it.job, shop.clock.utc())  # how long it ran nobody knows
    submission.number = max(found.marks.get("number") or 0, *(it.job.rank for it in kept), 0)
    turns.hold = Hold(**found.marks["queue"]) if found.marks.get("queue") else None
    turns.plates.recall(found.marks.get("plates") or ())
    if was_cut_off:
        text = Message(
            "the agent before this one was cut off: jobs that wait are held, what ran is "
            "interrupted"
        )
        shop.events.add("jobs.cut_off", text, severity=Severity.WARNING)
    for it in kept:
        if it.job.id in changed:
            it.notes.tell()


async def leave(
    shop: Shop, kept: Iterable[Kept], interrupted: Iterable[Kept], *, in_order: bool
) -> None:
    """Keep how the jobs ended of which that is not kept yet, and whether this end was in order.

    An end that leaves a state out is none in order. Of an agent that has not taken over what was
    left before it nothing is said: that is the next one's, and a crash before this start is still to
    be found out.
    """
    entries = [entry for it in interrupted for entry in it.notes.cut_off()]
    try:
        for entry in entries:
            await shop.journal.add(entry)
        for it in kept:
            await it.notes.must_enter()
        if in_order:
            await shop.book.enter([], marks={"running": False})
    except AgentError as error:
        log.error("the next agent will take this end for a crash: %s", error)


def hold_form(hold: Hold) -> Mapping[str, Any]:
    """A hold of the whole queue as JSON."""
    return asdict(hold)


async def _left_open(shop: Shop, kept: Iterable[Kept], *, was_cut_off: bool) -> list[Entry]:
    """What is to be entered of each job that had not ended.

    None is running now: one that still does by the record has ended so that the disk did not take it.
    """
    why = CUT_OFF if was_cut_off else END_UNKNOWN
    entries: list[Entry] = []
    for it in kept:
        if it.job.state is JobState.QUEUED and was_cut_off:
            entries.append(_changed(shop, it, JobState.HELD, TO_BE_LOOKED_AT))
        elif not it.job.state.is_final and it.job.state not in WAITING:
            entries += _interrupted(shop, it, await _past(shop, it.job.id), why)
    return entries


async def _past(shop: Shop, job: str) -> Past:
    """All that is on record of a job, however much that is."""
    past, after = Past(), 0
    while rows := await shop.book.log(job, after, ROWS_AT_ONCE):
        past.add(rows)
        after = rows[-1]["row"]
    return past


def _interrupted(shop: Shop, kept: Kept, past: Past, why: str) -> Iterable[Entry]:
    """It has ended, and nobody knows how the steps did that were under way."""
    job = kept.job
    job.measures.extend(past.measures)
    job.log.extend(past.log)
    job.answers.extend(past.answers)
    job.progress.begun, job.progress.ended = past.begun, past.ended
    for measure in past.measures:
        job.judged(measure.verdict)
    for key, place in past.under_way:
        data = {"key": key, "place": place, "phase": "unknown"}
        yield Entry(job=job.id, time=shop.clock.utc(), kind="step", data=data, recipe=job.recipe)
    job.ended = shop.clock.utc()
    yield _changed(shop, kept, JobState.INTERRUPTED, why)


def _changed(shop: Shop, kept: Kept, state: JobState, why: str) -> Entry:
    job, was = kept.job, kept.job.state
    job.comes_to(state, why, None)
    return Entry(
        job=job.id,
        time=shop.clock.utc(),
        kind="state",
        data={"state": str(state), "was": str(was), "why": why},
        recipe=job.recipe,
        whole=remembered(job),
    )


__all__ = ["Mark", "hold_form", "leave", "take_over"]
