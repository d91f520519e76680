"""A damaged database is put aside, whole and with its hashes; nothing of it is deleted."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

FOLDER: Final = "damaged"
BESIDE: Final = ("-wal", "-shm", "")
"""What belongs to a database, in the order in which it goes: a log that stayed behind alone would
be taken for the new database's."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Quarantine:
    """Where a damaged database is now, what was wrong, and the SHA-256 of its files by name."""

    folder: Path
    why: str
    files: Mapping[str, str]

    def form(self) -> dict[str, Any]:
        """As it is written into the ledger that follows."""
        return {"folder": str(self.folder), "why": self.why, "files": dict(self.files)}


def quarantine(path: Path, moment: str, why: str) -> Quarantine:
    """Move a database and what belongs to it to `damaged/<moment>` beside it. Raises OSError."""
    folder = _new_folder(path.parent / FOLDER, moment)
    files = {}
    for ending in BESIDE:
        part = path.with_name(path.name + ending)
        if part.exists():
            files[part.name] = _sha256(part)
            part.rename(folder / part.name)
    for changed in (folder, folder.parent, path.parent):
        _sync(changed)
    return Quarantine(folder=folder, why=why, files=files)


def _new_folder(parent: Path, moment: str) -> Path:
    parent.mkdir(mode=0o750, exist_ok=True)
    number = 1
    while True:
        folder = parent / (moment if number == 1 else f"{moment}-{number}")
        try:
            folder.mkdir(mode=0o750)
        except FileExistsError:
            number += 1
        else:
            return folder


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(folder: Path) -> None:
    """Make its names last through a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
