"""All devices of the station: their workers, started and retired one by one."""

import asyncio
import logging
from collections.abc import Mapping
from random import Random
from types import MappingProxyType
from typing import Final

from agent.clock import Clock
from agent.fleet.board import Board
from agent.fleet.device import DeviceWorker
from agent.fleet.events import EventLog
from agent.fleet.flight import Flight
from agent.fleet.plan import OpenDriver, Plan

SHUT_DOWN_WITHIN_S: Final = 2.5
"""To make a device safe. Web and broker need a second each, and the end may take five in all."""
END_WITHIN_S: Final = 3.0
"""For all devices to be ended; an exchange that is under way is not cut, and may take longer."""

log = logging.getLogger("labkeeper")


class Fleet:
    """The workers by device name. Workers run in `tasks` and are owned by it."""

    def __init__(
        self,
        tasks: asyncio.TaskGroup,
        open_driver: OpenDriver,
        *,
        clock: Clock,
        rng: Random,
        board: Board,
        events: EventLog,
        flight: Flight | None = None,
    ) -> None:
        self._group, self._flight = tasks, flight
        self._open_driver = open_driver
        self._clock, self._rng, self._board, self._events = clock, rng, board, events
        self._workers: dict[str, DeviceWorker] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._ending: dict[str, asyncio.Task[bool]] = {}

    @property
    def workers(self) -> Mapping[str, DeviceWorker]:
        """The workers by device name, as they are now."""
        return MappingProxyType(self._workers)

    def start(self, plan: Plan) -> None:
        """Begin to own a device."""
        worker = DeviceWorker(
            plan,
            self._open_driver,
            clock=self._clock,
            rng=self._rng,
            board=self._board,
            events=self._events,
            flight=self._flight,
        )
        self._workers[plan.name] = worker
        self._tasks[plan.name] = self._group.create_task(worker.run(), name=f"{plan.name}.worker")

    async def retire(self, name: str) -> None:
        """Make a device safe where configured, end its worker, and take it off the board.

        Until then it can be stopped. A caller who is cancelled does not hasten it.
        """
        await asyncio.shield(self._end_of(name))
        del self._workers[name], self._tasks[name], self._ending[name]
        self._board.remove(name)

    def _end_of(self, name: str, *, in_order: bool = True) -> asyncio.Task[bool]:
        """The one task that ends this device, and says whether it is as it should be left."""
        if name not in self._ending:
            ending = _shut_down(self._workers[name], self._tasks[name], in_order=in_order)
            self._ending[name] = self._group.create_task(ending, name=f"{name}.end")
        return self._ending[name]

    async def first_round(self) -> None:
        """Wait until every device has been tried once, well or not."""
        for worker in tuple(self._workers.values()):
            await asyncio.shield(worker.tried)

    async def end(self, *, in_order: bool = True) -> frozenset[str]:
        """Make safe what is to be, all at once, and end every worker, or give up waiting.

        Without order, as when the disk has failed, that is also what nothing else covers. Return
        the devices that should be safe and are not confirmed to be.
        """
        ending = {name: self._end_of(name, in_order=in_order) for name in self._workers}
        if ending:
            await asyncio.wait(ending.values(), timeout=END_WITHIN_S)
        return frozenset(
            name
            for name, task in ending.items()
            if not (task.done() and task.result())
            and self._workers[name].plan.is_made_safe(in_order=in_order)
        )


async def _shut_down(worker: DeviceWorker, task: asyncio.Task[None], *, in_order: bool) -> bool:
    is_safe = False
    try:
        async with asyncio.timeout(SHUT_DOWN_WITHIN_S):
            await worker.shut_down(in_order=in_order)
        is_safe = True
    except TimeoutError:
        worker.gave_up_shutting_down()
    except Exception:  # a defect with one device must not keep the others from being made safe
        log.exception("ending %s", worker.plan.name)
        worker.gave_up_shutting_down()
    finally:
        task.cancel()
    await asyncio.wait([task])
    return is_safe
