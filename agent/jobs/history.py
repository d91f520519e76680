"""What the record says of a job that was cut off: how far it came, and what was under way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.jobs.job import Answer, LogLine, Measure


@dataclass(kw_only=True, slots=True)
class Past:
    """As far as it is on record."""

    measures: list[Measure] = field(default_factory=list)
    log: list[LogLine] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    begun: int = 0
    ended: int = 0
    steps: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How often each step, by key and place, has begun and not ended."""

    @property
    def under_way(self) -> list[tuple[str, str]]:
        """The steps that had begun and not ended."""
        return [step for step, count in self.steps.items() if count > 0]


def past_of(rows: Iterable[Mapping[str, Any]]) -> Past:
    """Gather what the rows of one job say; see `Book.log`."""
    past = Past()
    for row in rows:
        data, time = row["data"], row["time"]
        match row["what"]:
            case "step":
                _step(past, data)
            case "measure":
                past.measures.append(Measure(time=time, **data))
            case "log":
                past.log.append(LogLine(time=time, **data))
            case "answer":
                answer = Answer(question=data["en"], time=time, value=data["value"], by=data["by"])
                past.answers.append(answer)
    return past


def _step(past: Past, data: Mapping[str, Any]) -> None:
    step = (data["key"], data["place"])
    if data["phase"] == "begun":
        past.begun += 1
        past.steps[step] += 1
    else:
        past.ended += data["phase"] == "ended"
        past.steps[step] -= 1
