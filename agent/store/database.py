"""The station's database: one connection that writes, one that reads, each in a thread of its own.

The only file that imports sqlite3; its exceptions die here, by a table. The log is written ahead
(WAL), and a commit returns when it is on the disk (`synchronous=FULL`). All that asks to be
written while one commit waits for the disk shares the next one, and each part of it is done or
undone by itself.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Final, Self, TypeAlias, TypeVar
from urllib.parse import quote

from agent.clock import Clock
from agent.errors import CannotStart
from agent.spread import Spread
from agent.store.disk_trouble import concerns_all, is_damage, meaning
from agent.store.folder import find
from agent.store.log_ahead import LogAhead, copy_log, empty_log
from agent.store.migration import migrate
from agent.store.moments import compact
from agent.store.quarantine import Quarantine, quarantine
from agent.store.schema import STEPS
from agent.store.store_errors import (
    Damaged,
    NewerSchema,
    NotRead,
    NotRecorded,
    RecordingEnded,
    WriteRefused,
)
from agent.store.worker import Job, Jobs, Worker, fail

Connection: TypeAlias = sqlite3.Connection
T = TypeVar("T")

NAME: Final = "station.db"
"""What the database is called in the state folder."""
OLDEST: Final = (3, 38)
"""Of SQLite: the tables are STRICT, and JSON is taken apart by operators."""
BUSY_S: Final = 2.0
"""How long another program may hold the database before a write is given up."""
COMMIT_BOUNDS: Final = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 5.0)

log = logging.getLogger("labkeeper")


class Database:
    """The database of one state folder: `async with Database(path, clock) as database`.

    A damaged file is put aside, and `quarantined` says where; a new one takes its place.

    Raises:
        NewerSchema: A later agent has written it.
        CannotStart: It can't be opened or made.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self.path = path
        self.quarantined: Quarantine | None = None
        self.after_commit: Callable[[Connection], None] = lambda _: None
        """Runs in the writing thread after commits, when those who waited were told and none follows."""
        self.commits = Spread(COMMIT_BOUNDS)
        """How long what shares a commit took, from the first of it to the disk's word."""
        self._clock = clock
        self._writer = Worker("labkeeper[database writer]", self._write_all, self._afterwards)
        self._reader = Worker("labkeeper[database reader]", _read_all)
        self._failure = ""
        self._has_failed = asyncio.Event()
        self._log_ahead = LogAhead()

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self._open)
        self._loop = asyncio.get_running_loop()
        self._writer.begin()
        self._reader.begin()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._reader.end()
        await self._writer.end()
        await asyncio.to_thread(self._close)

    async def write(self, work: Callable[[Connection], T], what: str) -> T:
        """Do `work` in a transaction, and return its result when that is on the disk.

        It is done whether or not the caller still waits. What `work` raises undoes it alone.

        Raises:
            WriteRefused: A rule of the tables forbids it.
            NotRecorded: The disk does not take it; the message says that `what` is not on record.
        """
        return await self._writer.done(partial(work, self._writing), what)

    def begin_write(self, work: Callable[[Connection], T], what: str) -> "asyncio.Future[T]":
        """Begin the same; it is done in the order of the calls. Raises RecordingEnded once closed."""
        return self._writer.begun(partial(work, self._writing), what)

    def write_unawaited(self, work: Callable[[Connection], object], what: str) -> None:
        """The same, for who can't wait because it is being cancelled. A failure is logged."""
        self._writer.done_unawaited(partial(work, self._writing), what)

    async def read(self, work: Callable[[Connection], T], what: str) -> T:
        """Do `work` on what is committed. Raises NotRead, which says that `what` can't be read."""
        return await self._reader.done(partial(work, self._reading), what)

    async def failed(self) -> str:
        """Wait until nothing can be recorded any more, and say why: the agent has to end then."""
        await self._has_failed.wait()
        return self._failure

    def _open(self) -> None:
        if sqlite3.sqlite_version_info < OLDEST:
            raise CannotStart(f"SQLite {sqlite3.sqlite_version} is too old: install 3.38 or later")
        with _at_start(self.path):
            if self.path.exists() and (damage := _damage(self.path)):
                self.quarantined = quarantine(self.path, compact(self._clock.utc()), damage)
            self._writing = _writable(self.path, compact(self._clock.utc()))
            self._reading = _read_only(self.path)

    def _close(self) -> None:
        self._reading.close()
        with suppress(sqlite3.Error):  # what was acknowledged is in the log, copied or not
            self._writing.close()

    def _write_all(self, jobs: Jobs) -> None:
        if self._failure:
            return fail(jobs, RecordingEnded, self._failure)
        try:
            self._transact(jobs)
            self._log_ahead.grew(len(jobs))
        except sqlite3.Error as error:
            kind, why = _told(error)
            fail(jobs, kind, why)
            if kind is RecordingEnded:
                self._end(why)

    def _transact(self, jobs: Jobs) -> None:
        begun = self._clock.monotonic()
        self._writing.execute("BEGIN IMMEDIATE")
        try:
            for job in jobs:
                self._do(job, is_alone=len(jobs) == 1)
            self._writing.execute("COMMIT")
        except sqlite3.Error:
            with suppress(sqlite3.Error):  # the first error counts; SQLite may have rolled back
                self._writing.execute("ROLLBACK")
            raise
        self.commits.took(self._clock.monotonic() - begun)

    def _do(self, job: Job[Any], *, is_alone: bool) -> None:
        """Do one of several jobs, or undo it alone. Raises sqlite3.Error where it ends them all."""
        if not is_alone:
            self._writing.execute("SAVEPOINT one")
        try:
            job.result = job.work()
        except sqlite3.IntegrityError as error:
            job.error = WriteRefused(f"not recorded: {job.what}: {error}")
        except Exception as error:
            if isinstance(error, sqlite3.Error) and concerns_all(_name(error)):
                raise
            job.error = error
        if job.error is not None:
            for step in ("ROLLBACK", "BEGIN IMMEDIATE") if is_alone else ("ROLLBACK TO one",):
                self._writing.execute(step)
        if not is_alone:
            self._writing.execute("RELEASE one")

    def _afterwards(self) -> None:
        if self._failure:
            return
        try:
            self.after_commit(self._writing)
            if self._log_ahead.is_to_be_copied():
                # Here, and not within a commit, where somebody would wait for it.
                copy_log(self._writing, self.path)
        except sqlite3.Error as error:
            kind, why = _told(error)
            if kind is RecordingEnded:
                self._end(why)
            else:
                log.warning("the database's log was not copied: %s", why)

    def _end(self, why: str) -> None:
        self._failure = f"{why}; nothing more is recorded until the agent is started anew"
        self._loop.call_soon_threadsafe(self._has_failed.set)


@contextmanager
def reading(path: Path) -> Iterator[Connection]:
    """Open a database for reading alone, beside an agent or without. Texts are bytes. Raises NotRead."""
    find(path)
    try:
        with closing(_read_only(path)) as connection:
            connection.text_factory = bytes
            yield connection
    except sqlite3.Error as error:
        kind = Damaged if is_damage(_name(error)) else NotRead
        raise kind(f"{path} can't be read: {_told(error)[1]}") from error
    except UnicodeDecodeError as error:  # of the name of a column, before any row
        raise Damaged(f"{path} can't be read: {error}") from error


def _read_all(jobs: Jobs) -> None:
    for job in jobs:
        try:
            job.result = job.work()
        except sqlite3.Error as error:
            job.error = NotRead(f"can't be read: {job.what}: {_told(error)[1]}")
        except Exception as error:  # noqa: BLE001 - whoever waits for it gets it
            job.error = error


def _writable(path: Path, moment: str) -> Connection:
    connection = _connected(path, "rwc")
    try:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("PRAGMA journal_mode = WAL")
        migrate(connection, path, STEPS, moment)
        with suppress(sqlite3.Error):  # then the rows stay in the log, where they are as safe
            empty_log(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _read_only(path: Path) -> Connection:
    connection = _connected(path, "ro")
    try:
        connection.execute("PRAGMA user_version")
    except sqlite3.OperationalError:
        connection.close()
        # Beside a file with a log ahead SQLite makes one of its own, which a folder on a disk that
        # is read-only does not take. Without a log there is nothing in it, and no need for it.
        log_ahead = path.with_name(f"{path.name}-wal")
        if log_ahead.exists() and log_ahead.stat().st_size:
            raise
        connection = _connected(path, "ro&immutable=1")
    return connection


def _connected(path: Path, mode: str) -> Connection:
    return sqlite3.connect(
        f"file:{quote(str(path))}?mode={mode}",
        uri=True,
        timeout=BUSY_S,
        isolation_level=None,  # transactions begin and end where it is written
        check_same_thread=False,  # opened in one thread, used in another, never in two at once
    )


def _damage(path: Path) -> str:
    """What is wrong with a database; empty if nothing is. Raises NewerSchema.

    Nothing is written to it: a later agent's stays as it is.
    """
    try:
        with closing(_read_only(path)) as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version > len(STEPS):
                raise NewerSchema(
                    f"{path} was written by a later labkeeper (version {version} of its tables, "
                    f"this one knows {len(STEPS)}): install that one again, "
                    "or give this station another `state`"
                )
            (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            return "" if found == "ok" else str(found)
    except sqlite3.DatabaseError as error:
        if not is_damage(_name(error)):
            raise
        return str(error)


@contextmanager
def _at_start(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        why = _told(error)[1] if isinstance(error, sqlite3.Error) else error.strerror
        raise CannotStart(
            f"{path} can't be used: {why}; mend it, or give this station another `state`"
        ) from error


def _told(error: Exception) -> tuple[type[NotRecorded], str]:
    """What kind of failure it is, and its words."""
    return meaning(_name(error), str(error))


def _name(error: Exception) -> str:
    """What SQLite calls it; empty where Python's own module complains."""
    return getattr(error, "sqlite_errorname", "")
