"""The process in which one instrument's VISA calls are made, where its library can't be trusted.

Unlike a thread it can be ended, and what happens in it, a crash too, happens to nobody else. It
runs `visa_helper` and speaks to us over a pair of sockets; whatever the library prints goes to a
pipe, of which the end is kept for the sentence about a crash.
"""

import asyncio
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, Final, Self

from drivers.errors import ConnectFailed, LinkClosed
from drivers.transport.threads import in_thread
from drivers.transport.visa_calls import Answer, BadFrame, Call, Frames, call_frame, result_of
from drivers.transport.visa_thread import CallStuck

START_S: Final = 20.0
"""How long a process may take to start and to import pyvisa, on a computer that is busy."""
END_S: Final = 1.0
"""How long it may take to end, by itself or killed. In the kernel even a killed one can hang."""
LAST_WORDS: Final = 2000
"""Bytes kept of what it prints."""
PROGRAM: Final = "drivers.transport.visa_helper"
READY: Final = 0
"""The number of the answer that it gives unasked, when it can be asked."""


class CallProcess(asyncio.Protocol):
    """One process and the connection to it. Made by `start`."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process
        self._transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()
        self._frames, self._numbers = Frames(), itertools.count(READY + 1)
        self._waiting: dict[int, asyncio.Future[Callable[[], Answer]]] = {}
        self._ended: asyncio.Future[str] = self._loop.create_future()  # and how, in words
        self._is_leaving = self._is_over = False
        self._said, self._is_silent = b"", threading.Event()

    @classmethod
    async def start(
        cls, name: str, resource: str, library: str, options: Mapping[str, str]
    ) -> Self:
        """Start a process for an instrument. Raises ConnectFailed."""
        ours, theirs = socket.socketpair()
        arguments = (str(theirs.fileno()), resource, library, json.dumps(dict(options)))
        with ours:
            try:
                spawn = partial(_spawned, arguments, theirs)
                itself = cls(await in_thread(spawn, f"start {name}", undo=_undo))
            except OSError as error:
                raise ConnectFailed(f"its process can't be started: {error.strerror}") from error
            for work in (itself._listen, itself._watch):
                threading.Thread(target=work, name=f"watch {name}", daemon=True).start()
            try:
                await itself._loop.create_unix_connection(lambda: itself, sock=ours.dup())
                await itself._begin()
            except BaseException:
                itself.kill()
                raise
        return itself

    @property
    def is_alive(self) -> bool:
        return not self._ended.done()

    async def call(self, call: Call, within: float) -> Answer:
        if self._transport is None or self._is_leaving:
            raise LinkClosed(self._ended.result() if await self.gone() else "its process hangs")
        number = next(self._numbers)
        self._transport.write(call_frame(call, number, within))
        return await self._result(number, within)

    async def end(self) -> None:
        """Let go of it: it then closes what is open, and ends; killed when it does not."""
        self._hang_up()
        try:
            await asyncio.wait([self._ended], timeout=END_S)
        finally:
            self.kill()

    def kill(self) -> None:
        """End it, whatever it is doing, and all that it has started."""
        if not self._is_over:
            with suppress(ProcessLookupError):  # it is over by now: `_watch` is another thread
                os.killpg(self._process.pid, signal.SIGKILL)
        self._hang_up()

    async def gone(self) -> bool:
        """Whether it has ended, for which a killed one gets END_S seconds."""
        await asyncio.wait([self._ended], timeout=END_S)
        return self._ended.done()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # of a socket

    def data_received(self, data: bytes) -> None:
        try:
            for frame in self._frames.feed(data):
                number, result = result_of(frame)
                waiting = self._waiting.get(number)  # none, when the caller has given up
                if waiting is not None and not waiting.done():
                    waiting.set_result(result)
        except BadFrame as error:
            self._end(f"its process wrote what nobody can read: {error}")
            self.kill()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._is_leaving:
            self.kill()  # nothing can be asked of it any more; usually it has ended

    def _hang_up(self) -> None:
        self._is_leaving = True
        if self._transport is not None:
            self._transport.abort()  # it need not take what still waits for it

    async def _begin(self) -> None:
        try:
            await self._result(READY, START_S)
        except CallStuck:
            raise ConnectFailed(f"its process did not start within {START_S:g} s") from None

    async def _result(self, number: int, within: float) -> Answer:
        waiting: asyncio.Future[Callable[[], Answer]] = self._loop.create_future()
        self._waiting[number] = waiting
        ends: list[asyncio.Future[Any]] = [waiting, self._ended]
        try:
            await asyncio.wait(ends, timeout=within, return_when=asyncio.FIRST_COMPLETED)
            if waiting.done():
                return waiting.result()()
            if self._ended.done():
                raise LinkClosed(self._ended.result())
            self.kill()
            raise CallStuck
        finally:
            del self._waiting[number]

    def _listen(self) -> None:
        """Runs in a thread of its own, for as long as something can be printed."""
        output = self._process.stdout
        assert output is not None  # noqa: S101 - it was started so
        with output:
            while piece := os.read(output.fileno(), LAST_WORDS):
                self._said = (self._said + piece)[-LAST_WORDS:]
        self._is_silent.set()

    def _watch(self) -> None:
        """Runs in a thread of its own, from the start of the process to its end."""
        pid = self._process.pid
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        os.killpg(pid, signal.SIGKILL)  # what it has started; until `wait` the number is its own
        self._is_silent.wait(END_S)
        self._is_over = True
        how = _in_words(self._process.wait(), self._said)
        with suppress(RuntimeError):  # the loop has ended: nobody waits
            self._loop.call_soon_threadsafe(self._end, how)

    def _end(self, how: str) -> None:
        if not self._ended.done():
            self._ended.set_result(how)


def _spawned(arguments: tuple[str, ...], theirs: socket.socket) -> "subprocess.Popen[bytes]":
    path = os.pathsep.join(folder for folder in sys.path if folder)
    with theirs:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", PROGRAM, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=[theirs.fileno()],
            env={**os.environ, "PYTHONPATH": path},
            start_new_session=True,  # Ctrl-C is for us, and a kill for all that it has started
        )


def _undo(process: "subprocess.Popen[bytes]") -> None:
    """End a process that nobody waits for any more."""
    with process:
        process.kill()


def _in_words(code: int, said: bytes) -> str:
    if code < 0:
        how = f"was ended by {signal.Signals(-code).name}"
    else:
        how = f"ended with code {code}"
    lines = said.decode(errors="replace").split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return f"the process of the VISA library {how}" + (f"; its last words: {last}" if last else "")
