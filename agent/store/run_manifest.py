"""The manifest of a run folder: what the run was, and of each file its size and SHA-256.

It is one canonical JSON text. Its own SHA-256 stands beside it in `manifest.sha256`, as `sha256sum
--check` reads it, and in the ledger, where nobody who replaces the folder can replace it.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from agent.languages.message import Message
from agent.store.chain import canonical
from agent.store.run_files import digest_of, opened, sync_folder, written
from agent.store.store_errors import NotRead

SCHEMA: Final = "labkeeper/run/1"
NAME: Final = "manifest.json"
SIDECAR: Final = "manifest.sha256"
FACTS: Final = "job.json"
"""What was known at the start; the manifest has it as well. A folder without it is none of ours."""
RUN_CLOSED: Final = "run.closed"
"""The action under which the ledger has the SHA-256 of a manifest."""
MOST_BYTES: Final = 64_000_000
"""A manifest that is larger is nobody's work but a mistake's."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Listed:
    """A file of the manifest."""

    name: str
    size: int
    sha256: str

    def form(self) -> dict[str, Any]:
        """As JSON."""
        return {"name": self.name, "size": self.size, "sha256": self.sha256}


@dataclass(frozen=True, kw_only=True, slots=True)
class Closed:
    """A run folder that was closed: where it is, whose it is, and the SHA-256 of its manifest."""

    folder: Path
    job: str
    recipe: str
    state: str
    sha256: str
    files: int


def close(folder: Path, form: Mapping[str, Any], files: Iterable[Listed]) -> Closed:
    """Write the manifest and what stands beside it; the folder is whole from then on. Raises OSError.

    The manifest comes last and under its own name at once: a folder has a whole one, or none.
    """
    listed = sorted(files, key=lambda it: it.name)
    whole = {**form, "schema": SCHEMA, "files": [it.form() for it in listed]}
    text = f"{canonical(whole)}\n".encode()
    digest = hashlib.sha256(text).hexdigest()
    for name, data in ((SIDECAR, sidecar(digest)), (NAME, text)):
        draft = folder / f".{name}.part"
        draft.unlink(missing_ok=True)  # of a start that was killed while it closed the folder
        written(draft, data)
        draft.replace(folder / name)
    sync_folder(folder)
    return Closed(
        folder=folder,
        job=whole["job"],
        recipe=whole["recipe"]["name"],
        state=whole["state"],
        sha256=digest,
        files=len(listed),
    )


def sidecar(digest: str) -> bytes:
    """What stands in the file beside a manifest of this SHA-256."""
    return f"{digest}  {NAME}\n".encode()


def read(folder: Path, name: str = NAME) -> tuple[dict[str, Any], str]:
    """The manifest, or the facts of the start, of a folder; and the SHA-256 of its text.

    Raises:
        NotRead: It is not there, can't be read, or is none.
    """
    raw = read_bytes(folder, name)
    try:
        form = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise NotRead(
            Message("{name} is no JSON any more: {error}", name=name, error=error)
        ) from None
    if not isinstance(form, dict) or form.get("schema") != SCHEMA:
        raise NotRead(
            Message(
                "{name} is not what labkeeper writes: its schema is not {schema}",
                name=name,
                schema=SCHEMA,
            )
        )
    return form, hashlib.sha256(raw).hexdigest()


def read_bytes(folder: Path, name: str) -> bytes:
    """A small file of a folder. Raises NotRead."""
    try:
        descriptor = opened(folder, name)
        with os.fdopen(descriptor, "rb") as file:
            raw = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise NotRead(
            Message("{path} can't be read: {why}", path=name, why=error.strerror)
        ) from None
    if len(raw) > MOST_BYTES:
        raise NotRead(
            Message(
                "{name} is larger than {most:,} bytes: it is none of labkeeper's",
                name=name,
                most=MOST_BYTES,
            )
        )
    return raw


def is_closed(folder: Path) -> bool:
    """Whether the folder has a manifest. Raises OSError."""
    with suppress(FileNotFoundError):
        (folder / NAME).lstat()
        return True
    return False


def listed_as_found(folder: Path, names: Iterable[str]) -> list[Listed]:
    """Files as they are now, read through. Raises OSError."""
    found = []
    for name in names:
        descriptor = opened(folder, name)
        try:
            sha256, size = digest_of(descriptor)
        finally:
            os.close(descriptor)
        found.append(Listed(name=name, size=size, sha256=sha256))
    return found
