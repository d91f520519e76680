"""Interlocks that can never hold: what they protect is real, and what they look at is simulated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from agent.errors import Problem
from agent.languages.message import Message
from agent.settings.checks import Entry
from agent.settings.document import Document
from agent.settings.interlock_models import InterlockSettings
from agent.settings.interlocks import protected


def check_feigned(
    document: Document, interlocks: Mapping[str, InterlockSettings], entries: Iterable[Entry]
) -> Iterator[Problem]:
    """Warn of each reading of a simulated device that stands in for one of something real.

    The interlocks have been checked: all devices are there.
    """
    simulated = {it.name: it.settings.simulated for it in entries}
    for name, interlock in interlocks.items():
        real = sorted(it for it in protected(interlock) if not simulated[it])
        if not real:
            continue
        for reading in interlock.requires:
            device = reading.partition(".")[0]
            if simulated[device]:
                text = Message(
                    "this interlock never holds: {device} is simulated, and says nothing of "
                    "{real}; require a reading of a real device",
                    device=device,
                    real=", ".join(real),
                )
                yield document.problem(("interlocks", name, "requires", reading), text, at_key=True)
