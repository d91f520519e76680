"""The machine that is worked on: this one, or a folder that holds one, such as an image.

Whatever changes it is said before it is done, and with `dry` only said.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agent.errors import CannotStart, NoPermission
from agent.languages.message import N_, Message

SYSTEMD_RUNS: Final = Path("/run/systemd/system")
MORE_PATHS: Final = "/usr/local/sbin:/usr/sbin:/sbin"
"""Where the programs of an administrator are; `su` without a dash leaves them out of PATH."""
MOST_SAID: Final = 2000
"""Characters of a complaint; its end says most."""
WITHIN_S: Final = 300.0
"""How long a program may take; starting an agent whose disk hangs takes up to a minute."""


class StepFailed(CannotStart):
    """A program that a step needs is missing, or ended badly."""


@dataclass(frozen=True, kw_only=True)
class Root:
    """A machine's file system.

    Attributes:
        folder: Where it begins; `/` is this machine.
        dry: Whether steps are only said.
        tell: Takes a sentence for a person before each step.
    """

    folder: Path = Path("/")
    dry: bool = False
    tell: Callable[[str], None]

    def inside(self, path: str | Path) -> Path:
        """Where a path of that machine is on this one."""
        return self.folder / Path(path).relative_to("/")

    @property
    def is_this_machine(self) -> bool:
        """Whether it is this machine and no folder."""
        return self.folder == Path("/")

    @property
    def is_live(self) -> bool:
        """Whether its systemd runs, and can be told of changes."""
        return self.is_this_machine and SYSTEMD_RUNS.is_dir()

    def check_rights(self) -> None:
        """Raise NoPermission where this user may not change the machine, StepFailed without one."""
        if not self.folder.is_dir():
            text = N_("there is no folder {path}: --root names one that holds a machine")
            raise StepFailed(Message(text, path=self.folder))
        if self.is_this_machine and not self.dry and os.geteuid() != 0:
            raise NoPermission(
                Message("only root may change this machine: put sudo before it, or try --dry-run")
            )

    def does(self, step: str) -> bool:
        """Say the step; whether it is to be done."""
        self.tell(step)
        return not self.dry

    def write(self, path: str, content: bytes, mode: int = 0o644) -> None:
        """Replace a file as a whole, so that a power cut leaves the old one or the new one."""
        if not self.does(Message("write {path}", path=path)):
            return
        with translated(path):
            replace_whole(self.inside(path), content, mode)

    def link(self, path: str, target: str) -> None:
        """Let a link point elsewhere, all at once."""
        if not self.does(Message("let {path} be {target}", path=path, target=target)):
            return
        where = self.inside(path)
        with translated(path):
            where.parent.mkdir(parents=True, exist_ok=True)
            draft = where.with_name(f".{where.name}.part")
            draft.unlink(missing_ok=True)
            draft.symlink_to(target)
            draft.replace(where)
            sync_folder(where.parent)

    def remove(self, path: str) -> None:
        """Remove a file, a link or a whole folder, if it is there."""
        where = self.inside(path)
        if not os.path.lexists(where) or not self.does(Message("remove {path}", path=path)):
            return
        with translated(path):
            if where.is_dir() and not where.is_symlink():
                shutil.rmtree(where)
            else:
                where.unlink()

    def run(self, *command: str, needed: bool = True) -> None:
        """Run a program of this machine.

        Raises:
            StepFailed: It ended badly, or is not there; not where it is not `needed`.
        """
        if not self.does(Message("run {command}", command=" ".join(command))):
            return
        failure = tried(command)
        if failure and needed:
            raise StepFailed(failure)
        if failure:
            self.tell(failure)


class translated:  # noqa: N801 - it reads as a verb: with translated(path)
    """Make an error of the file system one that a person understands."""

    def __init__(self, path: str | Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        """Nothing to do."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Raise StepFailed in place of OSError."""
        if isinstance(error, OSError):
            text = N_("{path} can't be changed: {why}; nothing after it was done")
            raise StepFailed(Message(text, path=self._path, why=error.strerror or error)) from error


@dataclass(frozen=True)
class Ran:
    """A program that was started: what it said, and what went wrong, "" if nothing did."""

    said: str
    failure: str


def tried(command: Sequence[str | Path], *, more: dict[str, str] | None = None) -> str:
    """Run a program to its end. What went wrong as a sentence; "" if nothing did."""
    return started(command, more=more).failure


def started(command: Sequence[str | Path], *, more: dict[str, str] | None = None) -> Ran:
    """Run a program to its end, in this environment and `more`."""
    environment = {**os.environ, **(more or {})}
    environment["PATH"] = f"{environment.get('PATH', '/usr/bin:/bin')}:{MORE_PATHS}"
    name = str(command[0])
    program = shutil.which(name, path=environment["PATH"])
    if program is None:
        return Ran("", Message("{name} is not installed here", name=name))
    try:
        ended = subprocess.run(
            [program, *map(str, command[1:])],
            capture_output=True,
            env=environment,
            cwd="/",  # where this was started may be gone by then
            timeout=WITHIN_S,
            check=False,
            text=True,
            errors="replace",
        )
    except subprocess.TimeoutExpired:
        text = N_("{name} did not end within {within:g} s")
        return Ran("", Message(text, name=name, within=WITHIN_S))
    if not ended.returncode:
        return Ran(ended.stdout, "")
    code = Message("exit code {code}", code=ended.returncode)
    said = ended.stderr.strip() or ended.stdout.strip() or code
    words = " ".join(map(str, command))
    failed = Message("{command} failed: {said}", command=words, said=said[-MOST_SAID:])
    return Ran(ended.stdout, failed)


def replace_whole(path: Path, content: bytes, mode: int) -> None:
    """Write a file under another name, synced, and let it take the place. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.part")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(handle, "wb") as file:
        os.fchmod(handle, mode)  # whatever the umask is
        file.write(content)
        file.flush()
        os.fsync(handle)
    draft.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder last through a power cut. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
