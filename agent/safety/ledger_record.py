"""The record of a station that has a ledger.

What the disk does not take in time is not sent, but for what switches something off. What has
happened already is written in any case, as soon as the disk takes it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from agent.clock import Clock
from agent.errors import AgentError
from agent.fleet.board import Board
from agent.fleet.samples import Outcome, Status
from agent.roles import Actor
from agent.safety.condition import BELIEVED
from agent.safety.doubts import Doubt
from agent.safety.owed import Owed
from agent.safety.settling import Settling
from agent.safety.unawaited import Unawaited
from agent.store.entries import Ending, EventEntry, Json, Stage, Who
from agent.store.intent import Intent
from agent.store.ledger import Ledger
from agent.store.moments import exact
from agent.store.store_errors import BadEntry, NotRecorded

ENDINGS: Final[Mapping[Status, Ending]] = {
    Status.DONE: Stage.CONFIRMED,
    Status.REFUSED: Stage.REFUSED,
    Status.FAILED: Stage.FAILED,
    Status.UNKNOWN: Stage.UNKNOWN,
}
OFF_WITHIN_S: Final = 1.0
"""How long the disk may keep an output from being switched off: a person has looked up by then."""
TOLD_WITHIN_S: Final = 5.0
"""How long the disk may keep a caller from being told what a device has done."""

log = logging.getLogger("labkeeper")


@dataclass(frozen=True, kw_only=True, slots=True)
class Intended:
    """What is about to be sent: who asked for it and when, and its intent, if that is on record."""

    actor: Actor
    verb: str
    target: str
    after: Any
    at: float
    intent: Intent | None

    @property
    def device(self) -> str:
        """The device that it is for."""
        return self.target.partition(".")[0]


class LedgerRecord:
    """The record of a station that has a ledger. Until that is open, nothing but `off` is intended."""

    def __init__(self, ledger: Ledger, board: Board, clock: Clock) -> None:
        self._ledger, self._board, self._clock = ledger, board, clock
        self._owed = Owed(clock)
        self._settling = Settling(ledger, board, self._owed)
        self._doubts = self._settling.doubts
        self.notes = Unawaited(ledger, clock)
        self._closed = "the ledger was not opened"

    @property
    def ledger(self) -> Ledger | None:
        """See Record. None until it is open."""
        return None if self._closed else self._ledger

    @property
    def doubts(self) -> Mapping[str, tuple[Doubt, ...]]:
        """See Record."""
        return self._doubts.by_device

    async def open(
        self,
        station: str,
        devices: Iterable[str],
        *,
        first: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Begin the ledger, do what is to be done in it `first`, and then begin this.

        Raises AgentError: nothing but `off` is intended, and it may be tried again.
        """
        if not self._closed:
            return
        try:
            await self._ledger.begin(station, devices)
            if first is not None:
                await first()
            await self.begin()
        except AgentError as error:
            self._closed = str(error)
            raise

    async def begin(self) -> Mapping[str, tuple[Doubt, ...]]:
        """Block the devices of which the ledger, which has begun, does not know how they are."""
        for device in await self._ledger.doubted_devices():
            self._doubts.note(Doubt.of_device(device))
        for command in await self._ledger.unsettled():
            self._doubts.note(Doubt.of_command(command))
        self._closed = ""
        self.notes.open()
        return self.doubts

    async def run(self) -> None:
        """Settle what is read back, and try again what the disk did not take, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._owed.run(), name="record.owed")
            tasks.create_task(self.notes.run(), name="record.notes")
            await self._settling.run()

    async def intend(
        self, actor: Actor, verb: str, target: str, after: Any, *, within: float, is_off: bool
    ) -> Intended:
        """See Record."""
        who, at = who_is(actor), self._clock.monotonic()
        words: dict[str, Any] = {"before": self._before(target), "after": after, "job": actor.job}
        if is_off:
            intent = await self._intend_off(who, verb, target, words)
        elif self._closed:
            raise NotRecorded(self._closed)
        else:
            intent = await self._ledger.intend(who, verb, target, **words, within=within)
        return Intended(actor=actor, verb=verb, target=target, after=after, at=at, intent=intent)

    def sent(self, intent: Intended) -> None:
        """See Record."""
        if intent.intent is not None:
            try:
                self._ledger.sent_soon(intent.intent).add_done_callback(_looked_at)
            except AgentError as error:
                log.error("%s", error)

    async def ended(self, intent: Intended, outcome: Outcome) -> None:
        """See Record."""
        it = intent.intent
        if it is None:
            await self._written(
                f"{intent.target} at {intent.at:.6f}", partial(self._late, intent, outcome)
            )
            return
        if outcome.status is Status.UNKNOWN:
            self._doubts.note(self._doubt(intent, it))
        await self._written(it.command, partial(self._end, intent, it, outcome))

    def refused(self, actor: Actor, verb: str, target: str, after: Any, why: str) -> None:
        """See Record."""
        self._note(actor, f"{verb}.{Status.REFUSED}", target, after, why)

    async def stopped(self, actor: Actor, device: str, outcome: Outcome, asked: float) -> None:
        """See Record."""
        entry = EventEntry(
            action="stop",
            target=device,
            after=outcome.status,
            reason=outcome.message,
            job=actor.job,
        )
        what = f"stop {device} at {asked:.6f}"
        await self._written(what, lambda: self._recorded(who_is(actor), entry))
        if outcome.status is Status.DONE and outcome.is_settling:
            await self._settling.stopped(who_is(actor), device, asked)

    async def noted(
        self, actor: Actor, action: str, target: str, reason: str, after: Json = None
    ) -> None:
        """See Record."""
        entry = EventEntry(action=action, target=target, reason=reason, after=after, job=actor.job)
        await self._recorded(who_is(actor), entry)

    async def blocked(self, device: str) -> str:
        """See Record."""
        await self._settling.read_back(device)
        return self.doubted(device)

    def doubted(self, device: str) -> str:
        """See Record."""
        return self._doubts.in_words(device)

    async def settle(self, actor: Actor, device: str, reason: str) -> int:
        """See Record."""
        if self._closed:
            raise NotRecorded(self._closed)
        return await self._settling.all_of(who_is(actor), device, reason)

    async def _intend_off(
        self, who: Who, verb: str, target: str, words: dict[str, Any]
    ) -> Intent | None:
        """Record what switches something off, as far as the disk is quick; it is done all the same."""
        why = self._closed
        try:
            if not why:
                intent, recorded = self._ledger.intend_soon(who, verb, target, **words)
                await asyncio.wait([recorded], timeout=OFF_WITHIN_S)
                if not recorded.done():
                    log.warning("%s is switched off before the disk has taken it", target)
                    return intent
                recorded.result()
                return intent
        except AgentError as error:
            why = str(error)
        log.error("%s is switched off without a record of the intent: %s", target, why)
        return None

    async def _end(self, intended: Intended, it: Intent, outcome: Outcome) -> None:
        """Write the end of a command; a value that JSON can't hold is said in words."""
        stage, why = ENDINGS[outcome.status], outcome.message
        value = outcome.value if outcome.status is Status.DONE else None
        async with self._settling.turns[intended.device]:
            try:
                await self._ledger.ended(it, stage, after=value, reason=why)
            except BadEntry as error:
                why = f"{why} (its value is left out: {error})".strip()
                await self._ledger.ended(it, stage, reason=why)

    async def _late(self, intended: Intended, outcome: Outcome) -> None:
        """Write what was done before the disk had taken its intent."""
        entry = EventEntry(
            action=f"{intended.verb}.{outcome.status}",
            target=intended.target,
            after=intended.after,
            reason=f"sent before it was on record. {outcome.message}".strip(),
            job=intended.actor.job,
        )
        await self._recorded(who_is(intended.actor), entry)

    async def _recorded(self, who: Who, entry: EventEntry) -> None:
        if self._closed:
            raise NotRecorded(self._closed)
        await self._ledger.record(who, entry)

    async def _written(self, what: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Write something that has happened: now, or as soon as the disk takes it."""
        try:
            async with asyncio.timeout(TOLD_WITHIN_S):
                await work()
        except TimeoutError:  # it is on its way
            log.error(
                "the disk hangs: it has not taken the end of %s within %g s", what, TOLD_WITHIN_S
            )
        except NotRecorded as error:
            log.error("%s; it is tried again", error)
            self._owed.add(what, work)
        except AgentError as error:
            log.error("%s", error)

    def _note(self, actor: Actor, action: str, target: str, after: Any, why: str) -> None:
        entry = EventEntry(action=action, target=target, after=after, reason=why, job=actor.job)
        self.notes.add(who_is(actor), entry)

    def _before(self, target: str) -> Any:
        device, _, name = target.partition(".")
        snapshot = self._board.latest.get(device)
        sample = snapshot.samples.get(name) if snapshot else None
        return sample.value if sample and sample.quality in BELIEVED else None

    def _doubt(self, intended: Intended, it: Intent) -> Doubt:
        return Doubt(
            device=intended.device,
            command=it.command,
            action=it.entry.action,
            target=it.entry.target,
            actor=it.who.name,
            asked=intended.at,
            utc=exact(self._clock.utc()),
        )


def who_is(actor: Actor) -> Who:
    """An actor as the ledger names it."""
    return Who(name=actor.name, role=actor.role.name.lower(), origin=actor.origin)


def _looked_at(future: asyncio.Future[Any]) -> None:
    """Mark an error as seen: where the intent is not on disk either, its end tells of it."""
    if not future.cancelled():
        future.exception()
