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

    def add(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Gather what further rows of the job say; see `Book.log`."""
        for row in rows:
            data, time = row["data"], row["time"]
            match row["what"]:
                case "step":
                    self._step(data)
                case "measure":
                    self.measures.append(Measure(time=time, **data))
                case "log":
                    self.log.append(LogLine(time=time, **data))
                case "answer":
                    said = {"question": data["en"], "ko": data.get("ko", "")}
                    self.answers.append(
                        Answer(**said, time=time, value=data["value"], by=data["by"])
                    )

    def _step(self, data: Mapping[str, Any]) -> None:
        step = (data["key"], data["place"])
        if data["phase"] == "begun":
            self.begun += 1
            self.steps[step] += 1
        else:
            self.ended += data["phase"] == "ended"
            self.steps[step] -= 1
