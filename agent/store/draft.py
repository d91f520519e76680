"""A file on its way into the folder: hidden, under a name of the store's own, until it is whole."""

import hashlib
import os
import secrets
import threading
from typing import Final

from agent.languages.message import Message
from agent.store.file_errors import AlreadyThere, Incomplete
from agent.store.file_folder import DRAFT_ENDING, Entry, FileFolder, Stamp

FILE_MODE: Final = 0o640
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Draft:
    """Written, then published under its name, or discarded. Every call blocks: use a thread.

    Whoever waited for a call may have gone away while it runs. So calls wait for each other, and
    after `discard` none does anything any more.
    """

    def __init__(self, folder: FileFolder) -> None:
        self._folder = folder
        self._name = f"{folder.own_drafts}{secrets.token_hex(8)}{DRAFT_ENDING}"
        self._hash = hashlib.sha256()
        self._turn = threading.Lock()
        self._directory = self._file = -1
        self._is_over = False
        self.size = 0
        """Bytes that were written."""

    @property
    def sha256(self) -> str:
        """The hash of what was written, in hex digits."""
        return self._hash.hexdigest()

    def write(self, data: bytes | bytearray) -> None:
        """Append all of `data`. Raises OSError."""
        with self._turn:
            self._begin()
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(self._file, rest) :]
            self._hash.update(data)
            self.size += len(data)

    def publish(self, name: str, *, replace: bool) -> Entry:
        """Put it there under its name, for good also when the power fails right after.

        Raises:
            AlreadyThere: A file of this name is there and not to be replaced.
            OSError: The disk does not take it.
        """
        with self._turn:
            self._begin()
            os.fsync(self._file)
            old = self._folder.find(name)
            spelling = old.spelling if old else name
            if replace:
                os.rename(
                    self._name, spelling, src_dir_fd=self._directory, dst_dir_fd=self._directory
                )
            else:
                self._link(name, spelling)
            stamp = Stamp.of(os.fstat(self._file))
            self._end()
            return Entry(name, spelling, stamp)

    def discard(self) -> None:
        """Leave nothing of it, if it was not published. Raises OSError."""
        with self._turn:
            if not self._is_over:
                self._end()

    def _begin(self) -> None:
        if self._is_over:
            raise Incomplete(Message("the upload has been given up"))
        if self._file < 0:
            self._directory = self._folder.descriptor()
            self._file = os.open(self._name, _NEW, FILE_MODE, dir_fd=self._directory)

    def _link(self, name: str, spelling: str) -> None:
        """Give it its name, unless a file has it: link(2) never replaces one, as rename(2) does."""
        try:
            os.link(self._name, spelling, src_dir_fd=self._directory, dst_dir_fd=self._directory)
        except FileExistsError:
            raise already_there(name) from None

    def _end(self) -> None:
        self._is_over = True
        if self._directory < 0:
            return
        try:
            if self._file >= 0:
                os.close(self._file)
                _unlink(self._name, self._directory)
                os.fsync(self._directory)
        finally:
            os.close(self._directory)


def already_there(name: str) -> AlreadyThere:
    """The refusal of a second file of the same name."""
    return AlreadyThere(
        Message(
            "{name} is there already: remove it first, or say that it is to be replaced", name=name
        )
    )


def _unlink(name: str, directory: int) -> None:
    try:
        os.unlink(name, dir_fd=directory)
    except FileNotFoundError:
        return  # it was renamed: it has its name now
