"""What a running job may do to devices. Every setting and command passes the gate, in its name."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from typing import Any, Final, Protocol

from agent.errors import UnknownDevice
from agent.fleet.board import Board
from agent.fleet.device import DeviceWorker
from agent.fleet.samples import Cause, Outcome, Sample, Status
from agent.languages.message import Message
from agent.roles import Actor
from agent.safety.gate import Gate

ENDED_WITHIN_S: Final = 3.0
"""How long a request may take to end after its device was stopped."""

log = logging.getLogger("labkeeper")


class Hands(Protocol):
    """The devices of one job."""

    async def set(self, device: str, name: str, value: object) -> Outcome:
        """Change a setting. A caller who is cancelled does not cut it short."""
        ...

    async def do(self, device: str, name: str, arguments: Mapping[str, object]) -> Outcome:
        """Run a command to its end. A caller who is cancelled does not cut it short."""
        ...

    async def read(self, device: str, names: tuple[str, ...]) -> Mapping[str, Sample]:
        """Read values from the device now. Raises LinkError and UnknownDevice."""
        ...

    def latest(self, device: str, name: str) -> Sample | None:
        """The latest sample of a reading; None where it has none."""
        ...

    def offers(self, device: str, command: str) -> bool:
        """Whether the device's driver has this command."""
        ...

    def longest(self, device: str, command: str) -> float:
        """How many seconds a command of the device may take, as its driver says. Raises UnknownDevice."""
        ...

    def unit(self, device: str, name: str) -> str:
        """The UCUM code of a reading's unit; empty where it has none."""
        ...

    async def stop(self, device: str) -> Outcome:
        """Stop the device and make it safe. Never raises."""
        ...

    def is_stop_due(self, device: str) -> bool:
        """Whether somebody has just asked for a stop of the device that is about to reach it."""
        ...

    async def end_of_stops(self, device: str) -> None:
        """Wait for the stops of the device that others have begun. Never raises."""
        ...

    async def end_unfinished(self) -> None:
        """Stop each device that still works on a request whose caller is gone."""
        ...

    def halt(self) -> None:
        """Refuse every setting and command from this moment, until `go_on`."""
        ...

    def go_on(self) -> None:
        """Allow settings and commands again."""
        ...


class StationHands:
    """The hands of a job on the station's own devices. Requests run in `tasks`."""

    def __init__(
        self,
        actor: Actor,
        gate: Gate,
        workers: Mapping[str, DeviceWorker],
        board: Board,
        tasks: asyncio.TaskGroup,
    ) -> None:
        self._actor, self._gate = actor, gate
        self._workers, self._board, self._tasks = workers, board, tasks
        self._under_way: dict[asyncio.Task[Outcome], str] = {}
        self._halted = False

    async def set(self, device: str, name: str, value: object) -> Outcome:
        if self._halted:
            return _halted(f"{device}.{name}")
        work = self._gate.set(self._actor, device, name, value)
        return await self._whole(device, f"{device}.{name}", work)

    async def do(self, device: str, name: str, arguments: Mapping[str, object]) -> Outcome:
        if self._halted:
            return _halted(f"{device}.{name}")
        work = self._gate.do(self._actor, device, name, arguments)
        return await self._whole(device, f"{device}.{name}", work)

    async def read(self, device: str, names: tuple[str, ...]) -> Mapping[str, Sample]:
        return await self._worker(device).read(names)

    def latest(self, device: str, name: str) -> Sample | None:
        snapshot = self._board.latest.get(device)
        return snapshot.samples.get(name) if snapshot else None

    def offers(self, device: str, command: str) -> bool:
        return command in self._worker(device).plan.driver_class.commands

    def longest(self, device: str, command: str) -> float:
        found = self._worker(device).plan.driver_class.commands.get(command)
        return found.timeout if found else 0.0

    def unit(self, device: str, name: str) -> str:
        readings = self._worker(device).plan.driver_class.readings
        return readings[name].form.unit if name in readings else ""

    async def stop(self, device: str) -> Outcome:
        return await _guarded(
            Message("stopping {device}", device=device), self._gate.stop(self._actor, device)
        )

    def is_stop_due(self, device: str) -> bool:
        return self._gate.is_stop_due(device)

    async def end_of_stops(self, device: str) -> None:
        await self._gate.end_of_stops(device)

    async def end_unfinished(self) -> None:
        devices = sorted(set(self._under_way.values()))
        await asyncio.gather(*(self.stop(device) for device in devices))
        if self._under_way:
            await asyncio.wait(set(self._under_way), timeout=ENDED_WITHIN_S)

    def halt(self) -> None:
        self._halted = True

    def go_on(self) -> None:
        self._halted = False

    def _worker(self, device: str) -> DeviceWorker:
        if device not in self._workers:
            raise UnknownDevice(
                Message("the station has no device {device} any more", device=device)
            )
        return self._workers[device]

    async def _whole(self, device: str, what: str, work: Coroutine[Any, Any, Outcome]) -> Outcome:
        """The outcome of a request, which goes on to its end and is told of in any case."""
        name = f"{self._actor.job}.{what}"
        task = self._tasks.create_task(_guarded(what, work), name=name)
        self._under_way[task] = device
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    def _ended(self, task: asyncio.Task[Outcome]) -> None:
        del self._under_way[task]


async def _guarded(what: str, work: Coroutine[Any, Any, Outcome]) -> Outcome:
    try:
        return await work
    except Exception as error:  # a defect of ours ends this request, not the agent
        log.exception("%s", what)
        return Outcome(
            status=Status.UNKNOWN,
            message=Message(
                "{what} ended with a defect of the agent, {error}; look at the device",
                what=what,
                error=repr(error),
            ),
        )


def _halted(what: str) -> Outcome:
    return Outcome(
        status=Status.REFUSED,
        message=Message("{what}: the job is being stopped", what=what),
        cause=Cause.BUSY,
    )
