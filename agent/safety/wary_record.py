"""The record of a station after an end without order: some devices are not used before a look.

Nothing is switched on again by itself. Outputs are read back. A device that is found off may be
used at once; one that is found energised, or can't be read, takes nothing but off and stop until
somebody says that they have looked. After several such ends that holds for every device, however
it is found.
"""

from collections.abc import Mapping
from typing import Any

from agent.fleet.board import Board
from agent.fleet.device import DeviceWorker
from agent.fleet.events import EventLog, Severity
from agent.fleet.samples import Outcome, Status
from agent.languages.message import Message
from agent.roles import Actor
from agent.safety.dirty_start import Before
from agent.safety.doubts import Doubt
from agent.safety.hazards import in_words, seen
from agent.safety.observe_only import ObserveOnly
from agent.safety.record import Record
from agent.store.entries import Json
from agent.store.ledger import Ledger
from agent.store.moments import exact
from agent.store.safe_state import Seen


class WaryRecord:
    """A record that blocks the devices which nobody has looked at since."""

    def __init__(
        self,
        record: Record,
        before: Before,
        workers: Mapping[str, DeviceWorker],
        board: Board,
        events: EventLog,
        observing: ObserveOnly,
    ) -> None:
        self._observing = observing
        self._record, self._before = record, before
        self._workers, self._board, self._events = workers, board, events
        self._doubts = dict(before.doubts)
        self._looked_at: set[str] = set()

    def doubt(self, device: str) -> str:
        """Why a person has to look at this device first; "" when nobody has to."""
        worker, snapshot = self._workers.get(device), self._board.latest.get(device)
        if worker is None or device in self._looked_at or not worker.plan.driver_class.hazards:
            return ""
        why = self._doubts.get(device, self._before.why if self._before.is_lost else "")
        if why and snapshot and seen(worker.plan, snapshot, Seen.UNKNOWN) is Seen.OFF:
            self._looked_at.add(device)
            return ""
        return why

    def ask(self) -> None:
        """Say of each device in doubt how it was found, and what a person has to do."""
        if self._before.why:
            text = Message("{why}; nothing is switched on again by itself", why=self._before.why)
            self._events.add("start.dirty", text, severity=Severity.WARNING)
        for device in self._workers:
            was_in_doubt = device in self._doubts or self._before.is_lost
            if why := self._unseen(device):
                self._events.add("start.doubt", why, device=device, severity=Severity.WARNING)
            elif was_in_doubt and device in self._looked_at:
                text = Message(
                    "{device} was found safe: {words}", device=device, words=self._words(device)
                )
                self._events.add("start.safe", text, device=device)

    @property
    def ledger(self) -> Ledger | None:
        """See Record."""
        return self._record.ledger

    @property
    def doubts(self) -> Mapping[str, tuple[Doubt, ...]]:
        """See Record."""
        known, utc = dict(self._record.doubts), exact(self._before.written)
        for device in self._workers:
            if why := self._why(device):
                doubt = Doubt(device=device, target=device, utc=utc, why=why)
                known[device] = (*known.get(device, ()), doubt)
        return known

    async def intend(
        self, actor: Actor, verb: str, target: str, after: Any, *, within: float, is_off: bool
    ) -> Any:
        """See Record."""
        return await self._record.intend(actor, verb, target, after, within=within, is_off=is_off)

    def sent(self, intent: Any) -> None:
        """See Record."""
        self._record.sent(intent)

    def refused(self, actor: Actor, verb: str, target: str, after: Any, why: str) -> None:
        """See Record."""
        self._record.refused(actor, verb, target, after, why)

    async def ended(self, intent: Any, outcome: Outcome) -> None:
        """See Record."""
        await self._record.ended(intent, outcome)

    async def stopped(self, actor: Actor, device: str, outcome: Outcome, asked: float) -> None:
        """See Record."""
        if outcome.status is Status.DONE and outcome.is_settling:
            self._looked_at.add(device)
        await self._record.stopped(actor, device, outcome, asked)

    async def noted(
        self, actor: Actor, action: str, target: str, reason: str, after: Json = None
    ) -> None:
        """See Record."""
        await self._record.noted(actor, action, target, reason, after)

    async def blocked(self, device: str) -> str:
        """See Record."""
        return await self._record.blocked(device) or self._blocked(device)

    def doubted(self, device: str) -> str:
        """See Record."""
        return self._record.doubted(device) or self._blocked(device)

    async def settle(self, actor: Actor, device: str, reason: str) -> int:
        """See Record. What a person says of a device that was in doubt goes on record first."""
        count = await self._record.settle(actor, device, reason)
        if not (why := self._why(device)):
            return count
        await self._record.noted(actor, "looked", device, f"{reason} ({why})")
        self._looked_at.add(device)
        self._observing.release(device, self._workers)
        return count + 1

    async def settle_commands(self, actor: Actor, device: str, reason: str) -> int:
        """See Record."""
        return await self._record.settle_commands(actor, device, reason)

    def _why(self, device: str) -> str:
        return self._observing.why(device) or self.doubt(device)

    def _blocked(self, device: str) -> str:
        if why := self._observing.why(device):
            utc = exact(self._before.written)
            return Doubt(device=device, target=device, utc=utc, why=why).in_words()
        return self._unseen(device)

    def _unseen(self, device: str) -> str:
        if not (why := self.doubt(device)):
            return ""
        return Message(
            "{device} is blocked: {why}, and {words}. Look at the device, then `labkeeper "
            'settle {device} --reason "…"`, or stop it',
            device=device,
            why=why,
            words=self._words(device),
        )

    def _words(self, device: str) -> str:
        return in_words(self._workers[device].plan, self._board.latest[device])
