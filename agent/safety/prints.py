"""Prints that no job begins: each marks its plate, and none begins on one that may not be clear.

A print of a job does so by its step, which asks the technician; here is what a person or a program
asks for directly, whichever way.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from agent.errors import AgentError
from agent.fleet.samples import Cause, Outcome, Status
from agent.languages.message import Message
from agent.roles import Actor
from agent.safety.passage import Asked, Work, refused
from drivers import Driver

Through = Callable[[Asked, Work], Coroutine[Any, Any, Outcome]]
PutDown = Callable[[Asked, str], None]
"""Records what was refused, and why. Waits for nothing."""

log = logging.getLogger("labkeeper")


class Plates(Protocol):
    """Who keeps which plates may not be clear."""

    def is_direct(self, device: str) -> bool:
        """Whether a print is under way on it that no job has begun."""
        ...

    async def begin(self, actor: Actor, device: str) -> str:
        """Mark a plate as taken; why not, "" when that is done. Raises AgentError: it is not kept."""
        ...

    async def end(self, actor: Actor, device: str, *, was_begun: bool) -> None:
        """The print has ended, or was not begun. Never raises."""
        ...


class Prints:
    """The way of a print to the passage of the gate. Without `plates` nobody keeps any."""

    def __init__(self, through: Through, put_down: PutDown, tasks: asyncio.TaskGroup) -> None:
        self._through, self._put_down, self._tasks = through, put_down, tasks
        self.plates: Plates | None = None

    async def through(self, asked: Asked, driver: type[Driver[Any]], work: Work) -> Outcome:
        """Have something done; where it is a print of no job, only on a plate that is clear."""
        if self.plates is None or asked.actor.job or not is_print(asked, driver):
            return await self._through(asked, work)
        marked = self._marked(self.plates, asked, work)
        task = self._tasks.create_task(marked, name=f"{asked.target}.plate")
        await asyncio.wait([task])  # a caller who goes away leaves no plate unmarked
        return task.result()

    async def _marked(self, plates: Plates, asked: Asked, work: Work) -> Outcome:
        try:
            if plates.is_direct(asked.device):
                return self._refused(asked, prints_already(asked.device), Cause.BUSY)
            if why := await plates.begin(asked.actor, asked.device):
                return self._refused(asked, why, Cause.PLATE_TAKEN)
        except AgentError as error:
            text = Message("{error}; nothing was sent", error=str(error))
            return Outcome(status=Status.FAILED, message=text, cause=Cause.NOT_RECORDED)
        except Exception as error:  # a task of the station, which must not end by it
            log.exception("marking the plate of %s", asked.device)
            text = Message(
                "{target} was not sent: a defect of the agent, {error}",
                target=asked.target,
                error=repr(error),
            )
            return Outcome(status=Status.FAILED, message=text, cause=Cause.NOT_SENT)
        outcome = await self._through(asked, work)
        is_untouched = outcome.status is Status.REFUSED or outcome.cause in {
            Cause.NOT_SENT,
            Cause.NOT_RECORDED,
        }
        await plates.end(asked.actor, asked.device, was_begun=not is_untouched)
        return outcome

    def _refused(self, asked: Asked, why: str, cause: Cause) -> Outcome:
        self._put_down(asked, why)
        return refused(why, cause)


def prints_already(device: str) -> str:
    """Why a print must not begin while another one is under way."""
    return Message(
        "{device}: print can't start while print runs; wait for its end or stop it", device=device
    )


def is_print(asked: Asked, driver: type[Driver[Any]]) -> bool:
    """Whether it prints: a command `print` that takes a file, as every printer has it."""
    name = asked.target.partition(".")[2]
    return asked.verb == "do" and name == "print" and prints(driver)


def prints(driver: type[Driver[Any]]) -> bool:
    """Whether such a device prints files."""
    command = driver.commands.get("print")
    return command is not None and any(it.form.kind == "file" for it in command.parameters)
