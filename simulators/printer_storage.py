"""The files that a printer on the network keeps: uploaded, listed, printed, deleted.

Pure: bytes in memory. Paths are relative, with ``/`` between folders.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal, get_args

CAPACITY: Final = 4_000_000_000
"""Bytes that fit when nothing else is said."""

Damage = Literal["flip", "cut"]
DAMAGES: Final[tuple[Damage, ...]] = get_args(Damage)


class StorageFull(Exception):
    """A file does not fit; nothing of it is kept."""


class NoSuchFile(Exception):
    """There is no file of that name."""


@dataclass(frozen=True, kw_only=True)
class StoredFile:
    """One file; `modified` is Unix time in seconds by the printer's own clock."""

    path: str
    content: bytes
    modified: float

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.content)

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the content, in hexadecimal digits."""
        return hashlib.sha256(self.content).hexdigest()

    @cached_property
    def sha1(self) -> str:
        """SHA-1 of the content, in hexadecimal digits."""
        return hashlib.sha1(self.content, usedforsecurity=False).hexdigest()


class PrinterStorage:
    """Files by path, and what may go wrong with them.

    `full` lets no byte more in. `damage` spoils the next upload on its way to the disk: "flip"
    turns one bit over, "cut" loses the end.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.capacity = capacity
        self.full = False
        self.damage: Damage | None = None
        self._files: dict[str, StoredFile] = {}

    @property
    def used(self) -> int:
        """Bytes that are taken."""
        return sum(file.size for file in self._files.values())

    @property
    def free(self) -> int:
        """Bytes that still fit."""
        return 0 if self.full else max(self.capacity - self.used, 0)

    def spoil(self, content: bytes) -> bytes:
        """Return what arrives of an upload: all of it, unless a damage waits for it."""
        damage, self.damage = self.damage, None
        middle = len(content) // 2
        if damage is None or not content:
            return content
        if damage == "cut":
            return content[:middle]
        return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]

    def store(self, path: str, content: bytes, modified: float) -> StoredFile:
        """Keep a file in place of one of the same name. Raises `StorageFull`, `ValueError`."""
        path = tidy(path)
        replaced = self._files.get(path)
        room = self.free + (replaced.size if replaced is not None and not self.full else 0)
        if len(content) > room:
            raise StorageFull(f"{path} has {len(content)} bytes, {room} are free")
        self._files[path] = StoredFile(path=path, content=content, modified=modified)
        return self._files[path]

    def find(self, path: str) -> StoredFile:
        """Return a file. Raises `NoSuchFile`."""
        found = self._files.get(path.strip("/"))
        if found is None:
            raise NoSuchFile(f"there is no file {path!r}")
        return found

    def has(self, path: str) -> bool:
        """Return whether there is a file of that path."""
        return path.strip("/") in self._files

    def delete(self, path: str) -> None:
        """Throw a file away. Raises `NoSuchFile`."""
        del self._files[self.find(path).path]

    def all(self) -> list[StoredFile]:
        """Return the files in the order of their paths."""
        return [self._files[path] for path in sorted(self._files)]


def tidy(path: str) -> str:
    """Return a path without empty parts. Raises `ValueError` for one that leaves its folder."""
    parts = [part for part in path.split("/") if part]
    if not parts or any(part in (".", "..") for part in parts):
        raise ValueError(f"{path!r} is no path inside the storage")
    return "/".join(parts)
