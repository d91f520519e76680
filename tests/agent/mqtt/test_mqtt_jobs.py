"""Jobs over MQTT, with a station in memory: asked for once, told of when they change, and bounded."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from agent.clock import SystemClock
from agent.jobs.states import JobState
from agent.mqtt.inbox import Inbox, Letter
from agent.mqtt.job_announcements import ENDED, JobAnnouncements
from agent.mqtt.outbox import Message, Outbox
from agent.mqtt.topics import Topics
from agent.public import utc_text
from drivers import Role
from tests.agent.jobs_bench import LEE, JobsBench, jobs_in_memory, toys

pytestmark = pytest.mark.usefixtures(toys.__name__)
__all__ = ["toys"]

TOPICS = Topics("bench-1")


class Desk:
    """Asks for jobs, and hears what is said of them."""

    def __init__(self, bench: JobsBench, role: Role, interval: float) -> None:
        self.bench = bench
        station = bench.station.station
        self.inbox = Inbox(station, TOPICS, role)
        self.outbox = Outbox()
        self.announcements = JobAnnouncements(station, bench.jobs, TOPICS, self.outbox, interval)
        self.heard: list[Message] = []

    async def ask(self, verb: str, *, id: str = "r1", within: float = 30.0, **body: Any) -> Any:  # noqa: A002
        """Send a request and return its answer."""
        whole = {"id": id, "not_after": utc_text(SystemClock().utc() + within)} | body
        letter = Letter(verb=verb, payload=json.dumps(whole).encode())
        reply = await self.inbox.answer(letter)
        assert reply is not None
        return json.loads(reply.payload)

    async def listen(self) -> None:
        """Take what is said, as a broker does."""

        async def publish(message: Message) -> None:
            self.heard.append(message)

        await self.outbox.deliver(publish)

    def said(self, job: str) -> list[Any]:
        """What was said of a job, in order; None where it was cleared."""
        topic = TOPICS.job(job)
        found = [it.payload for it in self.heard if it.topic == topic]
        return [json.loads(it) if it else None for it in found]

    async def until_said(self, job: str, state: JobState) -> Any:
        """Wait until a job is said to be in this state."""
        await self.bench.until(
            lambda: (said := self.said(job)) and said[-1] and said[-1]["state"] == state
        )
        return self.said(job)[-1]


@asynccontextmanager
async def desk(
    folder: Path, *, role: Role = Role.ENGINEER, interval: float = 0.05
) -> AsyncIterator[Desk]:
    async with jobs_in_memory(folder) as bench, asyncio.TaskGroup() as tasks:
        at = Desk(bench, role, interval)
        running = [
            tasks.create_task(at.listen(), name="listen"),
            tasks.create_task(at.announcements.follow(), name="follow"),
        ]
        await asyncio.sleep(0)
        yield at
        for task in running:
            task.cancel()


async def test_a_job_is_started_once_by_its_id_and_followed_to_its_end(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        head = "parameters: {level: {type: number, unit: V, low: 0, high: 8}}\n"
        at.bench.write("- set: {supply.voltage: =level}", head=head)
        asked: dict[str, Any] = {"recipe": "trial", "arguments": {"level": 3}, "by": "line-3"}
        begun = await at.ask("job.start", **asked)
        again = await at.ask("job.start", **asked)
        assert begun["status"] == "done"
        assert again == begun
        job = begun["value"]["job"]
        ended = await at.until_said(job, JobState.DONE)
        assert (ended["by"], ended["origin"], ended["recipe"]) == ("line-3", "mqtt", "trial")
        assert ended["steps"] == {"begun": 1, "ended": 1}
        assert len(at.bench.jobs.listing) == 1
        assert at.bench.sent() == ["volt 3"]


async def test_a_job_is_paused_goes_on_answers_and_is_stopped(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        at.bench.write("- confirm: Is the door shut?\n- wait: 60")
        job = (await at.ask("job.start", recipe="trial"))["value"]["job"]
        await at.bench.until(lambda: (said := at.said(job)) and said[-1]["questions"])
        [question] = at.said(job)[-1]["questions"]
        assert question["texts"]["en"] == "Is the door shut?"
        wrong = await at.ask("job.answer", id="a0", question=question["question"], value="perhaps")
        assert (wrong["status"], "neither true nor false" in wrong["message"]) == ("refused", True)
        answered = await at.ask("job.answer", id="a1", question=question["question"], value=True)
        assert (answered["status"], answered["value"]["job"]) == ("done", job)
        await at.bench.until_at(at.bench.jobs.get(job), "steps.1")
        assert (await at.ask("job.pause", id="a2", job=job))["status"] == "done"
        await at.until_said(job, JobState.PAUSED)
        assert (await at.ask("job.resume", id="a3", job=job))["value"]["state"] == "running"
        assert (await at.ask("job.stop", id="a4", job=job))["status"] == "done"
        assert (await at.until_said(job, JobState.STOPPED))["questions"] == []


async def test_a_job_that_waits_is_held_and_released(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        at.bench.write("- log: hello")
        job = (await at.ask("job.start", recipe="trial", held=True))["value"]["job"]
        assert (await at.until_said(job, JobState.HELD))["began"] is None
        await at.ask("job.release", id="r2", job=job)
        await at.until_said(job, JobState.DONE)


async def test_the_id_of_a_request_is_the_key_of_its_job_also_when_its_answer_is_forgotten(
    tmp_path: Path,
) -> None:
    async with desk(tmp_path) as at:
        at.bench.write("- wait: 60")
        begun = await at.ask("job.start", recipe="trial", copies=2, priority=7)
        at.inbox = Inbox(at.bench.station.station, TOPICS, Role.ENGINEER)  # as after a restart
        again = await at.ask("job.start", recipe="trial", copies=2, priority=7)
        assert again["value"]["job"] == begun["value"]["job"]
        assert len(at.bench.jobs.listing) == 2
        at.inbox = Inbox(at.bench.station.station, TOPICS, Role.ENGINEER)
        other = await at.ask("job.start", recipe="trial", copies=3)
        assert other["status"] == "refused"


async def test_a_job_may_begin_later(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        at.bench.write("- wait: 60")
        moment = utc_text(SystemClock().utc() + 3600)
        job = (await at.ask("job.start", recipe="trial", not_before=moment))["value"]["job"]
        said = await at.until_said(job, JobState.QUEUED)
        assert said["not_before"] == moment


async def test_what_can_not_be_done_is_refused_with_a_reason_and_an_event(tmp_path: Path) -> None:
    async with desk(tmp_path, role=Role.OBSERVER) as at:
        at.bench.write("- wait: 60")
        cases: list[tuple[str, dict[str, Any], str]] = [
            ("job.start", {"recipe": "trial"}, "needs the role technician"),
            ("job.pause", {"job": "none"}, "there is no job none"),
            ("job.answer", {"question": "none.q1", "value": 1}, "needs the role technician"),
            ("job.stop", {"job": "none"}, "there is no job none"),
        ]
        for number, (verb, body, words) in enumerate(cases):
            refused = await at.ask(verb, id=str(number), **body)
            assert refused["status"] == "refused", verb
            assert words in refused["message"]
        assert at.inbox.refused == len(cases)
        events = [it for it in at.bench.station.events.kept if it.kind == "mqtt.refused"]
        assert len(events) == len(cases)


async def test_a_stop_of_a_job_needs_no_role_never_expires_and_goes_on_while_the_agent_ends(
    tmp_path: Path,
) -> None:
    async with desk(tmp_path, role=Role.OBSERVER) as at:
        at.bench.write("- set: {supply.output: true}\n- wait: 60")
        job = await at.bench.start(LEE)
        await at.bench.until_at(job, "steps.1")
        at.inbox.closed = True
        assert (await at.ask("job.stop", job=job.id, within=-3600))["status"] == "done"
        assert at.bench.station.simulators["psu1"].values["outp"] == 0.0
        await at.bench.over(job)
        assert job.state is JobState.STOPPED


async def test_a_stop_without_a_device_stops_every_device_and_says_how_each_ended(
    tmp_path: Path,
) -> None:
    async with desk(tmp_path, role=Role.OBSERVER) as at:
        at.bench.write("- set: {supply.output: true, other.output: true}\n- wait: 60")
        job = await at.bench.start(LEE)
        await at.bench.until_at(job, "steps.1")
        answer = await at.ask("stop", within=-3600)
        assert (answer["status"], answer["value"]) == ("done", {"psu1": "done", "psu2": "done"})
        at.bench.station.simulators["psu2"].unplugged = True
        answer = await at.ask("stop", id="r2")
        assert answer["status"] != "done"
        assert "not confirmed safe: psu2" in answer["message"]
        assert answer["value"]["psu1"] == "done"


async def test_progress_is_told_no_more_often_than_the_interval_and_states_at_once(
    tmp_path: Path,
) -> None:
    async with desk(tmp_path, interval=30.0) as at:
        steps = "- repeat: {times: 50}\n  steps: [{log: again}]"
        at.bench.write(f"{steps}\n- wait: 60")
        job = await at.bench.start()
        await at.bench.until_at(job, "steps.1")
        await at.until_said(job.id, JobState.RUNNING)
        await at.bench.jobs.stop(job.id, LEE)
        await at.until_said(job.id, JobState.STOPPED)
        assert len(at.said(job.id)) <= 4  # queued or running, stopping, stopped; none of 50 turns
        assert at.said(job.id)[-1]["steps"]["begun"] >= 50


async def test_the_broker_keeps_a_bounded_number_of_ended_jobs(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        at.bench.write("- log: hello")
        jobs = [await at.bench.start() for _ in range(ENDED + 3)]
        for job in jobs:
            await at.bench.over(job)
        await at.bench.until(lambda: at.said(jobs[2].id)[-1:] == [None])
        await at.until_said(jobs[-1].id, JobState.DONE)
        kept = [it.id for it in jobs if at.said(it.id)[-1] is not None]
        assert kept == [it.id for it in jobs[-ENDED:]]


async def test_what_the_broker_keeps_of_an_unknown_job_is_cleared(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        at.bench.write("- wait: 60")
        job = await at.bench.start()
        at.announcements.see_kept(TOPICS.job("20200101-000000-1"))
        at.announcements.see_kept(TOPICS.job(job.id))
        at.announcements.see_kept(TOPICS.status)
        await at.bench.until(lambda: at.said("20200101-000000-1") == [None])
        await at.until_said(job.id, JobState.RUNNING)
        assert None not in at.said(job.id)


async def test_the_last_word_before_the_end_waits_for_no_interval(tmp_path: Path) -> None:
    async with desk(tmp_path, interval=30.0) as at:
        at.bench.write("- log: hello\n- wait: 60")
        job = await at.bench.start()
        await at.bench.until_at(job, "steps.1")
        await at.until_said(job.id, JobState.RUNNING)
        at.announcements.catch_up()
        await at.bench.until(lambda: at.said(job.id)[-1]["steps"]["begun"] == 2)


async def test_with_a_new_broker_everything_is_said_again(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        at.bench.write("- wait: 60")
        job = await at.bench.start()
        await at.until_said(job.id, JobState.RUNNING)
        before = len(at.said(job.id))
        at.announcements.announce()
        await at.bench.until(lambda: len(at.said(job.id)) > before)
