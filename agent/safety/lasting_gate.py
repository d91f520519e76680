"""The door as a station has it: a stop goes on to its end, whoever asked for it and goes away."""

import asyncio
from collections.abc import Collection
from typing import Any

from agent.fleet.samples import Outcome
from agent.roles import Actor
from agent.safety.gate import Gate


class LastingGate(Gate):
    """A gate whose stops are tasks of the station, so that each is made and put on record."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self._stopping: set[asyncio.Task[Outcome]] = set()

    @property
    def stops_under_way(self) -> Collection[asyncio.Task[Outcome]]:
        """The stops that have not ended yet."""
        return frozenset(self._stopping)

    async def stop(self, actor: Actor, device: str) -> Outcome:
        """See Gate. A caller who is cancelled does not hasten it."""
        work = super().stop(actor, device)
        task = self._tasks.create_task(work, name=f"{device}.stop.asked")
        self._stopping.add(task)
        task.add_done_callback(self._stopping.discard)
        await asyncio.wait([task])
        return task.result()
