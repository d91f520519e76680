"""The tables of a run: cells that no spreadsheet calculates, and the same in columns."""

from __future__ import annotations

import csv
import errno
import io
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.settings import load, missing
from agent.store import run_columns
from agent.store.run_shelf import RunShelf
from agent.store.run_tables import Column, cell, line, moment, reading_row
from agent.store.run_verify import verify
from agent.store.run_writer import RunWriter
from tests.agent.jobs_bench import toys
from tests.agent.runs_bench import ENDING, FACTS, manifest, runs_in_memory, table, whole

pytestmark = pytest.mark.usefixtures(toys.__name__)
__all__ = ["toys"]

COLUMNS = (
    Column("oven.temperature", "oven1", "Cel", "number"),
    Column("oven.mode", "oven1", "", "choice"),
    Column("supply.output", "psu1", "", "boolean"),
)


@given(st.text())
def test_a_text_never_begins_as_a_formula_does_and_can_be_read_back(text: str) -> None:
    shown = cell(text)
    assert not shown.startswith(("=", "+", "-", "@", "\t", "\r", "＝"))  # noqa: RUF001
    assert shown.removeprefix("'") == text or not text.startswith("'")
    assert run_columns._text(shown) == text


@given(st.floats(allow_nan=False) | st.integers())
def test_a_number_is_never_altered(number: float) -> None:
    assert type(number)(cell(number)) == number


@given(st.lists(st.text() | st.floats(allow_nan=False) | st.booleans() | st.none(), min_size=2))
def test_a_row_of_anything_is_read_back_as_one_row(cells: list[Any]) -> None:
    text = line(cells).decode("utf-8")
    assert text.endswith("\r\n")
    [row] = csv.reader(io.StringIO(text, newline=""))
    assert row == [cell(it) for it in cells]


def test_a_reading_that_is_not_to_be_believed_says_so_with_its_reason() -> None:
    bad = {"value": None, "quality": "bad", "time": 11.0, "reason": "no number"}
    row = reading_row(12.5, 10.0, COLUMNS[:2], {"oven.temperature": bad, "oven.mode": None})
    assert row == [
        *(moment(12.5), 2.5, None, "bad", moment(11.0), None, "none", None),
        "oven.temperature: no number",
    ]


def samples(number: int) -> dict[str, Any]:
    """Of a row: a number, a text that looks like a formula, and a switch that is missing at times."""
    time = 100.0 + number
    sample = {"quality": "good", "time": time, "reason": ""}
    return {
        "oven.temperature": {**sample, "value": 20.5 + number},
        "oven.mode": {**sample, "value": "=1+1"},
        "supply.output": {**sample, "value": True} if number % 2 else None,
    }


def written(folder: Path) -> RunWriter:
    """A run with a table of three rows."""
    writer = RunWriter(RunShelf(folder).new("1-1", "trial"), {**FACTS, "job": "1-1"}, 100.0)
    writer.begin({"recipe.yaml": b"x"})
    for number in range(3):
        writer.row(100.0 + number, "표", COLUMNS, samples(number))
    writer.finish()
    return writer


def test_a_table_in_columns_has_the_same_values_with_unit_and_device(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    feather = pytest.importorskip("pyarrow.feather")
    writer = written(tmp_path)
    [its] = writer.tables.values()
    made = run_columns.write(writer.folder, its, ("parquet", "arrow"))
    assert made == ["readings/표.parquet", "readings/표.arrow"]
    for found in (
        parquet.read_table(writer.folder / made[0]),
        feather.read_table(writer.folder / made[1]),
    ):
        rows = found.to_pylist()
        assert [row["oven.temperature"] for row in rows] == [20.5, 21.5, 22.5]
        assert [row["oven.mode"] for row in rows] == ["=1+1"] * 3
        assert [row["supply.output"] for row in rows] == [None, True, None]
        assert [row["supply.output.quality"] for row in rows] == ["none", "good", "none"]
        assert rows[1]["time"].timestamp() == 101.0
        about = found.schema.field("oven.temperature").metadata
        assert about == {b"unit": b"Cel", b"device": b"oven1"}
    writer.seal(ENDING, made)


def test_one_name_with_other_columns_goes_on_in_a_table_of_its_own(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path / "run", FACTS, 100.0)
    writer.begin({})
    writer.row(100.0, "t", COLUMNS[:1], samples(0))
    writer.row(101.0, "t", COLUMNS[:2], samples(1))
    writer.row(102.0, "t", COLUMNS[:1], samples(2))
    writer.finish()
    assert len(table(tmp_path / "run" / "readings" / "t.csv")) == 2
    assert len(table(tmp_path / "run" / "readings" / "t-2.csv")) == 1


def test_a_table_that_can_not_be_had_in_columns_leaves_no_half_of_a_file(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    writer = RunWriter(tmp_path / "run", FACTS, 100.0)
    writer.begin({})
    sample = {"value": "off the scale", "quality": "good", "time": 100.0, "reason": ""}
    writer.row(100.0, "t", COLUMNS[:1], {COLUMNS[0].name: sample})
    writer.finish()
    [its] = writer.tables.values()
    with pytest.raises(OSError, match="has no such form"):
        run_columns.write(writer.folder, its, ("parquet", "arrow"))
    writer.seal(ENDING)
    assert verify(writer.folder).is_whole


def test_what_a_full_disk_did_not_take_leaves_nothing_behind_and_is_written_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = RunWriter(tmp_path / "run", FACTS, 100.0)
    writer.begin({})
    recording = tmp_path / "psu1-1.json"
    recording.write_text('{"lines": []}')
    with monkeypatch.context() as disk:
        disk.setattr("agent.store.run_files.os.write", full)
        with pytest.raises(OSError, match="No space left"):
            writer.row(100.0, "t", COLUMNS[:1], samples(0))
        with pytest.raises(OSError, match="No space left"):
            writer.copy(recording)
    writer.row(101.0, "t", COLUMNS[:1], samples(1))
    writer.finish()
    assert len(table(tmp_path / "run" / "readings" / "t.csv")) == 1
    writer.seal(ENDING)
    assert [str(it) for it in verify(writer.folder).faults] == []


def full(descriptor: int, data: Any) -> int:
    """A disk that takes nothing."""
    raise OSError(errno.ENOSPC, "No space left on device")


async def test_a_run_has_parquet_and_arrow_where_the_config_asks_for_them(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    async with runs_in_memory(tmp_path, "parquet", "arrow") as bench:
        bench.jobs.write("- record: [supply.voltage]\n  every: 50 ms\n  steps:\n    - wait: 0.1")
        folder = await bench.folder(await bench.jobs.start())
        await whole(folder)
        found = [it["name"] for it in manifest(folder)["files"] if "readings/" in it["name"]]
        assert [name.rpartition(".")[2] for name in found] == ["arrow", "csv", "parquet"]


async def test_without_pyarrow_the_manifest_says_what_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_columns, "is_possible", lambda: False)
    async with runs_in_memory(tmp_path, "parquet") as bench:
        bench.jobs.write("- record: [supply.voltage]\n  every: 50 ms\n  steps:\n    - wait: 0.1")
        folder = await bench.folder(await bench.jobs.start())
        await whole(folder)
        assert manifest(folder)["notes"] == [run_columns.MISSING]


def test_a_config_that_wants_what_is_not_installed_is_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "station.yaml"
    config.write_text("name: b\nruns: 실행\nruns_formats: [parquet]\n", "utf-8")
    station = load(config)
    assert station.runs == Path("/var/lib/labkeeper/실행")
    module = sys.modules["agent.settings.missing"]
    monkeypatch.setattr(module, "find_spec", lambda _: None)
    [said] = missing(station)
    assert said == f"{config}: runs_formats: parquet need pyarrow: install labkeeper[data]"
