"""Tables of readings as Parquet and Arrow. The only file that imports pyarrow, and when asked alone.

A table is read from its CSV batch by batch, so that its length does not matter.
"""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final, Literal

from agent.languages.message import Message
from agent.store.run_files import removed
from agent.store.run_tables import NO_SAMPLE, OF_A_ROW
from agent.store.run_writer import Table

Format = Literal["parquet", "arrow"]
BATCH: Final = 20_000
"""Rows that are in memory at a time."""
MISSING: Final = Message("Parquet and Arrow need pyarrow: install labkeeper[data]")

_AS: Final[Mapping[str, Callable[[str], Any]]] = {
    "number": float,
    "integer": int,
    "boolean": lambda text: text == "true",
}


def is_possible() -> bool:
    """Whether pyarrow is installed; it is not imported for that."""
    from importlib.util import find_spec

    return find_spec("pyarrow") is not None


def write(folder: Path, table: Table, formats: Sequence[Format]) -> list[str]:
    """Write a table beside its CSV; return the names of the new files. Raises OSError.

    What can't be had as its type says is an OSError as well: the CSV has it all the same. Either
    every file is whole, or there is none.
    """
    import pyarrow as pa  # type: ignore[import-untyped]

    names = [f"{table.file.removesuffix('.csv')}.{form}" for form in formats]
    try:
        _write(pa, folder, table, names)
    except (pa.ArrowException, ValueError, OSError) as error:
        for name in names:
            removed(folder / name)
        if isinstance(error, OSError):
            raise
        raise OSError(
            Message("{file} has no such form: {error}", file=table.file, error=error)
        ) from error
    return names


def _write(pa: Any, folder: Path, table: Table, names: Sequence[str]) -> None:
    from pyarrow import ipc, parquet

    schema = _schema(pa, table)
    with ExitStack() as open_ones:
        writers = []
        for name in names:
            new = parquet.ParquetWriter if name.endswith(".parquet") else ipc.new_file
            writers.append(open_ones.enter_context(new(str(folder / name), schema)))
        for rows in _batches(folder / table.file):
            batch = _batch(pa, schema, table, rows)
            for writer in writers:
                writer.write_batch(batch)


def _schema(pa: Any, table: Table) -> Any:
    time = pa.timestamp("ms", "UTC")
    types = {"number": pa.float64(), "integer": pa.int64(), "boolean": pa.bool_()}
    fields = [pa.field("time", time), pa.field("seconds", pa.float64())]
    for it in table.columns:
        about = {"unit": it.unit, "device": it.device}
        fields.append(pa.field(it.name, types.get(it.type, pa.string()), metadata=about))
        fields.append(pa.field(f"{it.name}.quality", pa.string()))
        fields.append(pa.field(f"{it.name}.time", time))
    return pa.schema([*fields, pa.field("reasons", pa.string())])


def _batches(path: Path) -> Iterator[list[list[str]]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file)
        next(rows)
        while batch := list(islice(rows, BATCH)):
            yield batch


def _batch(pa: Any, schema: Any, table: Table, rows: list[list[str]]) -> Any:
    columns = list(zip(*rows, strict=True))
    values: list[list[Any]] = [[_time(it) for it in columns[0]], [float(it) for it in columns[1]]]
    for number, column in enumerate(table.columns):
        value, quality, time = columns[len(OF_A_ROW) + 3 * number :][:3]
        read = _AS.get(column.type, _text)
        is_text = read is _text
        values.append(
            [
                read(it) if it or (is_text and how not in {NO_SAMPLE, "bad"}) else None
                for it, how in zip(value, quality, strict=True)
            ]
        )
        values.append(list(quality))
        values.append([_time(it) for it in time])
    values.append([_text(it) for it in columns[-1]])
    arrays = [pa.array(it, field.type) for it, field in zip(values, schema, strict=True)]
    return pa.record_batch(arrays, schema=schema)


def _time(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _text(text: str) -> str:
    """A text as it was before it was made harmless."""
    return text.removeprefix("'")
