"""A disk that can be switched off: mounted, cut from its power, and mounted again with what is left."""

import asyncio
import sys
from pathlib import Path
from types import TracebackType
from typing import Final, Self

READY_WITHIN_S: Final = 20.0


class NoSuchDisk(Exception):
    """This machine can't mount one; the message says what it lacks."""


class Power:
    """The power of a disk at `place`: `async with Power(platter, place) as power`. Both folders exist.

    Raises:
        NoSuchDisk: It can't be mounted here.
    """

    def __init__(self, platter: Path, place: Path) -> None:
        self._platter, self.place = platter, place
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        await self._on()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self._off()

    async def cut(self, process: asyncio.subprocess.Process, seed: str) -> None:
        """Cut the power of the disk, and with it that of a process; then switch the disk on again.

        The disk answers nobody from the cut on, so that the process can't tell of an error.
        """
        await self._told(f"cut {seed}")
        process.kill()
        await self._off()  # lets a thread of the process go that still waits for the disk
        await process.wait()
        await self._on()

    async def read_only(self) -> None:
        """Let the disk refuse every change, under whoever has files open on it, and read as before."""
        await self._told("read-only")

    async def writable(self) -> None:
        """Let it take changes again."""
        await self._told("writable")

    async def _told(self, words: str) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(f"{words}\n".encode())
        await self._said(words.split(maxsplit=1)[0])

    async def _on(self) -> None:
        if not await asyncio.to_thread(Path("/dev/fuse").exists):
            raise NoSuchDisk("a disk of our own needs /dev/fuse, which is missing here")
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "benchmarks.lossy_mount", str(self._platter), str(self.place)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            await self._said("ready")
        except (NoSuchDisk, TimeoutError):
            await self._off()
            raise

    async def _said(self, word: str) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        async with asyncio.timeout(READY_WITHIN_S):
            line = await self._process.stdout.readline()
        if line != f"{word}\n".encode():
            assert self._process.stderr is not None
            why = (await self._process.stderr.read()).decode().strip().splitlines()
            raise NoSuchDisk(
                "a disk of our own needs libfuse (apt-get install fuse3) and the right to mount: "
                f"{why[-1] if why else line!r}"
            )

    async def _off(self) -> None:
        if self._process is None:
            return
        if self._process.returncode is None:
            self._process.kill()
        await self._process.communicate(b"")  # its pipes are open beyond its end
        self._process = None
        unmount = await asyncio.create_subprocess_exec(
            "umount", "-l", str(self.place), stderr=asyncio.subprocess.DEVNULL
        )
        await unmount.wait()
