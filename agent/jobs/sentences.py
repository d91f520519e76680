"""What the station's jobs refuse, and who did something to one, in sentences. Pure."""

from typing import Literal

from agent.errors import NoSuchThing, NotNow
from agent.jobs.states import JobState
from agent.languages.message import N_, Message
from agent.languages.words import term
from agent.roles import Actor


def no_job(job: str) -> NoSuchThing:
    """There is no job of this name."""
    text = Message("there is no job {job}; `labkeeper job list` shows those there are", job=job)
    return NoSuchThing(text)


def not_possible(what: str, state: JobState) -> NotNow:
    """A job is in a state in which `what` can't be done."""
    text = Message("{what} is not possible: it is {state}", what=what, state=term(state))
    return NotNow(text)


def over_already(job: str, state: JobState) -> NotNow:
    """A job can't be stopped, for it has ended."""
    return NotNow(Message("job {job} is {state} already", job=job, state=term(state)))


def stopped_before(actor: Actor) -> str:
    """Why a job never begins."""
    text = N_("stopped by {name} ({origin}) before it began")
    return Message(text, name=actor.name, origin=actor.origin)


def done_by(actor: Actor) -> str:
    """Who has done something."""
    return Message("by {name} ({origin})", name=actor.name, origin=actor.origin)


def unrecorded_stop(job: str, error: Exception) -> str:
    """A job that waits is stopped, and the disk has not taken that yet."""
    text = N_("job {job} is stopped and never begins, but not on record yet: {error}")
    return Message(text, job=job, error=str(error))


def queue_told(what: Literal["held", "released"], actor: Actor) -> str:
    """What somebody did with the whole queue."""
    by = done_by(actor)
    if what == "held":
        return Message("the queue is held {by}", by=by)
    return Message("the queue is released {by}", by=by)
