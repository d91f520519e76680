"""The guard of the benchmarks: what was reached must be reached again, but for a fifth."""

import json
from pathlib import Path

import pytest

from benchmarks.guard import Guard, record
from benchmarks.result import Result


def result(name: str, reached: float) -> Result:
    return Result(name=name, figure="", goal="", reached=reached)


@pytest.mark.parametrize(
    ("recorded", "reached", "passes"),
    [
        (1.3, 0.81, True),  # better than its goal once: four fifths of the goal will do
        (1.3, 0.79, False),
        (0.5, 0.41, True),  # short of its goal: no worse than that
        (0.5, 0.39, False),
        (0.5, 0.0, False),  # a wrong value
        (None, 0.81, True),
        (None, 0.79, False),
    ],
)
def test_a_figure_may_be_a_fifth_below_the_goal_or_below_the_record(
    recorded: float | None, reached: float, passes: bool
) -> None:
    lines = [] if recorded is None else [json.dumps(result("it", recorded).as_dict())]
    assert Guard(lines).passes(result("it", reached)) is passes


def test_a_recorded_result_takes_the_place_of_the_last_one_of_its_name(tmp_path: Path) -> None:
    kept = tmp_path / "results.jsonl"
    kept.touch()
    record([result("rtu", 1.0), result("scpi", 0.5)], kept)
    record([result("rtu", 1.2), result("stopping", 0.9)], kept)
    rows = [json.loads(line) for line in kept.read_text("utf-8").splitlines()]
    assert [(it["name"], it["reached"]) for it in rows] == [
        ("rtu", 1.2),
        ("scpi", 0.5),
        ("stopping", 0.9),
    ]
