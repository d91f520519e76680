"""The station's own folder of files to print. A caller gives a name, never a path."""

import asyncio
import os
import stat
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from drivers.errors import UnknownName

CHUNK: Final = 1 << 16


@dataclass(frozen=True)
class StoredFile:
    """A text file of the store, as drivers take it (drivers.TextFile). `size` is in bytes."""

    name: str
    size: int
    path: Path

    async def lines(self) -> AsyncIterator[str]:
        """Yield the lines without their ends; only one piece of the file is in memory."""
        with await asyncio.to_thread(_open, self.path) as source:
            rest = b""
            while piece := await asyncio.to_thread(source.read, CHUNK):
                *whole, rest = (rest + piece).split(b"\n")
                for line in whole:
                    yield line.decode(errors="replace").rstrip("\r")
            if rest:
                yield rest.decode(errors="replace").rstrip("\r")


class FileStore:
    """Files in one flat folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def named(self, name: str) -> StoredFile:
        """Return the file of this name.

        Raises:
            UnknownName: The name is a path or has control characters, or there is no such plain file.
        """
        if not name.isprintable() or name in {"", ".", ".."} or "/" in name or "\\" in name:
            raise UnknownName(f"{name!r} is not a plain file name")
        path = self._folder / name
        try:
            found = await asyncio.to_thread(path.lstat)  # a link would lead out of the folder
        except (OSError, ValueError):
            raise UnknownName(f"no file {name!r} in {self._folder}") from None
        if not stat.S_ISREG(found.st_mode):
            raise UnknownName(f"{name!r} in {self._folder} is not a plain file")
        return StoredFile(name, found.st_size, path)


def _open(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb")
