"""Small files that are there whole or as they were before, whatever happens meanwhile.

Each is one JSON document with a digest of the rest of it. Every call blocks: use a thread.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from agent.languages.message import Message
from agent.store.folder import find, sync_folder
from agent.store.store_errors import Damaged, DiskFailed, NotRead

DIGEST: Final = "sha256"
LONGEST: Final = 4_000_000
"""Bytes; what is longer is no file of ours."""


def write_whole(path: Path, schema: str, document: Mapping[str, Any]) -> None:
    """Put a document in the place of the one before, on the disk for good. Raises DiskFailed."""
    body = {"schema": schema, **document}
    text = json.dumps({**body, DIGEST: _digest(body)}, ensure_ascii=False, indent=1)
    draft = path.with_name(f"{path.name}.part")
    try:
        with draft.open("w", encoding="utf-8") as file:
            file.write(f"{text}\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise DiskFailed(
            Message("{path} can't be written: {strerror}", path=path, strerror=error.strerror)
        ) from error


def read_whole(path: Path, schema: str) -> dict[str, Any]:
    """The document of this kind and version, unchanged since it was written.

    Raises:
        NotRead: There is none, or it can't be read.
        Damaged: It is not what was written, or of another version.
    """
    find(path)
    try:
        with path.open("rb") as file:
            raw = file.read(LONGEST + 1)
    except OSError as error:
        raise NotRead(
            Message("{path} can't be read: {strerror}", path=path, strerror=error.strerror)
        ) from error
    try:
        body = json.loads(raw[:LONGEST])
        digest = body.pop(DIGEST)
        written = body.pop("schema")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Damaged(
            Message(
                "{path} is damaged: it is no document of the agent ({error})",
                path=path,
                error=repr(error),
            )
        ) from error
    if written != schema:
        raise Damaged(
            Message(
                "{path} is of another version: {written!r}, not {schema!r}",
                path=path,
                written=written,
                schema=schema,
            )
        )
    if digest != _digest({"schema": schema, **body}):
        raise Damaged(Message("{path} is damaged: its digest does not fit its content", path=path))
    found: dict[str, Any] = body
    return found


def remove(path: Path) -> None:
    """Remove a file, and its draft, for good; it may be missing. Raises DiskFailed."""
    try:
        path.unlink(missing_ok=True)
        sync_folder(path.parent)
    except OSError as error:
        raise DiskFailed(
            Message("{path} can't be removed: {strerror}", path=path, strerror=error.strerror)
        ) from error


def _digest(body: Mapping[str, Any]) -> str:
    text = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
