"""The folder of run folders: which there are, and those that an agent which was ended has left open."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from agent.languages.message import Message
from agent.store import run_manifest
from agent.store.run_files import DRAFT, plain_name
from agent.store.run_manifest import FACTS, NAME, SIDECAR, Closed
from agent.store.store_errors import NotRead

BETWEEN: Final = "_"
"""What stands between a job's id and its recipe; no id has one."""
LEFT: Final = Message("the agent was ended, or the disk took no more, before the folder was closed")

NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Shelved:
    """A run folder, and whether it has a manifest."""

    path: Path
    is_closed: bool


class RunShelf:
    """Run folders side by side, each called after its job and recipe. Every call blocks."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def new(self, job: str, recipe: str) -> Path:
        """Where the folder of this job belongs; nothing is there yet. Raises OSError."""
        name = f"{plain_name(job.replace(BETWEEN, '-'))}{BETWEEN}{plain_name(recipe)}"
        path, number = self.folder / name, 1
        while path.exists():  # such as a job that was numbered anew after its ledger was put aside
            number += 1
            path = self.folder / f"{name}-{number}"
        return path

    def of(self, job: str) -> Shelved | None:
        """The folder of a job, the youngest if there are several. Raises OSError."""
        found = None
        for it in self.all():
            if job_of(it.path) == job:
                found = it
        return found

    def all(self) -> Iterator[Shelved]:
        """Every run folder, in the order of names. Raises OSError."""
        if not self.folder.is_dir():
            return
        for path in sorted(self.folder.iterdir()):
            if path.name.startswith(DRAFT) or path.is_symlink() or not path.is_dir():
                continue
            is_closed = run_manifest.is_closed(path)
            if is_closed or (path / FACTS).is_file():
                yield Shelved(path, is_closed)


def job_of(folder: Path) -> str:
    """The job whose run a folder has, by its name."""
    return folder.name.partition(BETWEEN)[0]


def close_left(folder: Path, closed_at: str, known: Mapping[str, Any] = NOTHING) -> Closed:
    """Close a folder that an agent has left open, with what is there. Raises OSError and NotRead.

    `known` is what is on record elsewhere of the job's end: its state, why, its verdict, and when.
    """
    facts, _ = run_manifest.read(folder, FACTS)
    for draft in folder.glob(f"{DRAFT}*"):
        draft.unlink()
    names = [name for name in files_of(folder) if name not in {NAME, SIDECAR}]
    ending: dict[str, Any] = {
        "state": "interrupted",
        "why": LEFT,
        "verdict": "none",
        "ended": None,
        "closed": closed_at,
        "tables": [],
        "printed": [],
        "lost": {},
        "notes": [Message("this folder was closed by a later start, with what was there")],
        **known,
    }
    return run_manifest.close(
        folder, {**facts, **ending}, run_manifest.listed_as_found(folder, names)
    )


def files_of(folder: Path) -> list[str]:
    """The names of everything in a folder that is no folder itself, links among them. Raises OSError."""
    found, waiting = [], [folder]
    while waiting:
        for path in waiting.pop().iterdir():
            if path.is_dir() and not path.is_symlink():
                waiting.append(path)
            else:
                found.append(path.relative_to(folder).as_posix())
    return sorted(found)


def recipe_named(folder: Path) -> dict[str, Any] | None:
    """The manifest of a folder, else what was known at its start; None where neither can be read."""
    for name in (NAME, FACTS):
        with suppress(NotRead):
            return run_manifest.read(folder, name)[0]
    return None
