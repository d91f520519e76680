"""What a benchmark found."""

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Result:
    """One measurement: the figure in words, the goal, and whether it holds; `more` for the record."""

    name: str
    figure: str
    goal: str
    holds: bool
    more: dict[str, Any] = field(default_factory=dict)

    def as_line(self) -> str:
        """One line for a person."""
        verdict = "holds" if self.holds else "FALLS SHORT"
        return f"{self.name:12} {verdict:12} {self.figure}; goal: {self.goal}"

    def as_dict(self) -> dict[str, Any]:
        """The same for a program."""
        return asdict(self)
