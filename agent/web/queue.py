"""The queue: listed, held as a whole, put in another order; and what is on record of a job."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query

from agent.jobs.turns import Hold
from agent.languages.catalogues import all_in_language as said
from agent.public import job_form, utc_text, whole_job_form
from agent.web import job_examples as examples
from agent.web import job_forms, queue_forms
from agent.web.actions import ANY_BODY
from agent.web.jobs import TO_CHANGE, JobId, TheJobs, as_problems
from agent.web.routes import AT_THE_DOOR, WITH_TOKEN, TheActor, TheLanguage, answers

queue_views = APIRouter(prefix="/api/v1")
queue_changes = APIRouter(prefix="/api/v1", dependencies=[WITH_TOKEN])


def _held_form(hold: Hold | None) -> dict[str, Any] | None:
    return {**asdict(hold), "since": utc_text(hold.since)} if hold else None


@queue_views.get(
    "/queue",
    summary="The queue",
    responses=answers(examples.QUEUE, *AT_THE_DOOR, "no-such"),
    response_model=queue_forms.QueueForm,
)
async def queue(jobs: TheJobs, language: TheLanguage) -> dict[str, Any]:
    """The jobs that wait, in the order in which they have their turn, and who holds them all."""
    return {
        "held": _held_form(jobs.held),
        "jobs": said([job_form(job) for job in jobs.queue], language),
    }


@queue_changes.post(
    "/queue/hold",
    summary="Hold the queue",
    responses=answers(
        {**examples.QUEUE, "held": examples.HELD}, *TO_CHANGE, "bad-value", "not-kept"
    ),
    response_model=queue_forms.QueueForm,
)
async def hold_queue(
    body: queue_forms.NewHold, jobs: TheJobs, actor: TheActor, language: TheLanguage
) -> dict[str, Any]:
    """Let no job begin until the queue is released, also after a restart. What runs goes on."""
    with as_problems():
        await jobs.hold_all(actor, body.reason)
    return await queue(jobs, language)


@queue_changes.post(
    "/queue/release",
    summary="Release the queue",
    openapi_extra=ANY_BODY,
    responses=answers(examples.QUEUE, *TO_CHANGE, "not-kept"),
    response_model=queue_forms.QueueForm,
)
async def release_queue(jobs: TheJobs, actor: TheActor, language: TheLanguage) -> dict[str, Any]:
    """Let jobs begin again. One that is held by itself stays so."""
    with as_problems():
        await jobs.release_all(actor)
    return await queue(jobs, language)


@queue_changes.post(
    "/jobs/{job}/move",
    summary="Give a job that waits another place",
    responses=answers(examples.WHOLE_JOB, *TO_CHANGE, "bad-value", "not-kept"),
    response_model=job_forms.WholeJobForm,
)
async def move(
    job: JobId, body: queue_forms.NewPlace, jobs: TheJobs, actor: TheActor, language: TheLanguage
) -> dict[str, Any]:
    """Put it first, last or before another one. It takes the priority of those beside it."""
    with as_problems():
        return said(whole_job_form(await jobs.move(job, body.to, actor, body.other)), language)


@queue_views.get(
    "/jobs/{job}/log",
    summary="What is on record of a job",
    responses=answers(
        {"entries": [examples.LOGGED]}, *AT_THE_DOOR, "no-such", "bad-value", "not-kept"
    ),
    response_model=queue_forms.LogForm,
)
async def job_log(
    job: JobId,
    jobs: TheJobs,
    language: TheLanguage,
    after: Annotated[int, Query(ge=0, lt=2**53, description="Only rows after this one.")] = 0,
    most: Annotated[int, Query(ge=1, le=1000, description="How many at once.")] = 500,
) -> dict[str, Any]:
    """Its states, steps, values, lines, questions and answers, from the ledger, the oldest first."""
    with as_problems():
        rows = await jobs.log(job, after, most)
    return said({"entries": [{**row, "time": utc_text(row["time"])} for row in rows]}, language)
