"""Recorded readings for plots: few points, and the peaks, gaps and qualities of all rows."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.store.run_series import Series, records, thinned
from agent.store.run_tables import Column
from agent.store.run_writer import RunWriter
from agent.store.store_errors import NotRead
from tests.agent.runs_bench import FACTS, closed_folder

COLUMNS = (
    Column("oven.temperature", "oven1", "Cel", "number"),
    Column("oven.fan", "oven1", "", "boolean"),
    Column("oven.mode", "oven1", "", "string"),
)


def written(folder: Path, rows: int) -> RunWriter:
    """A run that is still being written, with a spike, a gap and a change in its table."""
    writer = RunWriter(folder, FACTS, 100.0)
    writer.begin({})
    for number in range(rows):
        row = {
            "oven.temperature": sample(99.5 if number == 1234 else 20.0 + number / rows),
            "oven.fan": sample(number > 7),
            "oven.mode": sample("hold" if number > 4000 else "ramp"),
        }
        if number == 2000:
            row["oven.temperature"] = sample(None, "bad")
        writer.row(100.0 + number, "warm", COLUMNS, row)
    return writer


def sample(value: Any, quality: str = "good") -> dict[str, Any]:
    return {"value": value, "quality": quality, "time": 100.0, "reason": ""}


def test_a_long_table_becomes_few_points_and_keeps_its_one_peak_and_its_one_gap(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "run"
    written(folder, 5000)
    found = thinned(folder, "warm", 100)
    assert (found["rows"], found["first"]) == (5000, "1970-01-01T00:01:40.000+00:00")
    heat, fan, mode = found["series"]
    assert (heat["name"], heat["unit"], heat["type"]) == ("oven.temperature", "Cel", "number")
    at = heat["values"].index(99.5)
    assert heat["seconds"][at] == 1234
    assert 50 <= len(heat["values"]) <= 100 + 1
    gap = heat["values"].index(None)
    assert (heat["seconds"][gap], heat["qualities"][gap]) == (2000, "bad")
    assert heat["seconds"] == sorted(heat["seconds"])
    assert (fan["type"], fan["values"][0], fan["values"][-1]) == ("boolean", 0.0, 1.0)
    assert (mode["type"], mode["values"][0], mode["values"][-1]) == ("text", "ramp", "hold")


def test_a_short_table_is_given_whole(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    written(folder, 40)
    [heat, *_] = thinned(folder, "warm", 500)["series"]
    assert heat["seconds"] == [float(number) for number in range(40)]


@settings(max_examples=60, deadline=None)
@given(
    values=st.lists(
        st.floats(allow_nan=False, allow_infinity=False, width=32), min_size=1, max_size=300
    ),
    steps=st.lists(st.floats(0.001, 1e6), min_size=300, max_size=300),
    points=st.integers(2, 40),
)
def test_whatever_is_recorded_lowest_and_highest_are_among_at_most_so_many_points(
    values: list[float], steps: list[float], points: int
) -> None:
    series, seconds = Series("x", "V", most=points // 2), 0.0
    for value, step in zip(values, steps, strict=False):
        series.add(seconds, 0.0, repr(value), "good")
        seconds += step
    kept = series.form()["values"]
    assert len(kept) <= points
    assert (min(kept), max(kept)) == (min(values), max(values))
    assert series.form()["seconds"] == sorted(series.form()["seconds"])


def test_half_a_line_and_a_number_that_is_none_are_no_points(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    written(folder, 3)
    with (folder / "readings" / "warm.csv").open("a", newline="") as file:
        file.write("1970-01-01T00:01:43.000+00:00,inf,7,good,,true,good,,hold,good,,\r\n")
        file.write("1970-01-01T00:01:43.000+00:00,3.0,nan,good,,true,good,,hold,good,,\r\n")
        file.write("1970-01-01T00:01:44.000+00:00,4.0,21.")
    found = thinned(folder, "warm", 500)
    assert found["rows"] == 4
    heat = found["series"][0]["values"]
    assert heat[-1] is None
    assert all(it is None or math.isfinite(it) for it in heat)


def test_what_is_no_table_of_ours_is_said_and_no_link_is_followed(tmp_path: Path) -> None:
    folder = closed_folder(tmp_path).folder
    assert records(folder) == ["온도"]
    (folder / "readings" / "other.csv").write_text("a,b\r\n")
    with pytest.raises(NotRead, match="its heading is another"):
        thinned(folder, "other", 10)
    (folder / "readings" / "link.csv").symlink_to("/etc/passwd")
    for name in ("link", "../measures", "none", "a\0b", "x" * 300):
        with pytest.raises(FileNotFoundError):
            thinned(folder, name, 10)
