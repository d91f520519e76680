"""Writes one run folder while its job runs. Every call blocks, in one thread, and raises OSError.

What was written is handed to the system line by line, so that an agent that is killed leaves it;
`sync` has it survive a power cut as well. Room for the end is kept from the start: a disk that is
full when the job ends still takes the manifest.
"""

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from agent.store import run_manifest, run_tables
from agent.store.chain import canonical
from agent.store.run_files import GrowingFile, begun, plain_name, sync_folder, written
from agent.store.run_manifest import FACTS, SCHEMA, Closed, Listed
from agent.store.run_tables import BOM, Column

RESERVE: Final = ".room"
RESERVED_BYTES: Final = 1 << 18
READINGS: Final = "readings"
WIRE: Final = "wire"
MEASURES: Final = "measures.csv"
JOURNAL: Final = "journal.csv"
EVENTS: Final = "events.csv"
HEADINGS: Final[Mapping[str, Sequence[str]]] = {
    MEASURES: run_tables.MEASURES,
    JOURNAL: run_tables.JOURNAL,
    EVENTS: run_tables.EVENTS,
}


class Table:
    """One table of readings: its file, its columns, and how many rows it has."""

    def __init__(self, name: str, file: str, columns: Sequence[Column]) -> None:
        self.name, self.file, self.columns = name, file, tuple(columns)
        self.rows = 0

    def form(self) -> dict[str, Any]:
        """As JSON."""
        columns = [column.form() for column in self.columns]
        return {"name": self.name, "file": self.file, "rows": self.rows, "columns": columns}


class RunWriter:
    """The folder of one run. `began` is in seconds UTC; times in its tables count from there."""

    def __init__(self, folder: Path, facts: Mapping[str, Any], began: float) -> None:
        self.folder, self.facts = folder, facts
        self._began = began
        self._files: dict[str, GrowingFile] = {}
        self._whole: list[Listed] = []
        self.tables: dict[tuple[str, tuple[Column, ...]], Table] = {}

    def begin(self, sources: Mapping[str, bytes]) -> None:
        """Make the folder with the facts of the start and these files in it, at once or not at all."""
        draft = self.folder.with_name(f".{self.folder.name}")
        draft.mkdir(mode=0o750, parents=True)
        try:
            facts = f"{canonical({**self.facts, 'schema': SCHEMA})}\n".encode()
            for name, data in {**sources, FACTS: facts}.items():
                self._whole.append(_listed(name, written(draft / name, data)))
            for name, heading in HEADINGS.items():
                self._files[name] = GrowingFile(draft / name)
                self._files[name].write(BOM + run_tables.line(heading))
            _reserve(draft / RESERVE)
            draft.rename(self.folder)
        except OSError:
            for file in self._files.values():
                file.close()
            shutil.rmtree(draft, ignore_errors=True)
            raise
        sync_folder(self.folder.parent)

    def entry(self, time: float, kind: str, data: Mapping[str, Any]) -> None:
        """Write down what happened in the job."""
        if kind == "measure":
            self._line(MEASURES, run_tables.measure_row(time, data))
        self._line(JOURNAL, run_tables.journal_row(time, self._began, kind, data))

    def event(self, event: Mapping[str, Any]) -> None:
        """Write down an event of the station."""
        self._line(EVENTS, run_tables.event_row(self._began, event))

    def row(
        self, time: float, name: str, columns: Sequence[Column], samples: Mapping[str, Any]
    ) -> None:
        """Write a row of readings. One table name with other columns goes on in a file of its own."""
        key = (name, tuple(columns))
        table = self.tables.get(key)
        if table is None:
            table = self._new_table(name, columns)
            self.tables[key] = table
        self._line(table.file, run_tables.reading_row(time, self._began, table.columns, samples))
        table.rows += 1

    def copy(self, path: Path) -> None:
        """Keep a copy of a recording of a line."""
        name = f"{WIRE}/{plain_name(path.name)}"
        if all(it.name != name for it in self._whole):
            self._whole.append(_listed(name, written(self.folder / name, path.read_bytes())))

    def sync(self) -> None:
        """Have everything on the disk for good."""
        for file in self._files.values():
            file.sync()

    def finish(self) -> None:
        """Write no more into what has grown."""
        for name, file in self._files.items():
            file.sync()
            file.close()
            self._whole.append(_listed(name, file))
        self._files.clear()

    def seal(self, ending: Mapping[str, Any], more: Sequence[str] = ()) -> Closed:
        """Close the folder with its manifest; `more` are files that somebody else has put there."""
        (self.folder / RESERVE).unlink(missing_ok=True)
        self._whole += run_manifest.listed_as_found(self.folder, more)
        for inner in {(self.folder / it.name).parent for it in self._whole} - {self.folder}:
            sync_folder(inner)
        tables = [table.form() for table in self.tables.values()]
        form = {**self.facts, **ending, "tables": tables}
        return run_manifest.close(self.folder, form, self._whole)

    def _new_table(self, name: str, columns: Sequence[Column]) -> Table:
        taken = {table.file for table in self.tables.values()}
        stem, number = f"{READINGS}/{plain_name(name)}", 1
        while (file := f"{stem}{f'-{number}' if number > 1 else ''}.csv") in taken:
            number += 1
        heading = BOM + run_tables.line(run_tables.heading(columns))
        self._files[file] = begun(self.folder / file, heading)
        return Table(name, file, columns)

    def _line(self, name: str, cells: Sequence[Any]) -> None:
        self._files[name].write(run_tables.line(cells))


def _listed(name: str, file: GrowingFile) -> Listed:
    return Listed(name=name, size=file.size, sha256=file.sha256)


def _reserve(path: Path) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
    try:
        os.posix_fallocate(descriptor, 0, RESERVED_BYTES)
    finally:
        os.close(descriptor)
