"""The station's own folder of files to print. A caller gives a name, never a path."""

from collections.abc import AsyncIterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agent.languages.message import Message
from agent.store.draft import Draft, already_there
from agent.store.examination import examined
from agent.store.examiner import Examine, Examiner
from agent.store.file_errors import Incomplete, InUse, NoRoom, at_disk
from agent.store.file_folder import Entry, FileFolder
from agent.store.file_names import stored_name
from agent.store.room import Room
from agent.store.stored_file import Printing, StoredFile
from agent.store.surveys import Known, Summary, Surveys
from agent.store.thumbnail import Picture, picture

LIMIT: Final = 4096 * 1_000_000
"""Bytes that the store may hold where nothing else is said."""
BLOCK: Final = 1 << 20
"""Bytes of an upload that are gathered before they are written."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Listed:
    """A file as the list shows it: bytes, when it was last written (s UTC), and what is known.

    `sha256` is "" and `summary` None of a file that somebody else has put there, until it is
    examined.
    """

    name: str
    size: int
    modified: float
    sha256: str = ""
    summary: Summary | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Listing:
    """All files by name, and the bytes: used, allowed, and free to be used."""

    files: tuple[Listed, ...]
    used: int
    limit: int
    free: int


class FileStore:
    """Files in one flat folder, which hold `limit` bytes in all. One agent alone works with it.

    A disk that fails is a NotKept from any call, and one that is full a NoRoom.
    """

    def __init__(self, folder: Path, *, limit: int = LIMIT, examine: Examine = examined) -> None:
        self._folder = FileFolder(folder)
        self._surveys = Surveys(self._folder)
        self._examiner = Examiner(self._folder, self._surveys, examine)
        self._room = Room(self._folder.usage, limit)
        self._printing = Printing()
        self._arriving: set[str] = set()

    async def tidy(self) -> None:
        """Remove what an agent that was killed has left. Uploads may go on meanwhile."""
        await at_disk(self._tidy)

    async def named(self, name: str) -> StoredFile:
        """Return the file of this name.

        Raises:
            BadName: No file may be called so.
            UnknownName: There is no such file, or it is a link or a folder.
        """
        entry = await at_disk(self._folder.get, stored_name(name))
        return StoredFile(entry, self._folder, self._examiner, self._printing)

    async def listing(self) -> Listing:
        """All files, with what is known of them without examining any."""
        files = await at_disk(self._listed)
        usage = await at_disk(self._folder.usage)
        return Listing(
            files=tuple(files),
            used=usage.stored + usage.drafts,
            limit=self._room.limit,
            free=self._room.free(usage),
        )

    async def add(
        self,
        name: str,
        pieces: AsyncIterable[bytes],
        size: int | None = None,
        *,
        replace: bool = False,
    ) -> Listed:
        """Store a file, whole or not at all. `size` is its length in bytes, if that is known.

        Nothing is asked of `pieces` when the file is refused before its first byte.

        Raises:
            BadName: No file may be called so.
            AlreadyThere: A file is called so, and `replace` is false.
            InUse: It is to be replaced and is being printed, or another upload of it is under way.
            NoRoom: It is larger than what the store or the disk can take.
            Incomplete: `pieces` are not `size` bytes.
        """
        name = stored_name(name)
        with self._arrives(name):
            await self._check_free(name, replace=replace)
            draft = Draft(self._folder)
            try:
                await self._room.grant(draft, size or 0)
                await self._fill(draft, pieces, size)
                self._check_not_printed(name)
                return await at_disk(self._publish, draft, name, replace=replace)
            except NoRoom as error:
                raise error.during(name) from error
            finally:
                self._room.give_back(draft)
                await at_disk(draft.discard)

    async def remove(self, name: str) -> Listed:
        """Remove a file, and what is known of it; return what it was.

        Raises:
            BadName: No file may be called so.
            UnknownName: There is no such file.
            InUse: It is being printed.
        """
        name = stored_name(name)
        self._check_not_printed(name)
        return await at_disk(self._remove, name)

    async def known(self, file: StoredFile) -> Listed:
        """A file as the list shows it."""
        return _listed(file.entry, await at_disk(self._surveys.of, file.entry))

    async def picture(self, file: StoredFile) -> Picture | None:
        """The largest picture that the slicer has put into the file; None where there is none.

        Raises what StoredFile.survey does.
        """
        survey = await file.survey()
        return await at_disk(picture, self._folder, file.entry, survey.slicer.thumbnails)

    @contextmanager
    def _arrives(self, name: str) -> Iterator[None]:
        if name in self._arriving:
            raise InUse(
                Message("another upload of {name} is under way: wait for its end", name=name)
            )
        self._arriving.add(name)
        try:
            yield
        finally:
            self._arriving.discard(name)

    async def _check_free(self, name: str, *, replace: bool) -> None:
        """Refuse before the first byte what would be refused after the last."""
        there = await at_disk(self._folder.find, name)
        if there is not None and not replace:
            raise already_there(name)
        self._check_not_printed(name)

    def _check_not_printed(self, name: str) -> None:
        if name in self._printing:
            raise InUse(
                Message(
                    "{name} is being printed: wait for the end of the print, or cancel it",
                    name=name,
                )
            )

    async def _fill(self, draft: Draft, pieces: AsyncIterable[bytes], size: int | None) -> None:
        waiting = bytearray()
        async for piece in pieces:
            waiting += piece
            if len(waiting) >= BLOCK:
                await self._write(draft, waiting, size)
                waiting = bytearray()
        await self._write(draft, waiting, size)
        if size is not None and draft.size != size:
            raise Incomplete(
                Message(
                    "{size} bytes arrived of {size_2} that were announced",
                    size=draft.size,
                    size_2=size,
                )
            )

    async def _write(self, draft: Draft, data: bytearray, size: int | None) -> None:
        whole = draft.size + len(data)
        if size is None:
            await self._room.grant(draft, whole)
        elif whole > size:
            raise Incomplete(
                Message("more bytes arrived than the {size} that were announced", size=size)
            )
        await at_disk(draft.write, data)

    def _publish(self, draft: Draft, name: str, *, replace: bool) -> Listed:
        entry = draft.publish(name, replace=replace)
        self._surveys.write(entry, draft.sha256)
        return _listed(entry, Known(sha256=draft.sha256))

    def _remove(self, name: str) -> Listed:
        entry = self._folder.get(name)
        [known] = self._surveys.heads([entry])
        self._folder.remove(entry)
        self._surveys.forget(name)
        return _listed(entry, known)

    def _tidy(self) -> None:
        self._folder.remove_drafts()
        self._surveys.tidy({entry.name for entry in self._folder.entries()})

    def _listed(self) -> list[Listed]:
        entries = self._folder.entries()
        known = self._surveys.heads(entries)
        return [_listed(entry, what) for entry, what in zip(entries, known, strict=True)]


def _listed(entry: Entry, known: Known) -> Listed:
    return Listed(
        name=entry.name,
        size=entry.stamp.size,
        modified=entry.stamp.modified / 1e9,
        sha256=known.sha256,
        summary=known.summary,
    )
