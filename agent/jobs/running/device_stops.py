"""The stops of a job's devices: each is begun at once, and the job says of each how it stands."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from functools import partial
from typing import Any

from agent.fleet.samples import Cause, Outcome, Status
from agent.jobs.running.frame import Means
from agent.languages.message import Message


class DeviceStops:
    """What is being stopped for one job. `job.safe` has every device from the moment of its stop."""

    def __init__(self, means: Means) -> None:
        self._job, self._hands, self._tasks = means.job, means.hands, means.tasks
        self._under_way: set[asyncio.Task[Outcome]] = set()

    def begin(self, asked_by_others: str = "") -> None:
        """Stop every device of the job. This itself waits for nothing.

        A device that somebody else is just stopping, as the one `asked_by_others` or by a stop of
        everything, is not stopped twice: the end of that stop is waited for.
        """
        self._job.safe = {}
        for name in sorted(self._job.claimed):
            if name == asked_by_others or self._hands.is_stop_due(name):
                self._follow(name, self._hands.end_of_stops(name))
            else:
                self._follow(name, self._hands.stop(name))

    async def ended(self, within: float | None = None) -> None:
        """Wait until each that was begun has ended, for so many seconds at most."""
        if self._under_way:
            await asyncio.wait(set(self._under_way), timeout=within)

    def give_up(self) -> None:
        """The agent ends: what is not confirmed by now is not waited for any more."""
        for device, outcome in self._job.safe.items():
            if outcome.cause is Cause.STILL_TRYING:
                text = Message(
                    "{device}: the agent ended before its stop did: look at it", device=device
                )
                self._job.safe[device] = replace(outcome, message=text, cause=None)

    def _follow(self, device: str, stopping: Coroutine[Any, Any, Outcome]) -> None:
        self._job.safe[device] = _being_stopped(device)
        task = self._tasks.create_task(stopping, name=f"{self._job.id}.stop.{device}")
        self._under_way.add(task)
        task.add_done_callback(partial(self._over, device))

    def _over(self, device: str, task: asyncio.Task[Outcome]) -> None:
        self._under_way.discard(task)
        if not task.cancelled() and task.exception() is None:
            self._job.safe[device] = task.result()


def _being_stopped(device: str) -> Outcome:
    text = Message(
        "{device} is not confirmed safe yet and is still being tried; an event will tell how that "
        "ended",
        device=device,
    )
    return Outcome(status=Status.UNKNOWN, message=text, cause=Cause.STILL_TRYING)
