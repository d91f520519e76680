"""Files of a run folder: what they may be called, how they grow, and how they are opened again.

A file is hashed as it grows, so that its folder is closed without reading it once more. Names have
`/` between their parts whatever the system; none leads out of the folder, and no link is followed.
"""

import errno
import hashlib
import os
import unicodedata
from contextlib import suppress
from pathlib import Path
from typing import Final

from agent.languages.message import Message
from agent.store.store_errors import DiskFailed, DiskFull, DiskReadOnly, NotRecorded

LONGEST_NAME: Final = 200
"""Bytes of UTF-8 of a name. File systems take 255, of which endings need some."""
CHUNK: Final = 1 << 20
DRAFT: Final = "."
"""How the name of what is no part of a run begins: drafts, and the room that is kept for its end."""

_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
# A pipe in the place of a file must not be waited for.
_OLD: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_READ_ONLY: Final = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})


class GrowingFile:
    """A file that is only appended to. Every call blocks, and raises OSError."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o750, exist_ok=True)
        self._descriptor = os.open(path, _NEW, 0o640)
        self._hash = hashlib.sha256()
        self.size = 0

    @property
    def sha256(self) -> str:
        """Of everything that was written."""
        return self._hash.hexdigest()

    def write(self, data: bytes) -> None:
        """Append all of it, or nothing: a disk that is full leaves no half of a line."""
        left = memoryview(data)
        try:
            while left:
                left = left[os.write(self._descriptor, left) :]
        except OSError:
            os.ftruncate(self._descriptor, self.size)
            os.lseek(self._descriptor, self.size, os.SEEK_SET)
            raise
        self._hash.update(data)
        self.size += len(data)

    def sync(self) -> None:
        """Have it on the disk for good."""
        os.fsync(self._descriptor)

    def close(self) -> None:
        """Write no more."""
        os.close(self._descriptor)


def begun(path: Path, data: bytes) -> GrowingFile:
    """A new file that begins with this, or no file at all. Raises OSError."""
    file = GrowingFile(path)
    try:
        file.write(data)
    except OSError:
        file.close()
        removed(path)
        raise
    return file


def written(path: Path, data: bytes) -> GrowingFile:
    """A new file with this content, on the disk for good and closed, or none. Raises OSError."""
    file = begun(path, data)
    try:
        file.sync()
    except OSError:
        removed(path)
        raise
    finally:
        file.close()
    return file


def removed(path: Path) -> None:
    """Have no half of a file lie about, where the disk takes that."""
    with suppress(OSError):
        path.unlink()


def sync_folder(folder: Path) -> None:
    """Make the names in a folder last through a power cut. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_inside(name: str) -> bool:
    """Whether a name stays in the folder, and has one spelling alone."""
    parts = name.split("/")
    return bool(name) and "\\" not in name and "\0" not in name and not {"", ".", ".."} & set(parts)


def opened(folder: Path, name: str) -> int:
    """The descriptor of a file in a folder, opened for reading. No link is followed on the way to it.

    Raises:
        OSError: It is not there, is a link, or lies behind one.
    """
    if not is_inside(name):
        raise OSError(errno.EINVAL, Message("the name leads out of the folder"))
    *folders, last = name.split("/")
    at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in folders:
            flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
            inner = os.open(part, flags, dir_fd=at)
            os.close(at)
            at = inner
        return os.open(last, _OLD, dir_fd=at)
    finally:
        os.close(at)


def digest_of(descriptor: int) -> tuple[str, int]:
    """SHA-256 and length of what an open file holds, read piece by piece. Raises OSError."""
    found, size = hashlib.sha256(), 0
    while piece := os.read(descriptor, CHUNK):
        found.update(piece)
        size += len(piece)
    return found.hexdigest(), size


def plain_name(text: str) -> str:
    """A name that every file system takes, as close to the text as may be; Hangul stays Hangul.

    It has one spelling (NFC), no sign that a folder, Windows or a shell would take for its own, and
    no more than LONGEST_NAME bytes.
    """
    one = unicodedata.normalize("NFC", text)
    signs = [sign if sign.isalnum() or sign in "-_." else "_" for sign in one]
    name = "".join(signs).strip(".") or "_"
    return name.encode()[:LONGEST_NAME].decode(errors="ignore")


def not_recorded(what: str, error: OSError) -> NotRecorded:
    """What to raise where the disk did not take something."""
    why = error.strerror or str(error)
    kind: type[NotRecorded] = DiskFailed
    if error.errno in _FULL:
        kind = DiskFull
    elif error.errno in _READ_ONLY:
        kind = DiskReadOnly
    return kind(Message("not recorded: {what}: {why}", what=what, why=why))
