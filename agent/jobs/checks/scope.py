"""The names that an expression may use at one place of a recipe, and what is known of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from agent.jobs.language.expressions import Value
from agent.jobs.language.kinds import Kind


@dataclass(slots=True)
class Scope:
    """Names with a value for sure, and names that may have none, each with the reason."""

    known: dict[str, Kind]
    absent: dict[str, str] = field(default_factory=dict)
    values: dict[str, tuple[Value, ...]] = field(default_factory=dict)
    """What the variable of a loop can be, where that is written out."""

    def copy(self) -> Scope:
        """The same names, to go on from here in a branch."""
        return Scope(dict(self.known), dict(self.absent), dict(self.values))

    def define(self, name: str, kind: Kind) -> None:
        """From here on the name has a value of this kind."""
        self.known[name] = kind
        self.absent.pop(name, None)

    def lose(self, names: Iterable[str], why: str) -> None:
        """These names may have no value."""
        for name in names:
            self.known.pop(name, None)
            self.absent.setdefault(name, why)

    def lose_all(self, absent: Mapping[str, str]) -> None:
        """These names may have no value, each for its own reason."""
        for name, why in absent.items():
            self.lose([name], why)

    def join(self, branches: Iterable[Scope], why: str) -> None:
        """Take over what every branch has; what only some have may be absent."""
        ends = list(branches)
        if not ends:
            return
        everywhere = set.intersection(*(set(end.known) for end in ends))
        for name in everywhere:
            self.define(name, ends[0].known[name])
        for end in ends:
            self.lose((name for name in end.known if name not in everywhere), why)
            self.lose_all(end.absent)


def begin(parameters: Mapping[str, Kind], readings: Mapping[str, Mapping[str, Kind]]) -> Scope:
    """What is known at the beginning: parameters, and the readings of each role."""
    known = dict(parameters)
    for role, offered in readings.items():
        known |= {f"{role}.{name}": kind for name, kind in offered.items()}
    return Scope(known)
