"""Brings the tables up to date: all at once or not at all, and after a copy of what was there.

The only way back to an older agent is that copy: it refuses the newer tables, and writes nothing.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from agent.store.database import Connection
    from agent.store.schema import Step

FOLDER: Final = "backup"


def migrate(connection: Connection, path: Path, steps: Sequence[Step], moment: str) -> None:
    """Take the steps that the tables lack. An old database is copied before, whole and synced."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == len(steps):
        return
    if version:
        _back_up(connection, path, version, moment)
    connection.execute("BEGIN IMMEDIATE")
    for step in steps[version:]:
        for statement in step:
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {len(steps)}")
    connection.execute("COMMIT")


def backup_of(path: Path, version: int, moment: str) -> Path:
    """Where the copy of a database is, as it was with this version of its tables."""
    return path.parent / FOLDER / f"{path.stem}-v{version}-{moment}{path.suffix}"


def _back_up(connection: Connection, path: Path, version: int, moment: str) -> None:
    """Copy what is committed, also what is still in the log. Raises OSError and SQLite's errors."""
    copy = backup_of(path, version, moment)
    copy.parent.mkdir(mode=0o750, exist_ok=True)
    draft = copy.with_name(f".{copy.name}.part")
    draft.unlink(missing_ok=True)
    connection.execute("VACUUM INTO ?", (str(draft),))
    _sync(draft)
    draft.rename(copy)
    _sync(copy.parent)


def _sync(path: Path) -> None:
    """Make a file, or the names of a folder, last through a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
