"""What the gate puts on record: each command before it is sent, and how it ended.

A command whose outcome is unknown blocks its device, until it is known what became of it: a person
says so, a stop has made the device safe, or the device is read back.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from agent.clock import Clock
from agent.errors import AgentError
from agent.fleet.board import Board
from agent.fleet.samples import Outcome, Status
from agent.roles import Actor
from agent.safety.condition import BELIEVED
from agent.store.entries import AGENT, Ending, EventEntry, Json, Stage, Who
from agent.store.ledger import Intent, Ledger
from agent.store.open_commands import Unsettled
from agent.store.store_errors import NotRecorded

ENDINGS: Final[Mapping[Status, Ending]] = {
    Status.DONE: Stage.CONFIRMED,
    Status.REFUSED: Stage.REFUSED,
    Status.FAILED: Stage.FAILED,
    Status.UNKNOWN: Stage.UNKNOWN,
}

log = logging.getLogger("labkeeper")


class Record(Protocol):
    """Where the gate records."""

    async def intend(self, actor: Actor, verb: str, target: str, after: Any) -> Any:
        """Record what is about to be sent; nothing may be sent before. Raises NotRecorded."""
        ...

    async def ended(self, intent: Any, outcome: Outcome) -> None:
        """Record how it ended. What can't be recorded is logged."""
        ...

    async def stopped(self, actor: Actor, device: str, outcome: Outcome) -> None:
        """Record a stop, after it. What can't be recorded is logged."""
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Doubt:
    """A command whose outcome is unknown, since when (seconds UTC), and what is known of it."""

    command: str
    action: str
    target: str
    actor: str
    since: float


class LedgerRecord:
    """The record of a station that has a ledger."""

    def __init__(self, ledger: Ledger, board: Board, clock: Clock) -> None:
        self._ledger, self._board, self._clock = ledger, board, clock
        self._doubts: dict[str, list[Doubt]] = {}
        self._settling = asyncio.Lock()  # two who settle one doubt: the second finds it settled

    async def begin(self) -> Mapping[str, list[Doubt]]:
        """Block the devices of which the ledger does not know what became of a command."""
        for it in await self._ledger.unsettled():
            self._note(_doubt(it, self._clock.utc()))
        return self._doubts

    async def intend(self, actor: Actor, verb: str, target: str, after: Any) -> Intent:
        """See Record."""
        device, _, name = target.partition(".")
        snapshot = self._board.latest.get(device)
        sample = snapshot.samples.get(name) if snapshot else None
        before = sample.value if sample and sample.quality in BELIEVED else None
        return await self._ledger.intend(_who(actor), verb, target, before=before, after=after)

    async def ended(self, intent: Intent, outcome: Outcome) -> None:
        """See Record."""
        if outcome.status is Status.UNKNOWN:
            entry = intent.entry
            self._note(
                Doubt(
                    command=entry.command,
                    action=entry.action,
                    target=entry.target,
                    actor=intent.who.name,
                    since=self._clock.utc(),
                )
            )
        value = outcome.value if outcome.status is Status.DONE else None
        try:
            await self._ledger.ended(
                intent, ENDINGS[outcome.status], after=value, reason=outcome.message
            )
        except AgentError as error:
            log.error("%s", error)

    async def stopped(self, actor: Actor, device: str, outcome: Outcome) -> None:
        """See Record."""
        entry = EventEntry(
            action="stop", target=device, after=outcome.status, reason=outcome.message
        )
        try:
            await self._ledger.record(_who(actor), entry)
            if outcome.status is Status.DONE and outcome.is_settling:
                await self.settle(actor, device, "it was stopped, and confirmed safe")
        except AgentError as error:
            log.error("%s", error)

    async def noted(
        self, actor: Actor, action: str, target: str, reason: str, after: Json = None
    ) -> None:
        """See Record."""
        entry = EventEntry(action=action, target=target, reason=reason, after=after)
        await self._ledger.record(_who(actor), entry)

    async def blocked(self, device: str) -> str:
        """See Record. A setting that the device has been asked for since then is settled by that."""
        for doubt in tuple(self._doubts.get(device, ())):
            await self._settled_by_read_back(device, doubt)
        return self.doubted(device)

    def doubted(self, device: str) -> str:
        """See Record."""
        doubts = self._doubts.get(device)
        if not doubts:
            return ""
        it = doubts[0]
        return (
            f"{device} is blocked: nobody knows how `{it.action} {it.target}` of {it.actor} ended. "
            f'Look at the device, then `labkeeper settle {device} --reason "…"`, or stop it'
        )

    async def settle(self, actor: Actor, device: str, reason: str) -> int:
        """See Record."""
        doubts = tuple(self._doubts.get(device, ()))
        for doubt in doubts:
            await self._settle(_who(actor), device, doubt, reason, None)
        return len(doubts)

    async def _settled_by_read_back(self, device: str, doubt: Doubt) -> None:
        snapshot = self._board.latest.get(device)
        if doubt.action != "set" or snapshot is None:
            return
        sample = snapshot.samples.get(doubt.target.partition(".")[2])
        if sample and sample.quality in BELIEVED and sample.time > doubt.since:
            why = "the device was read back"
            try:
                await self._settle(AGENT, device, doubt, why, sample.value)
            except AgentError as error:  # it stays blocked
                log.warning("%s", error)

    async def _settle(self, who: Who, device: str, doubt: Doubt, reason: str, after: Any) -> None:
        async with self._settling:
            if doubt in self._doubts.get(device, ()):
                await self._ledger.settle(who, doubt.command, reason=reason, after=after)
                self._doubts[device] = [it for it in self._doubts[device] if it != doubt]

    def _note(self, doubt: Doubt) -> None:
        self._doubts.setdefault(doubt.target.partition(".")[0], []).append(doubt)


class Unrecorded:
    """Records nothing, and blocks nothing: for a station of which only a part is there."""

    async def intend(self, actor: Actor, verb: str, target: str, after: Any) -> None:
        """See Record."""

    async def ended(self, intent: None, outcome: Outcome) -> None:
        """See Record."""

    async def stopped(self, actor: Actor, device: str, outcome: Outcome) -> None:
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


class Unwritable(Unrecorded):
    """A record that the disk takes nothing of: nothing is sent, and stops go on all the same."""

    def __init__(self, why: str) -> None:
        self._why = why

    async def intend(self, actor: Actor, verb: str, target: str, after: Any) -> None:
        """See Record."""
        raise NotRecorded(self._why)

    async def noted(
        self, actor: Actor, action: str, target: str, reason: str, after: Json = None
    ) -> None:
        """See Record."""
        raise NotRecorded(self._why)


def _who(actor: Actor) -> Who:
    return Who(name=actor.name, role=actor.role.name.lower(), origin=actor.origin)


def _doubt(it: Unsettled, now: float) -> Doubt:
    return Doubt(command=it.command, action=it.action, target=it.target, actor=it.actor, since=now)
