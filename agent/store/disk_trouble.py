"""What SQLite calls its failures, and what they mean for what should have been recorded. Pure."""

from typing import Final

from agent.languages.message import Message
from agent.store.store_errors import (
    DiskFailed,
    DiskFull,
    DiskReadOnly,
    NotRecorded,
    RecordingEnded,
    StoreBusy,
)

_MENDABLE: Final[dict[str, tuple[type[NotRecorded], str]]] = {
    "SQLITE_FULL": (DiskFull, Message("the disk is full")),
    "SQLITE_READONLY": (DiskReadOnly, Message("the disk or the file can't be written")),
    "SQLITE_IOERR_WRITE": (DiskFailed, Message("the disk did not take it")),
    "SQLITE_NOMEM": (DiskFailed, Message("there is no memory left")),
    "SQLITE_BUSY": (StoreBusy, Message("another program holds the database")),
    "SQLITE_CANTOPEN": (DiskReadOnly, Message("the folder or the file can't be used")),
}
"""By the beginning of the name: the transaction was undone, and the next one may succeed."""

_FINAL: Final = ("SQLITE_IOERR", "SQLITE_CORRUPT", "SQLITE_NOTADB")
"""After these no later success can be believed. A failed fsync is reported once, and what was to be
written may be dropped: the next fsync succeeds without it."""

_DAMAGE: Final = ("SQLITE_CORRUPT", "SQLITE_NOTADB")


def meaning(name: str, said: str) -> tuple[type[NotRecorded], str]:
    """The error to raise for one of SQLite's, such as SQLITE_IOERR_FSYNC, and its words."""
    for beginning, (kind, why) in _MENDABLE.items():
        if name.startswith(beginning):
            return kind, Message("{why} ({said})", why=why, said=said)
    return RecordingEnded, f"{said} ({name})" if name else said


def concerns_all(name: str) -> bool:
    """Whether it ends the whole transaction, and not just the statement that met it."""
    return name.startswith((*_MENDABLE, *_FINAL))


def is_damage(name: str) -> bool:
    """Whether the file is not what SQLite has written."""
    return name.startswith(_DAMAGE)
