"""A print from its beginning to its end, as the agent tells of it over two connections.

On one the command waits for its outcome, as long as the print takes; on the other the printer's
values come as they change. The second also shows that the agent still lives.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import httpx

from agent.cli import output
from agent.cli.client import ANSWER_WITHIN_S, api_path, nobody
from agent.cli.print_view import Milestones, Moment
from agent.cli.problems import error_from
from agent.cli.stream import follow, over
from agent.errors import AgentError, NoAgent, OutcomeUnknown
from agent.languages.message import Message

GRACE_S: Final = 0.5
"""How long the outcome may take when the values have stopped coming, or say that a print has begun."""

How: TypeAlias = Literal["bar", "lines", "json", "silent"]
"""How a print is told of: to a person at a terminal, in a pipe, to a program, or not at all."""


class PrintRun:
    """One print. `asked` says whether the agent was asked for it."""

    def __init__(self, socket: Path, device: str, file: str, how: How) -> None:
        self._socket, self._device, self._file, self._how = socket, device, file, how
        self._begun = asyncio.Event()
        self.asked = False

    async def to_its_end(self, *, detach: bool) -> dict[str, Any] | None:
        """Begin the print and tell of it until it ends, or with `detach` until it has begun.

        Returns:
            The outcome; None where it goes on.

        Raises:
            AgentError: It was refused, failed, or nobody knows; the sentence says why.
        """
        async with asyncio.TaskGroup() as tasks:
            values = tasks.create_task(self._values(), name="values")
            ending = tasks.create_task(self._ending(), name="ending")
            begun = tasks.create_task(self._begun.wait(), name="begun")
            await asyncio.wait(
                [values, ending, *([begun] if detach else [])],
                return_when=asyncio.FIRST_COMPLETED,
            )
            if not ending.done():  # it counts more than what the values seem to say
                await asyncio.wait([ending], timeout=GRACE_S)
            for task in (values, ending, begun):
                task.cancel()
        if not ending.cancelled():
            return _done(ending.result())
        return None if values.cancelled() else _done(_lost(values.result()))

    async def _ending(self) -> dict[str, Any] | AgentError:
        """The outcome, or why there is none: a task of a group must not fail for it."""
        try:
            return await self._outcome()
        except AgentError as error:
            return error

    async def _values(self) -> AgentError:
        """Tell what the printer's values say; return why they come no longer."""
        try:
            await self._tell()
        except NoAgent as error:
            return error
        raise AssertionError(Message("a stream ends by an error"))

    async def _outcome(self) -> dict[str, Any]:
        """Have the file printed, and return how that ended. Raises AgentError."""
        where = api_path("devices", self._device, "commands", "print")
        waits = httpx.Timeout(ANSWER_WITHIN_S, read=None)
        try:
            async with httpx.AsyncClient(
                transport=over(self._socket), base_url="http://localhost", timeout=waits
            ) as client:
                self.asked = True
                answer = await client.post(where, json={"arguments": {"file": self._file}})
        except httpx.ConnectError as error:
            raise nobody(self._socket) from error
        except httpx.TransportError as error:
            raise _lost(
                NoAgent(Message("the agent on {socket} went away", socket=self._socket))
            ) from error
        return _outcome_in(answer)

    async def _tell(self) -> None:
        """Tell what the printer's values say, as long as they come. Raises NoAgent."""
        match self._how:
            case "bar":
                await self._paint()
            case "lines":
                milestones = Milestones()
                async for moment in self._moments():
                    if milestones.is_one(moment):
                        output.line(moment.line())
            case "json":
                last: dict[str, Any] = {}
                async for moment in self._moments():
                    if (told := moment.as_json()) != last:
                        output.document(last := told)
            case "silent":
                async for _ in self._moments():
                    pass

    async def _paint(self) -> None:
        # Imported where there is a terminal to paint on.
        from rich.console import Console
        from rich.live import Live

        console = Console(highlight=False, markup=False, emoji=False)
        try:
            with Live(console=console, auto_refresh=False) as live:
                async for moment in self._moments():
                    live.update(moment.rows(), refresh=True)
        except OSError as error:  # the terminal was closed
            raise output.OutputLost(error) from error

    async def _moments(self) -> AsyncIterator[Moment]:
        async for told in follow(self._socket, "devices", "stream"):
            if told.form["device"] != self._device or told.kind == "removed":
                continue
            moment = Moment(told.form)
            if moment.is_under_way:
                if moment.values["print_file"] not in {self._file, None}:
                    continue  # another print, which will keep this one from beginning
                self._begun.set()
            yield moment


def _done(ended: dict[str, Any] | AgentError) -> dict[str, Any]:
    if isinstance(ended, AgentError):
        raise ended
    return ended


def _lost(error: AgentError) -> OutcomeUnknown:
    return OutcomeUnknown(
        Message(
            "{error}; what has become of the print is unknown: look at the printer", error=error
        )
    )


def _outcome_in(answer: httpx.Response) -> dict[str, Any]:
    try:
        said: dict[str, Any] = json.loads(answer.content)
    except ValueError:
        raise NoAgent(Message("what answers is not the agent of a lab")) from None
    if answer.is_error:
        raise error_from(answer.status_code, said)
    return said
