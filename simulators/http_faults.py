"""What goes wrong between a printer on the network and who talks to it.

Pure: it decides, `http_server` does. A rule meets the next so many requests, or all of them, whose
"METHOD /path" (over a WebSocket: whose message) contains its `match`.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import Final, Literal, get_args

Kind = Literal["slow", "refuse", "drop"]
When = Literal["before", "after"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)


@dataclass(frozen=True, kw_only=True)
class HttpFault:
    """One thing to do to requests: to the `next` ones, or to all (None) until it is cleared.

    - `slow`: the answer comes `seconds` late.
    - `refuse`: it is answered with `status` and not carried out.
    - `drop`: the connection is cut instead of an answer.

    `when` tells whether a slow or a dropped request has been carried out by then: "after" it was,
    so that only the answer is late or lost, "before" it was not.

    Raises `ValueError` for numbers that make no sense.
    """

    kind: Kind
    next: int | None = None
    match: str = ""
    seconds: float = 0.0
    status: int = 503
    when: When = "after"

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {self.kind!r}")
        if self.next is not None and self.next < 1:
            raise ValueError(f"next must be at least 1 request, not {self.next}")
        if self.kind == "slow" and not 0 < self.seconds < math.inf:
            raise ValueError(f"slow needs seconds above 0, not {self.seconds}")
        if not 400 <= self.status <= 599:
            raise ValueError(f"status must be from 400 to 599, not {self.status}")
        if self.when not in get_args(When):
            raise ValueError(f"when must be before or after, not {self.when!r}")


@dataclass
class _Rule:
    fault: HttpFault
    left: int | None


class HttpFaults:
    """The faults in force. `counts` has requests and messages seen, and what was done to them.

    `drop_every` loses each n-th message that is pushed through a WebSocket; 0 loses none.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.drop_every = 0
        self._pushed = 0
        self._rules: list[_Rule] = []

    def add(self, fault: HttpFault) -> None:
        """Put a fault in force, after those that are."""
        self._rules.append(_Rule(fault, fault.next))

    def clear(self) -> None:
        """Take all faults away; the counters stay."""
        self._rules.clear()
        self.drop_every = self._pushed = 0

    def take(self, kind: Kind, where: str) -> HttpFault | None:
        """Return the first fault of this kind that meets a request, and count it."""
        for rule in self._rules:
            if rule.fault.kind == kind and rule.fault.match in where and rule.left != 0:
                if rule.left is not None:
                    rule.left -= 1
                self._rules = [kept for kept in self._rules if kept.left != 0]
                self.counts[kind] += 1
                return rule.fault
        return None

    def loses_message(self) -> bool:
        """Return whether the message that is about to be pushed gets lost."""
        self.counts["messages"] += 1
        if self.drop_every == 0:
            return False
        self._pushed += 1
        lost = self._pushed % self.drop_every == 0
        self.counts["lost messages"] += lost
        return lost
