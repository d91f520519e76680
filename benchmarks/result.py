"""What a benchmark found."""

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Result:
    """One measurement: the figure in words, the goal, and the raw numbers of every round in `more`.

    `reached` is the share of the goal that was reached: 1 and above holds, 0 for a wrong value.
    """

    name: str
    figure: str
    goal: str
    reached: float
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Whether the goal was reached."""
        return self.reached >= 1

    def as_line(self) -> str:
        """One line for a person."""
        verdict = "holds" if self.holds else "FALLS SHORT"
        return f"{self.name:12} {verdict:12} {self.figure}; goal: {self.goal}"

    def as_dict(self) -> dict[str, Any]:
        """The same for a program."""
        return {**asdict(self), "holds": self.holds}
