"""One file of the store, as drivers take it (drivers.TextFile)."""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TYPE_CHECKING, BinaryIO, Final

from agent.languages.message import Message
from agent.store.disk_threads import at_disk_thread
from agent.store.examiner import Examiner
from agent.store.file_errors import Unexamined, at_disk
from agent.store.file_folder import Entry, FileFolder, changed

if TYPE_CHECKING:
    from drivers import Survey

PIECE: Final = 1 << 16


class Printing:
    """Which files are being printed: those of a command that runs, and those that are open for it."""

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()

    def __contains__(self, name: str) -> bool:
        return self._open[name] > 0

    @contextmanager
    def of(self, name: str) -> Iterator[None]:
        """Count the file as being printed, for as long as the context lasts."""
        self._open[name] += 1
        try:
            yield
        finally:
            self._open[name] -= 1


class StoredFile:
    """The file that had this name when it was asked for. After any change it is read no more."""

    def __init__(
        self, entry: Entry, folder: FileFolder, examiner: Examiner, printing: Printing
    ) -> None:
        self.entry = entry
        self._folder, self._examiner, self._printing = folder, examiner, printing
        self._survey: Survey | None = None

    @property
    def name(self) -> str:
        """See drivers.TextFile."""
        return self.entry.name

    @property
    def size(self) -> int:
        """See drivers.TextFile."""
        return self.entry.stamp.size

    def printed(self) -> AbstractContextManager[None]:
        """Count it as being printed, for as long as the context lasts."""
        return self._printing.of(self.name)

    async def survey(self) -> Survey:
        """See drivers.TextFile. Raises what Examiner.survey does."""
        if self._survey is None:
            self._survey = await self._examiner.survey(self.entry)
        return self._survey

    async def pieces(self) -> AsyncIterator[bytes]:
        """See drivers.TextFile.

        Raises:
            UnknownName: The file is gone.
            Changed: It is not the one that was examined; when it changes later, also in the midst
                of it, and at its end, when what was read has not the hash that was examined.
            Unexamined: It was given up when it was examined, or could not be examined.
            NotKept: The disk could not read it.
        """
        survey = await self.survey()
        if not survey.sha256:
            why = (
                survey.trouble[0].text if survey.trouble else Message("nobody knows what is in it")
            )
            raise Unexamined(
                Message("{name} was given up when it was examined: {why}", name=self.name, why=why)
            )
        with self._printing.of(self.name):
            source = _Source(self._folder, self.entry, survey.sha256)
            try:
                while piece := await at_disk(source.read):
                    yield piece
            finally:
                await at_disk_thread(source.close)


@contextmanager
def in_use(values: Iterable[object]) -> Iterator[None]:
    """Keep the files among these from being removed or replaced, for as long as the context lasts."""
    with ExitStack() as held:
        for it in values:
            if isinstance(it, StoredFile):
                held.enter_context(it.printed())
        yield


class _Source:
    """The open file. Calls block, wait for each other, and do nothing after `close`."""

    def __init__(self, folder: FileFolder, entry: Entry, sha256: str) -> None:
        self._folder, self._entry, self._sha256 = folder, entry, sha256
        self._file: BinaryIO | None = None
        self._hash = hashlib.sha256()
        self._turn = threading.Lock()
        self._is_closed = False

    def read(self) -> bytes:
        """The next piece; empty at the end. Raises UnknownName, Changed, OSError."""
        with self._turn:
            if self._is_closed:  # who asked has gone away meanwhile
                return b""
            if self._file is None:
                self._file = self._folder.open(self._entry)
            piece = self._file.read(PIECE)
            self._hash.update(piece)
            is_other = not piece and self._hash.hexdigest() != self._sha256
            if is_other or not self._folder.is_same(self._file, self._entry):
                raise changed(self._entry.name)
            return piece

    def close(self) -> None:
        """Close it. A thread that reads holds it until it has read: its number may not go to others."""
        with self._turn:
            self._is_closed = True
            if self._file is not None:
                self._file.close()
