"""The folder of files to print, as the disk has it. Every call blocks: use a thread.

Each file is opened below a descriptor of the folder and never through a link, so that no name
leads out of it (openat(2), O_NOFOLLOW). Files that somebody else has put there count, if they are
called as files of the store may be.
"""

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Self

from agent.languages.message import Message
from agent.store.file_errors import BadName, Changed, no_file
from agent.store.file_names import stored_name
from drivers.errors import UnknownName

DRAFT_ENDING: Final = ".part"
FOLDER_MODE: Final = 0o750
# Opening a pipe without O_NONBLOCK would wait for whoever writes to it.
_PLAIN: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Stamp:
    """Which file it is, its bytes, and when it was last written, in ns: another after any change."""

    inode: int
    size: int
    modified: int

    @classmethod
    def of(cls, found: os.stat_result) -> Self:
        """The stamp of a file that was looked at."""
        return cls(found.st_ino, found.st_size, found.st_mtime_ns)


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of the store: its name in its one spelling, and as the disk spells it."""

    name: str
    spelling: str
    stamp: Stamp


@dataclass(frozen=True, slots=True)
class Usage:
    """How full it is: files and their bytes, bytes of drafts, and the disk's bytes, all and free."""

    files: int
    stored: int
    drafts: int
    disk: int
    disk_free: int


class FileFolder:
    """One flat folder, which is made when it is missing. Any call may raise OSError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.own_drafts = f".{secrets.token_hex(4)}-"
        """How the names of this agent's drafts begin."""

    @contextmanager
    def opened(self) -> Iterator[int]:
        """A descriptor of the folder, for as long as the context lasts."""
        directory = self.descriptor()
        try:
            yield directory
        finally:
            os.close(directory)

    def descriptor(self) -> int:
        """A descriptor of the folder, which the caller has to close."""
        self.path.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        return os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def entries(self) -> list[Entry]:
        """All files, by name. Where two spellings of a name are there, the NFC one is the file."""
        found: dict[str, Entry] = {}
        with self.opened() as directory:
            for entry in _entries(directory):
                if entry.name not in found or entry.spelling == entry.name:
                    found[entry.name] = entry
        return sorted(found.values(), key=lambda entry: entry.name)

    def find(self, name: str) -> Entry | None:
        """The file of this name, which is spelled in NFC. Raises UnknownName for a link or folder."""
        with self.opened() as directory:
            try:
                found = os.lstat(name, dir_fd=directory)
            except FileNotFoundError:
                return next((it for it in _entries(directory) if it.name == name), None)
        if not stat.S_ISREG(found.st_mode):
            raise UnknownName(
                Message("{name!r} in {path} is not a plain file", name=name, path=self.path)
            )
        return Entry(name, name, Stamp.of(found))

    def get(self, name: str) -> Entry:
        """The file of this name. Raises UnknownName."""
        entry = self.find(name)
        if entry is None:
            raise no_file(name)
        return entry

    def open(self, entry: Entry) -> BinaryIO:
        """Open the very file that was found. Raises UnknownName, Changed."""
        with self.opened() as directory:
            try:
                number = os.open(entry.spelling, _PLAIN, dir_fd=directory)
            except FileNotFoundError:
                raise no_file(entry.name) from None
            except OSError as error:
                if error.errno == errno.ELOOP:  # it is a link now
                    raise changed(entry.name) from None
                raise
        if not _is_same(number, entry):
            os.close(number)
            raise changed(entry.name)
        return os.fdopen(number, "rb", 0)

    def check(self, entry: Entry) -> None:
        """Raise UnknownName or Changed, unless the file is the one that was found, as it was."""
        self.open(entry).close()

    def is_same(self, source: BinaryIO, entry: Entry) -> bool:
        """Whether an open file is the one that was found, as it was."""
        return _is_same(source.fileno(), entry)

    def remove(self, entry: Entry) -> None:
        """Remove a file, for good also when the power fails right after."""
        with self.opened() as directory:
            try:
                os.unlink(entry.spelling, dir_fd=directory)
            except FileNotFoundError:
                raise no_file(entry.name) from None
            os.fsync(directory)

    def remove_drafts(self) -> None:
        """Remove what an agent has left that was killed while files arrived."""
        with self.opened() as directory:
            for name in names_in(directory):
                if _is_draft(name) and not name.startswith(self.own_drafts):
                    os.unlink(name, dir_fd=directory)

    def usage(self) -> Usage:
        """How full the folder and its disk are."""
        with self.opened() as directory:
            disk = os.fstatvfs(directory)
            sizes = [(_is_draft(it.name), size) for it, size in _plain(directory)]
        return Usage(
            files=sum(not is_draft for is_draft, _ in sizes),
            stored=sum(size for is_draft, size in sizes if not is_draft),
            drafts=sum(size for is_draft, size in sizes if is_draft),
            disk=disk.f_blocks * disk.f_frsize,
            disk_free=disk.f_bavail * disk.f_frsize,
        )


def names_in(directory: int) -> list[str]:
    """The names of all that is in an open folder. Raises OSError."""
    with os.scandir(directory) as all_of_it:
        return [found.name for found in all_of_it]


def changed(name: str) -> Changed:
    """The refusal of a file that is not what it was."""
    return Changed(
        Message(
            "{name} has changed since it was examined: ask again, and it is examined anew",
            name=name,
        )
    )


def _is_same(number: int, entry: Entry) -> bool:
    found = os.fstat(number)
    return stat.S_ISREG(found.st_mode) and Stamp.of(found) == entry.stamp


def _entries(directory: int) -> Iterator[Entry]:
    for found, _ in _plain(directory):
        try:
            name = stored_name(found.name)
        except BadName:
            continue  # somebody else's, such as a note beside the files
        yield Entry(name, found.name, Stamp.of(found.stat(follow_symlinks=False)))


def _plain(directory: int) -> Iterator[tuple["os.DirEntry[str]", int]]:
    """The plain files and their bytes; what disappears meanwhile is not there."""
    with os.scandir(directory) as all_of_it:
        for found in all_of_it:
            try:
                if found.is_file(follow_symlinks=False):
                    yield found, found.stat(follow_symlinks=False).st_size
            except FileNotFoundError:
                continue


def _is_draft(name: str) -> bool:
    return name.startswith(".") and name.endswith(DRAFT_ENDING)
