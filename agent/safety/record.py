"""What the gate puts on record: each command before it is sent, and how it ended.

A command whose outcome is unknown blocks its device, until it is known what became of it: a person
says so, a stop has made the device safe, or the device has been read back. A ledger that was lost
blocks each device until a person has looked at it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, Protocol

from agent.fleet.samples import Outcome
from agent.roles import Actor
from agent.safety.doubts import Doubt
from agent.store.entries import Json
from agent.store.ledger import Ledger

_NO_DOUBTS: Final[Mapping[str, tuple[Doubt, ...]]] = MappingProxyType({})


class Record(Protocol):
    """Where the gate records."""

    @property
    def ledger(self) -> Ledger | None:
        """What other parts record in as well; None where nothing is recorded."""
        ...

    @property
    def doubts(self) -> Mapping[str, tuple[Doubt, ...]]:
        """What is not known, by device; devices that the config has no more are among them."""
        ...

    async def intend(
        self, actor: Actor, verb: str, target: str, after: Any, *, within: float, is_off: bool
    ) -> Any:
        """Record what is about to be sent; nothing may be sent before. Raises NotRecorded.

        The disk has so many seconds. What switches something off waits for it a moment alone, and
        never fails.
        """
        ...

    def sent(self, intent: Any) -> None:
        """Record that bytes may go out from now on. Waits for nothing."""
        ...

    async def ended(self, intent: Any, outcome: Outcome) -> None:
        """Record how it ended. What the disk does not take now is tried again."""
        ...

    def refused(self, actor: Actor, verb: str, target: str, after: Any, why: str) -> None:
        """Record what was refused before there was an intent. Waits for nothing."""
        ...

    async def stopped(self, actor: Actor, device: str, outcome: Outcome, asked: float) -> None:
        """Record a stop that was asked for then (monotonic), after it.

        One that is confirmed settles what was asked for before it.
        """
        ...

    async def noted(
        self, actor: Actor, action: str, target: str, reason: str, after: Json = None
    ) -> None:
        """Record what somebody did that is no command, such as a waiver. Raises NotRecorded."""
        ...

    async def blocked(self, device: str) -> str:
        """Why nothing may be sent to the device; "" when it may. What was read back is settled first."""
        ...

    def doubted(self, device: str) -> str:
        """The same as far as it is known at this moment."""
        ...

    async def settle(self, actor: Actor, device: str, reason: str) -> int:
        """Unblock a device, and return how many commands that settles. Raises NotRecorded."""
        ...

    async def settle_commands(self, actor: Actor, device: str, reason: str) -> int:
        """Settle its commands alone, and not what a person has to look at. Raises NotRecorded."""
        ...


class Unrecorded:
    """Records nothing, and blocks nothing: for a station of which only a part is there."""

    ledger: Ledger | None = None

    @property
    def doubts(self) -> Mapping[str, tuple[Doubt, ...]]:
        """See Record."""
        return _NO_DOUBTS

    async def intend(
        self, actor: Actor, verb: str, target: str, after: Any, *, within: float, is_off: bool
    ) -> None:
        """See Record."""

    def sent(self, intent: None) -> None:
        """See Record."""

    async def ended(self, intent: None, outcome: Outcome) -> None:
        """See Record."""

    def refused(self, actor: Actor, verb: str, target: str, after: Any, why: str) -> None:
        """See Record."""

    async def stopped(self, actor: Actor, device: str, outcome: Outcome, asked: float) -> None:
        """See Record."""

    async def noted(
        self, actor: Actor, action: str, target: str, reason: str, after: Json = None
    ) -> None:
        """See Record."""

    async def blocked(self, device: str) -> str:
        """See Record."""
        return ""

    def doubted(self, device: str) -> str:
        """See Record."""
        return ""

    async def settle(self, actor: Actor, device: str, reason: str) -> int:
        """See Record."""
        return 0

    async def settle_commands(self, actor: Actor, device: str, reason: str) -> int:
        """See Record."""
        return 0
