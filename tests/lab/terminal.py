"""A terminal of its own for one command, which a test types into and reads from."""

from __future__ import annotations

import asyncio
import os
import pty
import select
import struct
import sys
import termios
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from fcntl import ioctl
from pathlib import Path

WITHIN_S = 30.0


class Terminal:
    """`labkeeper` on a terminal of 100 columns."""

    def __init__(self, master: int, process: asyncio.subprocess.Process) -> None:
        self._master, self.process = master, process
        self.seen = ""

    async def until(self, words: str) -> None:
        """Wait until the terminal has shown something."""
        async with asyncio.timeout(WITHIN_S):
            while words not in self.seen:
                await self._read()

    async def _read(self) -> None:
        if await asyncio.to_thread(_readable, self._master):
            self.seen += os.read(self._master, 65536).decode()

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    async def ended(self) -> int:
        """Its exit code, when all has been read that it wrote."""
        async with asyncio.timeout(WITHIN_S):
            while self.process.returncode is None or _readable(self._master, 0):
                try:
                    await self._read()
                except OSError:  # EIO: the last who had the terminal open is gone
                    break
            return await self.process.wait()

    @property
    def lines(self) -> list[str]:
        """What stays on the screen: of each line what was written after it was last erased."""
        rows = self.seen.replace("\r\n", "\n").split("\n")
        return [row.split("\r\x1b[K")[-1] for row in rows]


def _readable(master: int, seconds: float = 0.1) -> bool:
    return bool(select.select([master], [], [], seconds)[0])


@asynccontextmanager
async def terminal(
    socket: Path, *words: str, language: str = "en_US.UTF-8"
) -> AsyncIterator[Terminal]:
    master, inside = pty.openpty()
    ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "agent.cli", "--socket", str(socket), *words),
        stdin=inside, stdout=inside, stderr=inside, start_new_session=True,
        preexec_fn=lambda: ioctl(0, termios.TIOCSCTTY, 0),
        env={**os.environ, "LC_ALL": language, "TERM": "xterm", "PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip
    os.close(inside)
    try:
        yield Terminal(master, process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        os.close(master)
