"""The token that changes over TCP need: in a file that only the agent's user can read."""

import errno
import os
import secrets
import stat
import tempfile
from pathlib import Path
from typing import Final

from agent.errors import CannotStart, NoPermission
from agent.languages.message import Message

SHORTEST: Final = 32
LONGEST: Final = 512


def read_or_make_token(path: Path) -> str:
    """Return the token in this file; the first time, make one of 256 random bits.

    Raises:
        NoPermission: The file can't be read or made.
        CannotStart: Others can read the file, it is no plain file, or it holds no token.
    """
    try:
        try:
            return _read(path)
        except FileNotFoundError:
            return _make(path)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise CannotStart(
                Message("{path} is a link: give api.token_file the file itself", path=path)
            ) from error
        why = os.strerror(error.errno or 0).lower()
        raise NoPermission(
            Message(
                "api.token_file: {path} can't be used: {why}; give the agent's user the right "
                "to it, or choose another path",
                path=path,
                why=why,
            )
        ) from error


def _read(path: Path) -> str:
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        _check(os.fstat(handle), path)
        text = os.read(handle, LONGEST + 1).decode("ascii", "replace").strip()
    finally:
        os.close(handle)
    if not (SHORTEST <= len(text) <= LONGEST and text.isascii() and text.isprintable()):
        raise CannotStart(
            Message(
                "{path} holds no token of {shortest} to {longest} ASCII characters: delete the "
                "file, and the agent makes a new one",
                path=path,
                shortest=SHORTEST,
                longest=LONGEST,
            )
        )
    return text


def _check(found: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise CannotStart(
            Message("{path} is not a plain file: give api.token_file another path", path=path)
        )
    if found.st_mode & 0o077:
        raise CannotStart(
            Message(
                "{path} can be read or written by others than its owner: whoever read it can "
                "change settings; delete the file to get a new token, or keep this one with: "
                "chmod 600 {path}",
                path=path,
            )
        )
    if found.st_uid not in {os.geteuid(), 0}:
        raise CannotStart(
            Message("{path} belongs to another user: delete it, or choose another path", path=path)
        )


def _make(path: Path) -> str:
    """Write the whole file under another name first, so that it is never seen half written."""
    token = secrets.token_urlsafe(32)
    handle, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # with mode 0600
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(f"{token}\n")
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(path)
    except OSError:
        Path(draft).unlink(missing_ok=True)
        raise
    return token
