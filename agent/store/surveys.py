"""What is known of each file, kept beside them in a hidden folder. Every call blocks: use a thread.

A line of what the list shows, then the survey in full as a line of its own. All of it counts only
as long as the file is the one that it was written of; else, and where it can't be understood, the
file is examined again.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import cache, partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final, Self

from agent.store.file_folder import FOLDER_MODE, Entry, FileFolder, names_in

if TYPE_CHECKING:
    from drivers import Survey

FOLDER: Final = ".surveys"
ENDING: Final = ".json"
_FORM: Final = 2
_READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC

log = logging.getLogger("labkeeper")


@dataclass(frozen=True, kw_only=True, slots=True)
class Summary:
    """The most important of a survey. None is what nobody knows.

    Attributes:
        lines: All lines.
        commands: Lines that would be sent.
        seconds: How long the print takes.
        slicer: Its name, "" where it does not say.
        layers: How many there are.
        filament_mm: Millimetres of filament.
        filament_g: Grams of filament.
        troubles: How many reasons there are why it can't be printed line by line.
    """

    lines: int
    commands: int
    seconds: float | None
    slicer: str
    layers: int | None
    filament_mm: float | None
    filament_g: float | None
    troubles: int

    @classmethod
    def of(cls, survey: Survey) -> Self:
        """The summary of a survey."""
        slicer = survey.slicer
        return cls(
            lines=survey.lines,
            commands=survey.commands,
            seconds=survey.seconds,
            slicer=slicer.name,
            layers=slicer.layers,
            filament_mm=slicer.filament_mm,
            filament_g=slicer.filament_g,
            troubles=len(survey.trouble) + survey.more_trouble,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """What is known of a file: its hash from the upload or a survey, "" where it has neither."""

    sha256: str = ""
    summary: Summary | None = None
    survey: Survey | None = None


NOTHING: Final = Known()


class Surveys:
    """What is known of the files of a folder."""

    def __init__(self, folder: FileFolder) -> None:
        self._folder = folder

    def of(self, entry: Entry) -> Known:
        """All that is known of a file."""
        return self._read(entry, in_full=True)

    def heads(self, entries: list[Entry]) -> list[Known]:
        """Hash and summary of each file, without the surveys."""
        return [self._read(entry, in_full=False) for entry in entries]

    def write(self, entry: Entry, sha256: str, survey: Survey | None = None) -> None:
        """Keep what is known of a file now. Where the disk does not take it, it is found anew."""
        with _told(entry.name), self._opened() as directory:
            self._write(directory, entry, sha256, survey)

    def forget(self, name: str) -> None:
        """Keep nothing of a file that is gone."""
        with _told(name), self._opened() as directory:
            _unlink(_called(name), directory)

    def tidy(self, names: set[str]) -> None:
        """Keep nothing of other files than these. Raises OSError."""
        wanted = {_called(name) for name in names}
        with self._opened() as directory:
            for found in names_in(directory):
                if found not in wanted:
                    _unlink(found, directory)

    def _write(self, directory: int, entry: Entry, sha256: str, survey: Survey | None) -> None:
        head = {
            "form": _FORM,
            "version": _version(),
            "stamp": asdict(entry.stamp),
            "sha256": sha256,
            "summary": asdict(Summary.of(survey)) if survey else None,
        }
        text = f"{json.dumps(head)}\n{survey.to_json() if survey else ''}\n"
        draft = f".{secrets.token_hex(8)}"
        try:
            with os.fdopen(os.open(draft, _NEW, 0o640, dir_fd=directory), "wb") as file:
                file.write(text.encode("utf-8", "backslashreplace"))
            os.rename(draft, _called(entry.name), src_dir_fd=directory, dst_dir_fd=directory)
        except OSError:
            _unlink(draft, directory)
            raise

    def _read(self, entry: Entry, *, in_full: bool) -> Known:
        try:
            with (
                self._opened() as directory,
                open(_called(entry.name), "rb", opener=partial(_open, directory)) as file,
            ):
                head = json.loads(file.readline())
                return self._known(entry, head, file.readline() if in_full else b"")
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return NOTHING  # it is examined again, and then written anew

    def _known(self, entry: Entry, head: dict[str, Any], rest: bytes) -> Known:
        if head["form"] != _FORM or head["stamp"] != asdict(entry.stamp):
            return NOTHING
        if head["summary"] is None or head["version"] != _version():
            return Known(sha256=head["sha256"])
        return Known(
            sha256=head["sha256"],
            summary=Summary(**head["summary"]),
            survey=survey_of(rest) if rest else None,
        )

    @contextmanager
    def _opened(self) -> Iterator[int]:
        with self._folder.opened() as above:
            with suppress(FileExistsError):  # it is made once
                os.mkdir(FOLDER, FOLDER_MODE, dir_fd=above)
            flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
            directory = os.open(FOLDER, flags, dir_fd=above)
        try:
            yield directory
        finally:
            os.close(directory)


def survey_of(text: bytes) -> Survey:
    """A survey from its JSON. Raises ValueError where the text is no survey."""
    from drivers import Survey  # with the first file that is looked at, and not by a start

    return Survey.from_json(text)


@cache
def _version() -> str:
    """The agent's: another one may examine in another way."""
    return version("labkeeper")


@contextmanager
def _told(name: str) -> Iterator[None]:
    """Say what the disk does not do; a file is as good without what is kept here."""
    try:
        yield
    except OSError as error:
        log.warning("what is known of %s is not kept: %s", name, error.strerror or error)


def _open(directory: int, name: str, _: int) -> int:
    return os.open(name, _READ, dir_fd=directory)


def _called(name: str) -> str:
    return f"{name}{ENDING}"


def _unlink(name: str, directory: int) -> None:
    try:
        os.unlink(name, dir_fd=directory)
    except FileNotFoundError:
        return
