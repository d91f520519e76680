"""The head of the ledger in a file beside it, so that a tail that was cut off is missed."""

import hashlib
import os
from pathlib import Path
from typing import Final

from agent.store.chain import Head
from agent.store.folder import sync_folder

NAME: Final = "ledger.head"
"""What the file is called in the state folder."""
SECTOR: Final = 512
"""What a disk writes whole or not at all. The file has two lines, each as long as that."""

_OPEN: Final = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC


class HeadFile:
    """Two lines that are written in turns, such as `812:9f86d0…`. Every call blocks: use a thread.

    A line is written in its place, and nobody waits until it is on the disk: that would take as
    long as the commit before it. Whatever a power cut does to it, the other line holds an older head, and
    none that the ledger had not reached.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._turn = 0

    def read(self) -> Head | None:
        """The younger of the two heads; None where there is none. Raises OSError."""
        try:
            text = self.path.read_bytes()
        except FileNotFoundError:
            return None
        heads = [head for line in text.splitlines() if (head := _head(line)) is not None]
        return max(heads, key=lambda head: head.seq, default=None)

    def write(self, head: Head) -> None:
        """Write the next head. Raises OSError."""
        self._turn = 1 - self._turn
        descriptor = os.open(self.path, _OPEN, 0o640)
        try:
            os.pwrite(descriptor, _line(head), self._turn * SECTOR)
        finally:
            os.close(descriptor)

    def reset(self, head: Head) -> None:
        """Forget what was there, and begin with this head, on the disk for good. Raises OSError."""
        descriptor = os.open(self.path, _OPEN, 0o640)
        try:
            os.pwrite(descriptor, _line(head) * 2, 0)
            os.ftruncate(descriptor, 2 * SECTOR)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        # A power cut may take the name of a file whose bytes are on the disk.
        sync_folder(self.path.parent)


def _line(head: Head) -> bytes:
    text = str(head)
    return f"{text} {_check(text)}".encode().ljust(SECTOR - 1) + b"\n"


def _head(line: bytes) -> Head | None:
    """The head that a line holds; None where it holds none, or was being written just now."""
    words = line.decode("ascii", "replace").split()
    if len(words) != 2 or words[1] != _check(words[0]):
        return None
    return Head.parse(words[0])


def _check(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
