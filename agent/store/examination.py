"""Examining a file in a process of its own, with the lowest priority: nobody else feels it."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import BinaryIO, Final

from agent.languages.message import Message
from agent.store.file_errors import Unexamined, at_disk

PROGRAM: Final = ("-P", "-m", "drivers.survey")
"""Takes a file as its standard input, and prints its survey as one line of JSON."""
LOWEST: Final = 19
"""The niceness of a process that gets what nobody else wants. Source: setpriority(2)."""
LEAST_S: Final = 60.0
BYTES_PER_SECOND: Final = 500_000
"""Far less than even a busy workstation examines."""
MOST_WORDS: Final = 300


async def examined(
    name: str, size: int, source: Callable[[], BinaryIO], program: tuple[str, ...] = PROGRAM
) -> bytes:
    """The survey of a file as JSON. `source` opens it, and runs in a thread.

    Whoever gives up waiting ends the process. Raises what `source` does, and:
        Unexamined: The process failed, or took longer than a file of `size` bytes may take.
    """
    process = _Process(name, LEAST_S + size / BYTES_PER_SECOND, program)
    try:
        return await at_disk(process.run, source)
    except asyncio.CancelledError:
        await asyncio.to_thread(process.kill)
        raise


class _Process:
    """One process. It is run in a thread, and killed from another."""

    def __init__(self, name: str, within: float, program: tuple[str, ...]) -> None:
        self._name, self._within, self._program = name, within, program
        self._turn = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._is_over = False

    def run(self, source: Callable[[], BinaryIO]) -> bytes:
        """Run it to its end, and return what it said."""
        with source() as file:
            process = self._start(file)
        try:
            said, complaint = process.communicate(timeout=self._within)
        except subprocess.TimeoutExpired:
            self.kill()
            process.communicate()
            raise Unexamined(
                Message(
                    "{name} was not examined within {within:.0f} s: is the station overloaded? Try "
                    "again",
                    name=self._name,
                    within=self._within,
                )
            ) from None
        if process.returncode:
            raise Unexamined(
                Message(
                    "{name} was not examined: {why}", name=self._name, why=_why(process, complaint)
                )
            )
        return said

    def kill(self) -> None:
        """End it, whatever it does, and if it has not begun, keep it from beginning."""
        with self._turn:
            self._is_over = True
            if self._process is not None:
                self._process.kill()  # does nothing to one that has ended

    def _start(self, file: BinaryIO) -> "subprocess.Popen[bytes]":
        with self._turn:
            if self._is_over:
                raise Unexamined(
                    Message(
                        "{name} was not examined: nobody waits for it any more", name=self._name
                    )
                )
            path = os.pathsep.join(folder for folder in sys.path if folder)
            self._process = subprocess.Popen(
                [sys.executable, *self._program],
                stdin=file,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={**os.environ, "PYTHONPATH": path, "PYTHONUTF8": "1"},
                start_new_session=True,  # Ctrl-C is for us
            )
            os.setpriority(os.PRIO_PROCESS, self._process.pid, LOWEST)
            return self._process


def _why(process: "subprocess.Popen[bytes]", complaint: bytes) -> str:
    code = process.returncode
    how = (
        Message("{name} ended it", name=signal.Signals(-code).name)
        if code < 0
        else Message("it ended with code {code}", code=code)
    )
    last = complaint.decode(errors="replace").strip().rpartition("\n")[2][:MOST_WORDS]
    return Message("{how}; its last words: {last}", how=how, last=last) if last else how
