"""What an examination has found: how it is, and what to do where it is not right. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from agent.languages.message import N_


class Verdict(StrEnum):
    """How something is, from the best to the worst. `unknown` is what could not be looked at."""

    RIGHT = N_("right")
    UNKNOWN = N_("unknown")
    DOUBTFUL = N_("doubtful")
    WRONG = N_("wrong")


BY_BADNESS = tuple(Verdict)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    verdict: Verdict
    text: str
    """What is so: a message."""
    todo: str = ""
    """What to do next; empty where there is nothing to do."""

    def form(self, examination: str) -> dict[str, Any]:
        """It as JSON, in the language of its texts."""
        return {
            "examination": examination,
            "verdict": str(self.verdict),
            "text": self.text,
            "todo": self.todo,
        }


def right(text: str) -> Finding:
    """It is as it should be."""
    return Finding(Verdict.RIGHT, text)


def unknown(text: str, todo: str = "") -> Finding:
    """It could not be looked at."""
    return Finding(Verdict.UNKNOWN, text, todo)


def doubtful(text: str, todo: str) -> Finding:
    """It works, and not as well as it should, or not for long."""
    return Finding(Verdict.DOUBTFUL, text, todo)


def wrong(text: str, todo: str) -> Finding:
    """It does not work."""
    return Finding(Verdict.WRONG, text, todo)


def worst(findings: Iterable[Finding]) -> Verdict:
    """The worst verdict of all; `right` where nothing was found."""
    return max((it.verdict for it in findings), key=BY_BADNESS.index, default=Verdict.RIGHT)
