"""What must not get worse: four fifths of every goal, or of what was reached where that is short."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from benchmarks.result import Result

RECORD: Final = Path(__file__).with_name("results.jsonl")
"""The raw results of the last full run, one a line."""

SHARE: Final = 0.8
"""What is left of a figure on a machine that does other things as well."""


def record(results: Iterable[Result]) -> None:
    """Keep the results of a full run."""
    RECORD.write_text("".join(json.dumps(it.as_dict()) + "\n" for it in results), "utf-8")


class Guard:
    """Says of a result whether it is as good as it was. One that was never recorded must hold."""

    def __init__(self, lines: Iterable[str] | None = None) -> None:
        kept = map(json.loads, RECORD.read_text("utf-8").splitlines() if lines is None else lines)
        self._reached: dict[str, float] = {it["name"]: it["reached"] for it in kept}

    def passes(self, result: Result) -> bool:
        """Whether it reaches its share of the goal, or of what was reached before."""
        return result.reached >= SHARE * min(1.0, self._reached.get(result.name, 1.0))
