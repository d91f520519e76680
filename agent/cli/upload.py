"""A file of this machine on its way into the agent's store, piece by piece and never in memory."""

from __future__ import annotations

import hashlib
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from agent.cli.client import AgentClient
from agent.cli.stored import examined, listed
from agent.cli.words import said
from agent.errors import DeviceTrouble, Refused
from agent.languages.message import Message

PIECE: Final = 1 << 18
"""Bytes that are read and sent at once."""

Went = Callable[[int], None]
"""Hears how many bytes have gone."""


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file of this machine: where it is, what it is to be called in the store, its bytes."""

    path: Path
    name: str
    size: int

    @classmethod
    def at(cls, path: Path, name: str | None = None) -> LocalFile:
        """The file at a path. Raises Refused where it is none that can be read, or the name is a path."""
        if name is not None and "/" in name:
            raise Refused(
                Message(
                    "{name} is not a plain file name: give the name alone, without a folder",
                    name=name,
                )
            )
        try:
            found = path.stat()
            if not stat.S_ISREG(found.st_mode):
                raise Refused(Message("{path} is no plain file", path=path))
            with path.open("rb"):
                pass
        except (OSError, ValueError) as error:
            raise _unreadable(path, error) from None
        return cls(path, name or path.name, found.st_size)

    def sha256(self) -> str:
        """What its content hashes to, in hex digits. Raises Refused."""
        found = hashlib.sha256()
        for piece in self.pieces():
            found.update(piece)
        return found.hexdigest()

    def pieces(self) -> Iterator[bytes]:
        """Yield exactly `size` bytes. Raises Refused when the file is no longer what it was."""
        left = self.size
        try:
            with self.path.open("rb") as source:
                while piece := source.read(min(PIECE, left)):
                    left -= len(piece)
                    yield piece
                changed = left or source.read(1)
        except OSError as error:
            raise _unreadable(self.path, error) from error
        if changed:
            raise Refused(
                Message(
                    "{path} was changed while it was read: is it still being written?",
                    path=self.path,
                )
            )


def already_kept(client: AgentClient, file: LocalFile, *, replace: bool) -> dict[str, Any] | None:
    """What the store says of this very file; None where it must be sent.

    Raises:
        Refused: It has another one of this name, and `replace` does not say that it may go.
    """
    other = listed(client, file.name)
    if other is None:
        return None
    if other["size"] == file.size:
        # Of a file that was put into the folder by hand only its examination tells the hash.
        told = other["sha256"] or examined(client, file.name)["sha256"]
        if told == file.sha256():
            return other
    if replace:
        return None
    raise Refused(
        Message(
            "the agent has another {name} already: --replace puts this one in its place, "
            "--name gives this one another name",
            name=file.name,
        )
    )


def send(client: AgentClient, file: LocalFile, *, replace: bool) -> dict[str, Any]:
    """Send a file, with a bar on a terminal, and return what the store says of it.

    Raises:
        Refused: The agent does not take it, or it was changed meanwhile.
        DeviceTrouble: The agent has kept something else than was sent.
        OutcomeUnknown: The agent went silent.
    """
    digest = hashlib.sha256()
    with _shown(file) as went:

        def body() -> Iterator[bytes]:
            for piece in file.pieces():
                digest.update(piece)
                yield piece
                went(len(piece))

        query = {"replace": "true"} if replace else {}
        told: dict[str, Any] = client.send("files", file.name, body=body(), size=file.size, **query)
    if told["sha256"] != digest.hexdigest():
        raise DeviceTrouble(
            Message("{name}: the agent has kept something else than was sent", name=file.name)
        )
    return told


@contextmanager
def _shown(file: LocalFile) -> Iterator[Went]:
    """Show on a terminal how much has gone; elsewhere nothing."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    # Rich takes 0.1 s to import, which nobody notices who sends a file.
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    console = Console(stderr=True, highlight=False, emoji=False)
    with Progress(*columns, TransferSpeedColumn(), console=console, transient=True) as bar:
        task = bar.add_task("sending", total=file.size)

        def went(count: int) -> None:
            bar.advance(task, count)
            if bar.tasks[0].finished:
                bar.update(task, description="being examined")

        yield went


def _unreadable(path: Path, error: OSError | ValueError) -> Refused:
    why = (getattr(error, "strerror", None) or str(error)).lower()
    return Refused(said(Message("{path} can't be read: {why}", path=path, why=why)))
