"""What is about to be sent, as the record knows it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from agent.roles import Actor
from agent.store.chain import Head
from agent.store.intent import Intent


@dataclass(frozen=True, kw_only=True, slots=True)
class Intended:
    """What is about to be sent: who asked for it and when, and its intent, if that is on record.

    `recorded` tells that of an intent which the disk had not taken yet when it was sent.
    """

    actor: Actor
    verb: str
    target: str
    after: Any
    at: float
    intent: Intent | None
    recorded: asyncio.Future[Head] | None = None

    @property
    def device(self) -> str:
        """The device that it is for."""
        return self.target.partition(".")[0]

    @property
    def is_lost(self) -> bool:
        """Whether the disk refused its intent after it was sent: then it can have no end either."""
        it = self.recorded
        return it is not None and it.done() and (it.cancelled() or it.exception() is not None)

    def when_lost(self, do: Callable[[], None]) -> None:
        """Do this if the disk comes to refuse its intent."""
        if self.recorded is not None:
            self.recorded.add_done_callback(lambda _: do() if self.is_lost else None)
