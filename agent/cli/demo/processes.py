"""The processes that the demo starts, and ends again: each by its id, whatever happens."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agent.cli.words import said
from agent.errors import CannotStart
from agent.languages.message import Message

END_WITHIN_S: Final = 8.0
"""How long a process may take to end by itself; the agent makes devices safe in 5 s."""
LAST_LINES: Final = 12


@dataclass(frozen=True)
class Child:
    """One process, and the file that has its log."""

    name: str
    process: asyncio.subprocess.Process
    log: Path
    of: str = "demo"
    """What it was started for."""

    async def first_line(self) -> str:
        """The first line of its standard output. Raises CannotStart when it ends before."""
        pipe = self.process.stdout
        line = await pipe.readline() if pipe else b""
        if not line:
            raise self.trouble(Message("did not start"))
        return line.decode()

    async def lives(self) -> None:
        """Return never: raise CannotStart when the process ends."""
        code = await self.process.wait()
        raise self.trouble(Message("ended with {code}", code=code))

    def trouble(self, what: str) -> CannotStart:
        """What to say of a process that fails: what happened, and the last lines of its log."""
        return CannotStart(
            Message(
                "the {of}'s {name} {what}\n{last_lines}",
                of=self.of,
                name=self.name,
                what=what,
                last_lines=self.last_lines(),
            )
        )

    def last_lines(self) -> str:
        """The end of its log, with a heading."""
        lines = self.log.read_text("utf-8", "replace").splitlines()[-LAST_LINES:]
        return "\n".join(
            [
                said(Message("the last lines of {log}:", log=self.log)),
                *(f"  {line}" for line in lines),
            ]
        )


@asynccontextmanager
async def running(
    name: str, command: Sequence[object], folder: Path, *, speaks: bool = False, of: str = "demo"
) -> AsyncIterator[Child]:
    """Run a command with its log in the folder until the context ends.

    It has a session of its own, so that Ctrl-C reaches the demo alone, which then ends its
    children in order. `speaks` says that its standard output is for `Child.first_line`.
    """
    log = folder / f"{name}.log"
    with log.open("ab", buffering=0) as out:
        process = await asyncio.create_subprocess_exec(
            *map(str, command),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE if speaks else out,
            stderr=out,
            start_new_session=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
    try:
        yield Child(name, process, log, of)
    finally:
        await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Ask the process to end; make it when it does not. A pipe is read to its end: else it stays open."""
    if process.returncode is None:
        process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(END_WITHIN_S):
            await process.communicate()
    except TimeoutError:
        process.kill()
        await process.communicate()
