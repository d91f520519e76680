"""What a request has done to jobs. Its id is the key of the job: the same twice is one job."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

from agent.errors import AgentError, ConfigError, Refused
from agent.fleet.samples import Outcome, Status
from agent.jobs.job import Job, StoppedJob
from agent.jobs.jobs import Jobs
from agent.mqtt.deeds import Deed, Done
from agent.mqtt.request import BadRequest, Request
from agent.roles import Actor
from agent.safety.everything import said_of, states_of
from agent.station import Station

T = TypeVar("T")
Act = Callable[[Jobs, Request, Actor], Awaitable[Job]]
"""Does what is asked, and returns the job that it was done to. Raises AgentError."""


def job_deeds(station: Station) -> dict[str, Deed]:
    """What can be done with the jobs of a station."""

    def jobs_here() -> Jobs:
        if station.jobs is None:
            raise BadRequest("no jobs are run here")
        return station.jobs

    def of(act: Act) -> Deed:
        async def deed(request: Request, actor: Actor) -> Done:
            return await _done(act(jobs_here(), request, actor), _standing), {}

        return deed

    async def stop(request: Request, actor: Actor) -> Done:
        return await _done(jobs_here().stop(request.job, actor), _stopped), {}

    return {
        "job.start": of(_start),
        "job.stop": stop,
        "job.pause": of(lambda jobs, asked, actor: jobs.pause(asked.job, actor)),
        "job.resume": of(lambda jobs, asked, actor: jobs.resume(asked.job, actor)),
        "job.hold": of(lambda jobs, asked, actor: jobs.hold(asked.job, actor)),
        "job.release": of(lambda jobs, asked, actor: jobs.release(asked.job, actor)),
        "job.answer": of(_answer),
    }


async def _start(jobs: Jobs, asked: Request, actor: Actor) -> Job:
    return await jobs.submit(
        asked.recipe,
        asked.arguments,
        asked.devices,
        actor,
        held=asked.held,
        key=asked.id,
        priority=asked.priority,
        copies=asked.copies,
        not_before=asked.not_before,
    )


async def _answer(jobs: Jobs, asked: Request, actor: Actor) -> Job:
    question = await jobs.answer(asked.question, asked.value, actor)
    return jobs.get(question.job)


async def _done(deed: Awaitable[T], as_outcome: Callable[[T], Outcome]) -> Outcome:
    """How it ended. A refusal says why; what could not be kept on the disk has failed."""
    try:
        found = await deed
    except ConfigError as error:
        raise BadRequest("; ".join(map(str, error.problems))) from None
    except Refused as error:
        raise BadRequest(str(error)) from None
    except AgentError as error:
        return Outcome(status=Status.FAILED, message=str(error))
    return as_outcome(found)


def _standing(job: Job) -> Outcome:
    return Outcome(status=Status.DONE, value={"job": job.id, "state": str(job.state)})


def _stopped(stopped: StoppedJob) -> Outcome:
    """Done where every device is confirmed safe; else the worst of them, with those that are not."""
    value = {"job": stopped.job.id, "state": str(stopped.job.state)}
    if not stopped.devices:
        return Outcome(status=Status.DONE, value=value)
    its = said_of(stopped.devices)
    return replace(its, value={**value, "devices": states_of(stopped.devices)})
