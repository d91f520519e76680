"""A VISA library whose mood a test sets, and the processes that make its calls."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from drivers.transport.visa_process import PROGRAM

BACKEND = Path(__file__).with_name("visa_backend")
"""Where `import pyvisa_sleepy` finds it."""


class Mood:
    """What the library of one test does, as a file that it looks at in each call."""

    def __init__(self, folder: Path) -> None:
        self._file, self._did = folder / "mood", folder / "mood.did"
        self.be("")

    @property
    def library(self) -> str:
        """How an address names the library."""
        return f"{self._file}@sleepy"

    def be(self, mood: str) -> None:
        """Let it behave so from now on: "read hang", or "" for well."""
        self._did.unlink(missing_ok=True)
        self._file.write_text(mood, encoding="utf-8")

    @property
    def has_shown(self) -> bool:
        """Whether a call has met this mood by now."""
        return self._did.exists()

    def processes(self) -> list[int]:
        """The processes that use this library now, by their numbers; none that has ended."""
        found = []
        for folder in Path("/proc").iterdir():
            if folder.name.isdecimal():
                try:
                    words = (folder / "cmdline").read_bytes().split(b"\0")
                except (FileNotFoundError, ProcessLookupError):  # it ended just now
                    continue
                if PROGRAM.encode() in words and self.library.encode() in words:
                    found.append(int(folder.name))
        return found


async def until(condition: Callable[[], bool], seconds: float = 25.0) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)
