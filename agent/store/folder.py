"""The state folder: made when it is missing, and owned by one agent at a time."""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from agent.errors import AlreadyRunning, NoPermission
from agent.languages.message import Message
from agent.store.store_errors import NotRead


@contextmanager
def owned(folder: Path) -> Iterator[None]:
    """Hold the folder for this process, as long as the context lasts.

    Raises:
        AlreadyRunning: Another agent holds it.
        NoPermission: The folder can't be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = _opened(folder / "agent.lock")
    except OSError as error:
        raise NoPermission(
            Message(
                "state: {folder} can't be used: {strerror}; choose another folder or give the "
                "agent's user the right to write it",
                folder=folder,
                strerror=error.strerror,
            )
        ) from error
    try:
        _lock(lock, folder)
        yield
    finally:
        os.close(lock)


def find(path: Path) -> None:
    """Make sure that a file which the agent writes is there. Raises NotRead."""
    try:
        path.stat()
    except FileNotFoundError:
        raise NotRead(
            Message("there is no {path}: the agent has not recorded anything there", path=path)
        ) from None
    except OSError as error:
        raise NotRead(
            Message("{path} can't be read: {strerror}", path=path, strerror=error.strerror)
        ) from error


def sync_folder(folder: Path) -> None:
    """Make the names in a folder last through a power cut. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _opened(path: Path) -> int:
    """The lock file. On a disk that can't be written, the one that is there is held, or the folder."""
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        if error.errno != errno.EROFS:
            raise
    with suppress(FileNotFoundError):
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    return os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)  # no agent has ever written here


def _lock(lock: int, folder: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = ""
        with suppress(OSError):  # it may be the folder itself that is held
            owner = os.read(lock, 20).decode().strip()
        raise AlreadyRunning(
            Message(
                "another agent (process {owner}) works with {folder}: stop it first, or give "
                "this station another `state`",
                owner=owner or Message("unknown"),
                folder=folder,
            )
        ) from None
    with suppress(OSError):  # the lock counts; who holds it can't be said then
        os.ftruncate(lock, 0)
        os.write(lock, f"{os.getpid()}\n".encode())
