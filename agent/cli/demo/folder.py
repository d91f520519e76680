"""The demo's folder: a temporary one or one that was asked for, and never one that is in use."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agent.cli.demo.recipes import copy_recipes
from agent.cli.demo.station import MARK
from agent.errors import AlreadyRunning, NoPermission, Refused
from agent.languages.message import Message


@contextmanager
def folder_for(wanted: Path | None) -> Iterator[Path]:
    """The folder that was asked for, or a temporary one that is removed at the end."""
    if wanted is not None:
        yield wanted.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="labkeeper-demo-", ignore_cleanup_errors=True) as made:
        yield Path(made)


@contextmanager
def prepared(folder: Path) -> Iterator[None]:
    """Hold the folder as long as the context lasts, and make it ready.

    Raises:
        AlreadyRunning: Another demo or an agent works there; its devices are not ours to move.
        NoPermission: The folder can't be made or written.
        Refused: It has a station of somebody's own.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = _locked(folder / "demo.lock", Message("another demo"))
    except OSError as error:
        raise _unusable(folder, error) from error
    try:
        _fill(folder)
        yield
    finally:
        os.close(lock)


def _fill(folder: Path) -> None:
    config = folder / "station.yaml"
    try:
        # The agent takes this lock itself when it starts; here it is only asked whether it is free.
        os.close(_locked(folder / "agent.lock", Message("an agent")))
        if config.exists() and not config.read_text("utf-8", "replace").startswith(MARK):
            raise Refused(
                Message(
                    "{config} is not the demo's: choose another folder for --state", config=config
                )
            )
        for part in ("files", "broker", "ports", "recipes"):
            (folder / part).mkdir(exist_ok=True)
        copy_recipes(folder / "recipes")
    except OSError as error:
        raise _unusable(folder, error) from error


def _locked(path: Path, who: str) -> int:
    """Open a file and lock it. Raises AlreadyRunning, which names who has it, and OSError."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise AlreadyRunning(
            Message(
                "--state: {who} works with {parent}: end it first, or choose another folder",
                who=who,
                parent=path.parent,
            )
        ) from None
    return lock


def _unusable(folder: Path, error: OSError) -> NoPermission:
    why = (error.strerror or str(error)).lower()
    return NoPermission(
        Message("--state: {folder} can't be used: {why}; choose another", folder=folder, why=why)
    )
