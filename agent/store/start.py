"""What the agent finds when it opens its ledger: a new one, a whole one, or one that lacks something."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Final, TypeAlias

from agent.languages.message import Message
from agent.store.append import last
from agent.store.chain import EMPTY, Head, missing
from agent.store.database import Connection
from agent.store.doubted_devices import doubt
from agent.store.entries import CommandEntry, Entry, LedgerEntry, Stage
from agent.store.head_file import HeadFile
from agent.store.open_commands import Unsettled, unsettled
from agent.store.quarantine import Quarantine
from agent.store.store_errors import DiskFailed

Write: TypeAlias = Callable[[Connection, Entry], object]
"""Writes an entry of the agent's own in the transaction of this connection."""

BEGAN: Final = "began"
LACKS: Final = "lacks"
RENEWED: Final = "head_renewed"
DOUBTED: Final = "doubted"
"""Actions of entries about the ledger itself: its first row, that something of it was missing, that
the head beside it was not the last and was written anew, and a device that it could tell of no more."""

_CUT_OFF: Final = Message("the agent ended before this command did")


def start(
    connection: Connection,
    *,
    station: str,
    file: HeadFile,
    write: Write,
    quarantined: Quarantine | None,
    devices: Iterable[str] = (),
) -> tuple[Head, str]:
    """Record what is missing and what was cut off.

    Return the head from which it goes on, and what was amiss with the one beside it; "" where that was
    in order. Where something is missing, nobody knows what was under way: each of the devices is doubted,
    until somebody has looked at it.

    Raises:
        DiskFailed: The head beside the ledger can't be read or written.
    """
    with _usable(file):
        written = file.read()
        if last(connection) == EMPTY and written is None:
            file.reset(EMPTY)  # before the first row: from now on there is always one
            written = EMPTY
    lack = "" if quarantined else what_lacks(connection, written)
    behind = "" if lack else _behind(written, last(connection))
    if (found := last(connection)) == EMPTY:
        write(connection, _began(station, written, quarantined))
    if lack or behind:
        write(connection, _of_head(LACKS if lack else RENEWED, lack or behind, written, found))
    why = Message("the ledger before was damaged") if quarantined else lack
    for device in devices if why else ():
        write(connection, _doubted(device, why))
        doubt(device)(connection)
    for command in unsettled(connection):
        if command.stage is not Stage.UNKNOWN:
            write(connection, _cut_off(command))
    return last(connection), lack or behind


def reset_head(connection: Connection, *, file: HeadFile) -> None:
    """Leave nothing in the file of an older and longer ledger. Raises DiskFailed."""
    with _usable(file):
        file.reset(last(connection))


def what_lacks(connection: Connection, written: Head | None) -> str:
    """What a ledger lacks of the head that was written beside it; empty if nothing."""
    end = last(connection)
    if written is None:
        return Message("the head beside the ledger is missing, or no head")
    if written.seq > end.seq:
        return Message("{what} at the end", what=missing(end.seq + 1, written.seq))
    query = "SELECT hash FROM ledger WHERE seq = ?"
    if written.seq and connection.execute(query, (written.seq,)).fetchone() != (written.hash,):
        return Message(
            "row {row} is not the one that was there: the ledger was written anew", row=written.seq
        )
    return ""


@contextmanager
def _usable(file: HeadFile) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DiskFailed(
            Message("{path} can't be used: {strerror}", path=file.path, strerror=error.strerror)
        ) from error


def _began(station: str, written: Head | None, quarantined: Quarantine | None) -> LedgerEntry:
    """The first row; it names the database that was put aside, and the last head of that."""
    return LedgerEntry(
        action=BEGAN,
        target=station,
        before={"head": str(written)} if written and written.seq else None,
        after={"follows": quarantined.form()} if quarantined else None,
        reason=Message("the database before it was damaged: {why}", why=quarantined.why)
        if quarantined
        else "",
    )


def renewed(why: str) -> LedgerEntry:
    """That the head beside the ledger was found to be another while an agent ran."""
    return LedgerEntry(action=RENEWED, target="ledger", reason=why)


def _behind(written: Head | None, end: Head) -> str:
    """By how much the head beside the ledger is behind its last row; "" where it is not."""
    if written is None or written.seq >= end.seq:
        return ""
    return Message(
        "the head beside the ledger was of row {row}, {rows} before the last: the agent before had not "
        "come to write it, or somebody has put an older one in its place",
        row=written.seq,
        rows=end.seq - written.seq,
    )


def _of_head(action: str, why: str, written: Head | None, found: Head) -> LedgerEntry:
    return LedgerEntry(
        action=action,
        target="ledger",
        before={"head": str(written)} if written else None,
        after={"head": str(found)},
        reason=why,
    )


def _doubted(device: str, why: str) -> LedgerEntry:
    text = Message("nobody knows what was under way: {why}", why=why)
    return LedgerEntry(action=DOUBTED, target=device, reason=text)


def _cut_off(command: Unsettled) -> CommandEntry:
    """The end of a command that the agent did not live to see."""
    return CommandEntry(
        action=command.action,
        target=command.target,
        job=command.job,
        reason=_CUT_OFF,
        command=command.command,
        stage=Stage.UNKNOWN,
    )
