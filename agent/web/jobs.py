"""Jobs: submitted, listed, stopped, paused; and the questions that they ask people."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path

from agent.errors import (
    AgentError,
    ConfigError,
    KeyConflict,
    NoSuchThing,
    NotAllowed,
    NotNow,
    Refused,
)
from agent.jobs.jobs import Jobs
from agent.jobs.recipes.library import head_of
from agent.jobs.recipes.wrong_arguments import WrongArguments
from agent.languages.catalogues import all_in_language as said
from agent.languages.message import Message
from agent.public import job_form, question_form, recipe_form, whole_job_form
from agent.web import job_examples as examples
from agent.web import job_forms as forms
from agent.web import paging
from agent.web.actions import ANY_BODY, STOP_TROUBLE, unsafe_problem
from agent.web.keys import TheKey
from agent.web.problems import Problem, worst
from agent.web.routes import (
    AT_THE_DOOR,
    AT_THE_DOOR_TO_CHANGES,
    WITH_TOKEN,
    TheActor,
    TheLanguage,
    TheStation,
    answers,
)

KINDS: Final[tuple[tuple[type[AgentError], str], ...]] = (
    (NoSuchThing, "no-such"),
    (NotAllowed, "not-allowed"),
    (NotNow, "refused"),
    (KeyConflict, "key-conflict"),
    (ConfigError, "bad-value"),
    (Refused, "bad-value"),
    (AgentError, "not-kept"),
)
"""The problem of each error, the first that fits."""
TO_CHANGE: Final = (*AT_THE_DOOR_TO_CHANGES, "no-token", "not-allowed", "no-such", "refused")

job_views = APIRouter(prefix="/api/v1")
job_changes = APIRouter(prefix="/api/v1", dependencies=[WITH_TOKEN])
job_stops = APIRouter(prefix="/api/v1")


async def _jobs(station: TheStation) -> Jobs:
    if station.jobs is None:
        raise Problem("no-such", Message("no jobs are run here"))
    return station.jobs


TheJobs = Annotated[Jobs, Depends(_jobs)]
JobId = Annotated[str, Path(description="A job.", examples=["20261122-091500-1"])]


@contextmanager
def as_problems() -> Iterator[None]:
    """Turn what jobs refuse or fail at into the problem that says so."""
    try:
        yield
    except AgentError as error:
        kind = next(kind for its, kind in KINDS if isinstance(error, its))
        problems = error.problems if isinstance(error, ConfigError) else ()
        text = "; ".join(map(str, problems)) or str(error)
        by_name = error.by_name if isinstance(error, WrongArguments) else {}
        parts = [{"where": f"body.arguments.{it}", "text": said} for it, said in by_name.items()]
        more: dict[str, Any] = {"errors": parts} if parts else {}
        raise Problem(kind, text, **more) from None


@job_views.get(
    "/recipes",
    summary="All recipes",
    responses=answers({"recipes": [examples.RECIPE], "problems": []}, *AT_THE_DOOR, "no-such"),
    response_model=forms.RecipesForm,
)
async def recipes(jobs: TheJobs, language: TheLanguage) -> dict[str, Any]:
    """What each recipe takes, and what is wrong with those that can't be read."""
    library = await jobs.library()
    return said(
        {
            "recipes": [recipe_form(head_of(entry)) for entry in library.recipes.values()],
            "problems": [str(problem) for problem in library.problems],
        },
        language,
    )


@job_views.get(
    "/jobs",
    summary="All jobs",
    responses=answers({"jobs": [examples.JOB], "next": None}, *AT_THE_DOOR, "no-such", "bad-value"),
    response_model=forms.JobsForm,
)
async def listing(
    jobs: TheJobs,
    language: TheLanguage,
    cursor: paging.Cursor = "",
    limit: paging.Limit = None,
) -> dict[str, Any]:
    """Those that wait and run, and the last 200 of those that have ended."""
    shown, following = paging.page_of(jobs.listing, lambda job: job.id, cursor, limit)
    return {"jobs": said([job_form(job) for job in shown], language), "next": following}


@job_views.get(
    "/jobs/{job}",
    summary="One job",
    responses=answers(examples.WHOLE_JOB, *AT_THE_DOOR, "no-such"),
    response_model=forms.WholeJobForm,
)
async def one(job: JobId, jobs: TheJobs, language: TheLanguage) -> dict[str, Any]:
    """How far it is, what it measured and said, and how it ended.

    A job that is ending just now is shown once its devices are free.
    """
    with as_problems():
        found = jobs.get(job)
        if found.state.is_final:
            found = await jobs.until_over(job)
        return said(whole_job_form(found), language)


@job_changes.post(
    "/jobs",
    summary="Start a job",
    responses=answers(examples.WHOLE_JOB, *TO_CHANGE, "key-conflict", "bad-value", "not-kept"),
    response_model=forms.WholeJobForm,
)
async def submit(
    body: forms.NewJob, jobs: TheJobs, actor: TheActor, language: TheLanguage, key: TheKey = ""
) -> dict[str, Any]:
    """Check the recipe, and queue it: it begins when all its devices are free.

    The answer comes when it is on the disk. Of several copies, each a job, it has the first. The
    same `Idempotency-Key` with the same body gives the job that it gave before, as long as that one
    is listed; after that it is refused as `key-conflict`, and begins nothing.
    """
    with as_problems():
        job = await jobs.submit(
            body.recipe,
            body.arguments,
            body.devices,
            actor,
            held=body.held,
            key=key,
            priority=body.priority,
            copies=body.copies,
            not_before=_moment(body.not_before),
        )
        return said(whole_job_form(job), language)


def _moment(text: str | None) -> float | None:
    """Seconds UTC of a time with its zone. Raises Problem."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment.timestamp()
    except (ValueError, OverflowError):
        pass
    said = f"not_before: {text!a} is not a time with its zone, such as 2026-11-28T22:00+09:00"
    raise Problem("bad-value", said, errors=[{"where": "body.not_before", "text": said}])


@job_stops.post(
    "/jobs/{job}/stop",
    summary="Stop a job",
    openapi_extra=ANY_BODY,
    responses=answers(
        examples.WHOLE_JOB,
        *(*AT_THE_DOOR_TO_CHANGES, "no-such", "refused", "not-kept", *STOP_TROUBLE),
    ),
    response_model=forms.WholeJobForm,
)
async def stop(job: JobId, jobs: TheJobs, actor: TheActor, language: TheLanguage) -> dict[str, Any]:
    """Stop all its devices at once. A problem unless every one was confirmed safe; `devices` has each.

    The answer comes within a second; `trying` names the devices that are still being stopped. What
    follows in the job goes on: when it has ended, its `safe` says of each device how that ended.
    Needs no role and no token, and looks at no body.
    """
    with as_problems():
        stopped = await jobs.stop(job, actor)
    its = stopped.job
    if worst(stopped.devices.values()):
        raise unsafe_problem(stopped.devices, job=its.id, state=its.state)
    return said(whole_job_form(its), language)


@job_changes.post(
    "/jobs/{job}/pause",
    summary="Pause a job",
    openapi_extra=ANY_BODY,
    responses=answers(examples.WHOLE_JOB, *TO_CHANGE),
    response_model=forms.WholeJobForm,
)
async def pause(
    job: JobId, jobs: TheJobs, actor: TheActor, language: TheLanguage
) -> dict[str, Any]:
    """Let it rest at the next step, in a wait or in a print."""
    with as_problems():
        return said(whole_job_form(await jobs.pause(job, actor)), language)


@job_changes.post(
    "/jobs/{job}/resume",
    summary="Resume a job",
    openapi_extra=ANY_BODY,
    responses=answers(examples.WHOLE_JOB, *TO_CHANGE),
    response_model=forms.WholeJobForm,
)
async def resume(
    job: JobId, jobs: TheJobs, actor: TheActor, language: TheLanguage
) -> dict[str, Any]:
    """Let it go on after a pause."""
    with as_problems():
        return said(whole_job_form(await jobs.resume(job, actor)), language)


@job_changes.post(
    "/jobs/{job}/hold",
    summary="Hold a job that waits",
    openapi_extra=ANY_BODY,
    responses=answers(examples.WHOLE_JOB, *TO_CHANGE),
    response_model=forms.WholeJobForm,
)
async def hold(job: JobId, jobs: TheJobs, actor: TheActor, language: TheLanguage) -> dict[str, Any]:
    """Keep it from beginning; others pass it."""
    with as_problems():
        return said(whole_job_form(await jobs.hold(job, actor)), language)


@job_changes.post(
    "/jobs/{job}/release",
    summary="Release a held job",
    openapi_extra=ANY_BODY,
    responses=answers(examples.WHOLE_JOB, *TO_CHANGE),
    response_model=forms.WholeJobForm,
)
async def release(
    job: JobId, jobs: TheJobs, actor: TheActor, language: TheLanguage
) -> dict[str, Any]:
    """Let it begin when it is its turn."""
    with as_problems():
        return said(whole_job_form(await jobs.release(job, actor)), language)


@job_views.get(
    "/questions",
    summary="Questions to people",
    responses=answers({"questions": [examples.QUESTION]}, *AT_THE_DOOR, "no-such"),
    response_model=forms.QuestionsForm,
)
async def questions(jobs: TheJobs, language: TheLanguage) -> dict[str, Any]:
    """What jobs wait to be told, the oldest question first."""
    return said({"questions": [question_form(it) for it in jobs.questions]}, language)


@job_changes.post(
    "/questions/{question}/answer",
    summary="Answer a question",
    responses=answers(examples.QUESTION, *TO_CHANGE, "bad-value"),
    response_model=forms.QuestionForm,
)
async def answer(
    question: Annotated[str, Path(description="A question.", examples=["20261122-091500-1.q1"])],
    body: forms.NewAnswer,
    jobs: TheJobs,
    actor: TheActor,
    language: TheLanguage,
) -> dict[str, Any]:
    """Answer it once, under your name. What does not fit is refused, and the question stays."""
    with as_problems():
        return said(question_form(await jobs.answer(question, body.value, actor)), language)
