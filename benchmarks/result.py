"""What a benchmark found."""

import textwrap
from dataclasses import asdict, dataclass, field
from typing import Any, Final

WIDTH: Final = 100
"""Characters in a line of a person's terminal."""


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

    def as_text(self) -> str:
        """A few lines for a person: verdict, figure, goal."""
        verdict = "holds" if self.holds else "FALLS SHORT"
        told = textwrap.fill(
            f"{self.figure}; goal: {self.goal}",
            WIDTH,
            initial_indent="    ",
            subsequent_indent="    ",
        )
        return f"{self.name}: {verdict} ({self.reached:.0%} of the goal)\n{told}"

    def as_dict(self) -> dict[str, Any]:
        """The same for a program."""
        return {**asdict(self), "holds": self.holds}
