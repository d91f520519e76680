"""What a request has done to jobs. Its id is the key of the job: the same twice is one job."""

from collections.abc import Awaitable, Callable

from agent.errors import AgentError, ConfigError, Refused
from agent.fleet.samples import Outcome, Status
from agent.jobs.job import Job
from agent.jobs.jobs import Jobs
from agent.mqtt.deeds import Deed, Done
from agent.mqtt.request import BadRequest, Request
from agent.roles import Actor
from agent.station import Station

Act = Callable[[Jobs, Request, Actor], Awaitable[Job]]
"""Does what is asked, and returns the job that it was done to. Raises AgentError."""


def job_deeds(station: Station) -> dict[str, Deed]:
    """What can be done with the jobs of a station."""

    def of(act: Act) -> Deed:
        async def deed(request: Request, actor: Actor) -> Done:
            if station.jobs is None:
                raise BadRequest("no jobs are run here")
            return await _done(act(station.jobs, request, actor)), {}

        return deed

    return {
        "job.start": of(_start),
        "job.stop": of(lambda jobs, asked, actor: jobs.stop(asked.job, actor)),
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


async def _done(deed: Awaitable[Job]) -> Outcome:
    """How it ended. A refusal says why; what could not be kept on the disk has failed."""
    try:
        job = await deed
    except ConfigError as error:
        raise BadRequest("; ".join(map(str, error.problems))) from None
    except Refused as error:
        raise BadRequest(str(error)) from None
    except AgentError as error:
        return Outcome(status=Status.FAILED, message=str(error))
    return Outcome(status=Status.DONE, value={"job": job.id, "state": str(job.state)})
