"""The JSON of the queue, of a job's place in it, and of what is on record of a job."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from agent.web import job_examples as examples
from agent.web.forms import Moment, config
from agent.web.job_forms import JobForm


class HeldForm(BaseModel):
    """Who keeps every job from beginning, since when, and why."""

    model_config = config(examples.HELD)

    by: str
    origin: str
    since: Moment
    reason: str


class QueueForm(BaseModel):
    """The jobs that wait, in the order in which they have their turn."""

    model_config = config(examples.QUEUE)

    held: HeldForm | None
    jobs: list[JobForm]


class NewHold(BaseModel):
    """Why no job is to begin."""

    model_config = config({"reason": "the lab is being cleaned"})

    reason: Annotated[str, Field(strict=True, max_length=500)] = ""


class NewPlace(BaseModel):
    """Where in the queue a job is to stand."""

    model_config = config({"to": "before", "other": "20261122-091500-1"})

    to: Literal["first", "last", "before"]
    other: Annotated[
        str, Field(strict=True, max_length=64, description="The job before which it stands.")
    ] = ""


class EntryForm(BaseModel):
    """One thing that is on record of a job; `data` is what its kind has."""

    model_config = config(examples.LOGGED)

    row: Annotated[int, Field(description="Its row of the ledger.")]
    time: Moment
    what: str
    by: str
    origin: str
    data: dict[str, Any]


class LogForm(BaseModel):
    """What is on record of a job, the oldest first."""

    model_config = config({"entries": [examples.LOGGED]})

    entries: list[EntryForm]
