"""What keeps a file from being stored, read or removed. All of it is a refusal: nothing was sent.

    RequestError              drivers.errors
    ├── UnknownName           no file of this name; drivers.errors
    └── FileRefused
        ├── BadName           no file may be called so
        ├── AlreadyThere      a file of this name is there, and was not to be replaced
        ├── InUse             it is being printed, or another upload of this name is under way
        ├── NoRoom            the store is full, or the disk nearly so
        ├── Incomplete        what arrived is not as long as was announced
        ├── Changed           it is not the file any more that was chosen, examined or uploaded
        ├── Unexamined        it could not be examined
        └── NotKept           the disk does not do it

A command that takes a file is refused with the same sentences.
"""

import errno
from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar

from agent.languages.message import Message
from agent.store.disk_threads import at_disk_thread
from drivers.errors import RequestError, UnknownName

P = ParamSpec("P")
T = TypeVar("T")

FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class FileRefused(RequestError):
    """Something was not done with a file of the store."""


class BadName(FileRefused):
    """No file of the store may be called so."""


class AlreadyThere(FileRefused):
    """A file of this name is there, and nobody said that it may be replaced."""


class InUse(FileRefused):
    """The file is being printed, or another upload of this name is under way."""


class NoRoom(FileRefused):
    """The store is full, or the disk nearly so."""


class Incomplete(FileRefused):
    """What arrived is not as long as was announced."""


class Changed(FileRefused):
    """The file is not what it was when it was chosen, examined or uploaded."""


class Unexamined(FileRefused):
    """The file could not be examined."""


class NotKept(FileRefused):
    """The disk does not do what it is asked to."""


def no_file(name: str) -> UnknownName:
    """The refusal of a name that no file of the store has."""
    return UnknownName(
        Message("no file {name!r} in the store: `labkeeper files` lists what is there", name=name)
    )


async def at_disk(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run in a thread what reads or writes the disk. Raises NoRoom or NotKept for its errors."""
    try:
        return await at_disk_thread(work, *args, **kwargs)
    except OSError as error:
        why = error.strerror or str(error)
        if error.errno in FULL:
            raise NoRoom(
                Message("the disk took no more: {why}; remove files first", why=why)
            ) from error
        where = f" ({error.filename})" if error.filename else ""
        raise NotKept(
            Message("the folder of files can't be used: {why}{where}", why=why, where=where)
        ) from error
