"""A file that takes up room, so that there is some for records when all other room is gone."""

import os
from pathlib import Path
from typing import Final

NAME: Final = "reserve"
"""What the file is called in the state folder."""
MOST_OF_DISK: Final = 0.01
"""Share of the disk that it takes at most: on a small one it would be the trouble itself."""


class Reserve:
    """So many bytes of the disk. Every call blocks: use a thread."""

    def __init__(self, folder: Path, size: int) -> None:
        self._path, self._size = folder / NAME, size

    def take(self) -> None:
        """Take up the room, for good, if it is not taken already. Raises OSError."""
        disk = os.statvfs(self._path.parent)
        size = min(self._size, int(disk.f_frsize * disk.f_blocks * MOST_OF_DISK))
        if size <= 0 or (self._path.exists() and self._path.stat().st_size >= size):
            return
        descriptor = os.open(
            self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o640
        )
        try:
            os.posix_fallocate(descriptor, 0, size)
        except OSError:
            self.free()  # half of it would only be in the way
            raise
        finally:
            os.close(descriptor)

    def free(self) -> bool:
        """Give the room back; return whether there was any. Raises OSError."""
        try:
            self._path.unlink()
        except FileNotFoundError:
            return False
        return True
