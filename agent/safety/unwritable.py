"""The record of a station whose disk takes none: nothing is sent but off, and stops go on."""

from typing import Any

from agent.roles import Actor
from agent.safety.record import Unrecorded
from agent.store.entries import Json
from agent.store.store_errors import NotRecorded


class Unwritable(Unrecorded):
    """Refuses what must be on record first, and says why it can't be."""

    def __init__(self, why: str) -> None:
        self._why = why

    async def intend(
        self, actor: Actor, verb: str, target: str, after: Any, *, within: float, is_off: bool
    ) -> None:
        """See Record."""
        if not is_off:
            raise NotRecorded(self._why)

    async def noted(
        self, actor: Actor, action: str, target: str, reason: str, after: Json = None
    ) -> None:
        """See Record."""
        raise NotRecorded(self._why)

    async def settle(self, actor: Actor, device: str, reason: str) -> int:
        """See Record."""
        raise NotRecorded(self._why)

    async def settle_commands(self, actor: Actor, device: str, reason: str) -> int:
        """See Record."""
        raise NotRecorded(self._why)
