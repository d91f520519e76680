"""The hold of the whole queue: set and taken off by a person, on the disk before it is told of."""

from __future__ import annotations

from typing import Any

from agent.jobs import restart, sentences
from agent.jobs.keeping.journal import Entry
from agent.jobs.shop import Shop
from agent.jobs.turns import Hold, Turns
from agent.roles import Actor


class QueueHold:
    """Keeps every job from beginning, also after a restart."""

    def __init__(self, shop: Shop, turns: Turns) -> None:
        self._shop, self._turns = shop, turns

    async def hold(self, actor: Actor, reason: str) -> Hold:
        """See Jobs."""
        hold = Hold(by=actor.name, origin=actor.origin, since=self._shop.clock.utc(), reason=reason)
        self._turns.hold = hold
        await self._enter(actor, "held", reason, restart.hold_form(hold))
        self._shop.events.add("queue.held", sentences.queue_told("held", actor), actor=actor.name)
        return hold

    async def release(self, actor: Actor) -> None:
        """See Jobs."""
        await self._enter(actor, "released", "", None)
        self._turns.hold = None
        self._shop.events.add(
            "queue.released", sentences.queue_told("released", actor), actor=actor.name
        )
        self._turns.next()

    async def _enter(self, actor: Actor, what: str, reason: str, form: Any) -> None:
        data = {"what": what, "reason": reason}
        entry = Entry(job="", time=self._shop.clock.utc(), kind="queue", data=data, by=actor)
        await self._shop.book.enter([entry], marks={"queue": form})
