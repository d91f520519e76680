"""The stops of all devices: what is under way, and how the last one of each has ended.

A stop is a task of the station, made to its end whoever goes away. Who asks for one gets an answer
within a second all the same: what is not confirmed by then is named as still being tried.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Coroutine
from dataclasses import dataclass
from typing import Any, Final

from agent.clock import Clock
from agent.fleet.samples import Cause, Outcome, Status
from agent.languages.message import Message

ANSWERED_WITHIN_S: Final = 0.8
"""After which a stop that has not ended is answered: a second, less the way to whoever asked."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LastStop:
    """The last stop of a device: when it was asked for and when one ended (seconds UTC), and how."""

    is_trying: bool = False
    asked: float | None = None
    ended: float | None = None
    outcome: Outcome | None = None


NEVER: Final = LastStop()


class Stops:
    """What is being stopped. Of each device the last stop is kept, and no more."""

    def __init__(self, tasks: asyncio.TaskGroup, clock: Clock) -> None:
        self._tasks, self._clock = tasks, clock
        self._under_way: dict[asyncio.Task[Outcome], str] = {}
        self._asked: dict[str, float] = {}
        self._ended: dict[str, tuple[float, Outcome]] = {}
        self._due: Counter[str] = Counter()

    @property
    def under_way(self) -> Collection[asyncio.Task[Outcome]]:
        """Those that have not ended yet."""
        return frozenset(self._under_way)

    async def through(
        self, device: str, stop: Callable[[], Coroutine[Any, Any, Outcome]]
    ) -> Outcome:
        """Have a device stopped. A caller who goes away hastens nothing."""
        self._due[device] += 1
        task = self._tasks.create_task(self._begun(device, stop), name=f"{device}.stop.asked")
        self._under_way[task] = device
        self._asked[device] = self._clock.utc()
        task.add_done_callback(self._over)
        await asyncio.wait([task])
        return task.result()

    def is_due(self, device: str) -> bool:
        """Whether a stop is asked for that has not reached the device yet."""
        return self._due[device] > 0

    async def end_of(self, device: str, within: float | None = None) -> None:
        """Wait for the stops of a device that are under way, for so many seconds at most."""
        if stops := [task for task, name in self._under_way.items() if name == device]:
            await asyncio.wait(stops, timeout=within)

    def last(self, device: str) -> LastStop:
        """How the last stop of a device stands; NEVER where there was none since the agent began."""
        if device not in self._asked:
            return NEVER
        ended, outcome = self._ended.get(device, (None, None))
        return LastStop(
            is_trying=device in self._under_way.values(),
            asked=self._asked[device],
            ended=ended,
            outcome=outcome,
        )

    async def _begun(
        self, device: str, stop: Callable[[], Coroutine[Any, Any, Outcome]]
    ) -> Outcome:
        self._due[device] -= 1
        return await stop()

    def _over(self, task: asyncio.Task[Outcome]) -> None:
        device = self._under_way.pop(task)
        if not task.cancelled() and task.exception() is None:
            self._ended[device] = self._clock.utc(), task.result()


def still_trying(device: str) -> Outcome:
    """The outcome so far of a stop that takes longer than its answer may."""
    text = Message(
        "{device} is not confirmed safe after {answered_within_s:g} s and is still "
        "being tried; an event will tell how that ended",
        device=device,
        answered_within_s=ANSWERED_WITHIN_S,
    )
    return Outcome(status=Status.UNKNOWN, message=text, cause=Cause.STILL_TRYING)
