"""The stretches of time that a schedule has lived through: no firing in them is made again. Pure.

The station's clock may be set back, and then it comes by the same times once more. What was fired
is therefore not kept as the last time alone, but as stretches; a stretch grows with each firing, and
a new one begins where firings were missed or the clock was set.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

After: TypeAlias = Callable[[float], float | None]
"""Gives the first firing after a moment."""

MOST_SPANS: Final = 50
"""Of more, the two oldest become one: what was missed between them is not fired any more."""


@dataclass(frozen=True, slots=True)
class Lived:
    """Stretches in their order, each from its first to its last second UTC, both included."""

    spans: tuple[tuple[float, float], ...] = ()

    def has(self, moment: float) -> bool:
        """Whether a firing at this moment has been dealt with."""
        return any(first <= moment <= last for first, last in self.spans)

    def reached(self, now: float) -> float | None:
        """Up to when firings before `now` have been dealt with; None if that is not known."""
        if self.has(now):
            return now
        return max((last for _, last in self.spans if last <= now), default=None)

    def through(self, moment: float, after: After) -> Lived:
        """The same with this moment; stretches that no firing lies between become one."""
        if self.has(moment):
            return self
        joined: list[tuple[float, float]] = []
        for span in sorted((*self.spans, (moment, moment))):
            if joined and _no_firing_between(joined[-1][1], span[0], after):
                joined[-1] = (joined[-1][0], span[1])
            else:
                joined.append(span)
        while len(joined) > MOST_SPANS:
            joined[:2] = [(joined[0][0], joined[1][1])]
        return Lived(tuple(joined))

    def text(self) -> str:
        """As JSON, to be kept."""
        return json.dumps(self.spans)

    @classmethod
    def parse(cls, text: str) -> Lived:
        """What `text` gave."""
        return cls(tuple((first, last) for first, last in json.loads(text)))


def _no_firing_between(earlier: float, later: float, after: After) -> bool:
    following = after(earlier)
    return following is None or following >= later
