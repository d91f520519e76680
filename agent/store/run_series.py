"""Readings of a run for a plot: fewer points than rows, and no peak of them lost. Every call blocks.

Time is cut into stretches of one length, and of each reading the lowest and the highest value of a
stretch are kept with their own times. The length is doubled as the table goes on, so that the file is
read once and it does not matter how long it is, or whether it still grows.
"""

from __future__ import annotations

import csv
import io
import math
import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from agent.languages.message import Message
from agent.store.run_files import opened
from agent.store.run_tables import OF_A_ROW, REASONS
from agent.store.run_writer import READINGS
from agent.store.store_errors import NotRead

FIRST_STRETCH_S: Final = 0.001
"""The times of a table are to the millisecond."""
CELLS: Final = 3
"""Of each reading: its value, its quality, and its own time."""
ENDING: Final = ".csv"
_HEADING: Final = re.compile(r"(?P<name>.*?)(?: \[(?P<unit>.*)\])?", re.DOTALL)
_BOOLEANS: Final = {"true": 1.0, "false": 0.0}

Point = tuple[float, float | str | None, str]
"""Seconds since the job began, value (None where there was none), and quality."""


@dataclass(slots=True)
class Stretch:
    """What is kept of one reading in one stretch of time. Of texts it is the first and the last."""

    low: Point | None = None
    high: Point | None = None
    gap: Point | None = None
    """The first moment without a value."""

    def add(self, point: Point) -> None:
        """Take one more, later than all before."""
        value = point[1]
        if value is None:
            self.gap = self.gap or point
        elif self.low is None or self.high is None:
            self.low = self.high = point
        elif isinstance(value, str) or value > self.high[1]:  # type: ignore[operator]
            self.high = point
        elif value < self.low[1]:  # type: ignore[operator]
            self.low = point

    def points(self) -> list[Point]:
        """What is kept, in the order of time."""
        return sorted({it for it in (self.low, self.high, self.gap) if it is not None}, key=_when)


@dataclass(slots=True)
class Series:
    """One reading along the run, in at most so many stretches."""

    name: str
    unit: str
    most: int
    type: str = ""
    """number, boolean or text, by its first value; "" as long as there was none."""
    stretches: dict[int, Stretch] = field(default_factory=dict)
    length: float = FIRST_STRETCH_S

    def add(self, seconds: float, since: float, cell: str, quality: str) -> None:
        """Take the value of one more row."""
        number = int((seconds - since) / self.length)
        while number >= self.most:
            self._double()
            number //= 2
        stretch = self.stretches.get(number)
        if stretch is None:
            stretch = self.stretches[number] = Stretch()
        stretch.add((seconds, self._value(cell), quality))

    def form(self) -> dict[str, Any]:
        """As JSON: times, values and qualities as three lists of one length, as plots take them."""
        points = [it for number in sorted(self.stretches) for it in self.stretches[number].points()]
        return {
            "name": self.name,
            "unit": self.unit,
            "type": self.type or "number",
            "seconds": [seconds for seconds, _, _ in points],
            "values": [value for _, value, _ in points],
            "qualities": [quality for _, _, quality in points],
        }

    def _double(self) -> None:
        self.length *= 2
        before, self.stretches = self.stretches, {}
        for number in sorted(before):
            stretch = self.stretches.setdefault(number // 2, Stretch())
            for point in before[number].points():
                stretch.add(point)

    def _value(self, cell: str) -> float | str | None:
        if not cell:
            return None
        if not self.type:
            self.type = _type_of(cell)
        if self.type == "text":
            return cell.removeprefix("'")
        value = _number(cell)
        return value if value is not None and math.isfinite(value) else None


def records(folder: Path) -> list[str]:
    """The tables of readings in a run folder, by name; also while they grow. Raises OSError."""
    readings = folder / READINGS
    if readings.is_symlink() or not readings.is_dir():
        return []
    found = (it.name for it in readings.iterdir() if it.is_file() and not it.is_symlink())
    return sorted(name.removesuffix(ENDING) for name in found if name.endswith(ENDING))


def thinned(folder: Path, record: str, points: int) -> dict[str, Any]:
    """A table with about as many points of each reading, and never more; gaps come on top.

    Raises:
        FileNotFoundError: There is no such table.
        OSError: It can't be read.
        NotRead: It is no table of ours.
    """
    if record not in records(folder):
        raise FileNotFoundError(record)
    rows = _rows(folder, f"{READINGS}/{record}{ENDING}")
    heading = next(rows, [])
    if tuple(heading[: len(OF_A_ROW)]) != OF_A_ROW or heading[-1:] != [REASONS]:
        raise NotRead(
            Message(
                "{record}{ending} is no table of readings: its heading is another",
                record=record,
                ending=ENDING,
            )
        )
    series = [_series(it, points) for it in heading[len(OF_A_ROW) : -1 : CELLS]]
    count, since, first, last = 0, 0.0, "", ""
    for row in rows:
        seconds = _number(row[1]) if len(row) == len(heading) else None
        if seconds is None or not math.isfinite(seconds):
            continue  # the last line of a table that is just being written
        if count == 0:
            since, first = seconds, row[0]
        count, last = count + 1, row[0]
        _take(series, row, max(seconds, since), since)
    return {
        "record": record,
        "rows": count,
        "first": first or None,
        "last": last or None,
        "series": [it.form() for it in series],
    }


def _take(series: Sequence[Series], row: Sequence[str], seconds: float, since: float) -> None:
    for number, it in enumerate(series):
        at = len(OF_A_ROW) + CELLS * number
        it.add(seconds, since, row[at], row[at + 1])


def _series(heading: str, points: int) -> Series:
    found = _HEADING.fullmatch(heading)
    name, unit = (found["name"], found["unit"]) if found else (heading, None)
    return Series(name, unit or "", most=max(1, points // 2))


def _rows(folder: Path, name: str) -> Iterator[list[str]]:
    """The rows that the file has now; it may grow meanwhile."""
    with os.fdopen(opened(folder, name), "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise NotRead(Message("{name} is no file", name=name))
        text = io.TextIOWrapper(file, "utf-8-sig", errors="backslashreplace", newline="")
        try:
            yield from csv.reader(text)
        except csv.Error as error:
            raise NotRead(
                Message("{name} is no table: {error}", name=name, error=str(error))
            ) from None


def _type_of(cell: str) -> str:
    if cell in _BOOLEANS:
        return "boolean"
    return "text" if _number(cell) is None else "number"


def _number(cell: str) -> float | None:
    if cell in _BOOLEANS:
        return _BOOLEANS[cell]
    try:
        return float(cell)
    except ValueError:
        return None


def _when(point: Point) -> float:
    return point[0]
