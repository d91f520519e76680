"""What must not get worse: four fifths of every goal, or of what was reached where that is short."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from benchmarks.result import Result

RECORD: Final = Path(__file__).with_name("results.jsonl")
"""The raw results of each benchmark's last recorded run, one a line."""

SHARE: Final = 0.8
"""What is left of a figure on a machine that does other things as well."""


def record(results: Iterable[Result], kept: Path = RECORD) -> None:
    """Keep these results in the place of the last ones of the same names; the others stay."""
    rows = {json.loads(line)["name"]: line for line in kept.read_text("utf-8").splitlines()}
    rows |= {it.name: json.dumps(it.as_dict()) for it in results}
    kept.write_text("".join(f"{row}\n" for row in rows.values()), "utf-8")


class Guard:
    """Says of a result whether it is as good as it was. One that was never recorded must hold."""

    def __init__(self, lines: Iterable[str] | None = None) -> None:
        kept = map(json.loads, RECORD.read_text("utf-8").splitlines() if lines is None else lines)
        self._reached: dict[str, float] = {it["name"]: it["reached"] for it in kept}

    def passes(self, result: Result) -> bool:
        """Whether it reaches its share of the goal, or of what was reached before."""
        return result.reached >= SHARE * min(1.0, self._reached.get(result.name, 1.0))
