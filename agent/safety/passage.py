"""The way through the gate behind its checks: intent, the checks once more, the device, the end.

Nothing here waits without a bound but for the device itself, whose commands have bounds of their
own. What a slow disk has kept for too long is not sent any more: who asked for it has gone on.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from agent.clock import Clock
from agent.errors import AgentError
from agent.fleet.samples import Cause, Outcome, Status
from agent.fleet.sending import when_sending
from agent.languages.message import Message
from agent.roles import Actor
from agent.safety.intended import Intended
from agent.safety.record import Record

SEND_WITHIN_S: Final = 5.0
"""From asking to sending: a person looks up by then, and a later effect would be a surprise."""
STOP_RECORD_WAITS_S: Final = 5.0
"""How long the record of a stop waits for what was under way: a stop ends that within three."""

Work: TypeAlias = Callable[[], Coroutine[Any, Any, Outcome]]

log = logging.getLogger("labkeeper")


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asks for: `after` is the value, or the arguments by name, for the record.

    `value` is what a setting shall be, `stops` how often the device had been stopped before, and
    `at` when it was asked for, on the monotonic clock.
    """

    actor: Actor
    verb: str
    target: str
    after: Any
    stops: int
    at: float
    value: object = None

    @property
    def device(self) -> str:
        """The device that it is for."""
        return self.target.partition(".")[0]

    @property
    def is_off(self) -> bool:
        """Whether it switches something off, which neither a doubt nor the disk may keep for long."""
        return self.value is False


class Passage:
    """What is under way on each device, between two entries of the record.

    `refused_now` says why a request is refused by how things are at this moment.
    """

    def __init__(
        self,
        record: Record,
        refused_now: Callable[[Asked], Outcome | None],
        tasks: asyncio.TaskGroup,
        clock: Clock,
    ) -> None:
        self._record, self._refused_now = record, refused_now
        self._tasks, self._clock = tasks, clock
        self.stops: Counter[str] = Counter()
        """How often each device has been stopped."""
        self._under_way: dict[str, dict[asyncio.Task[Outcome], int]] = {}
        """What is under way on a device, and how often it had been stopped when that was asked."""
        self._stop_records: dict[str, set[asyncio.Task[None]]] = {}

    async def through(self, asked: Asked, work: Work) -> Outcome:
        """Have it done between two entries of the record. A caller who goes away hastens nothing."""
        task = self._tasks.create_task(self._carry_out(asked, work), name=f"{asked.target}.record")
        under_way = self._under_way.setdefault(asked.device, {})
        under_way[task] = asked.stops
        task.add_done_callback(under_way.pop)
        await asyncio.wait([task])
        return task.result()

    def stopped(self, actor: Actor, device: str, number: int, outcome: Outcome, at: float) -> None:
        """Record the stop of this number, asked for then, behind all that was asked before it."""
        recording = self._record_stop(actor, device, number, outcome, at)
        task = self._tasks.create_task(recording, name=f"{device}.stop.record")
        records = self._stop_records.setdefault(device, set())
        records.add(task)
        task.add_done_callback(records.discard)

    async def _carry_out(self, asked: Asked, work: Work) -> Outcome:
        """Have it done, whatever happens: this is a task of the station, which must not end by it."""
        try:
            return await self._between_records(asked, work)
        except AgentError as error:
            return _unrecorded(error)
        except Exception as error:
            log.exception("carrying out %s", asked.target)
            return _defect(asked, error)

    async def _between_records(self, asked: Asked, work: Work) -> Outcome:
        if not asked.is_off and (refused := await self._kept_back(asked)):
            self._record.refused(
                asked.actor, asked.verb, asked.target, asked.after, refused.message
            )
            return refused
        intent = await self._record.intend(
            asked.actor,
            asked.verb,
            asked.target,
            asked.after,
            within=max(self._time_left(asked), 0.0),
            is_off=asked.is_off,
        )
        try:
            with when_sending(lambda: self._sent_soon(intent)):
                outcome = self._refused_meanwhile(asked) or await work()
        except Exception as error:
            log.exception("carrying out %s", asked.target)
            outcome = _defect(asked, error)
        await self._record.ended(intent, outcome)
        return outcome

    def _sent_soon(self, intent: Intended) -> None:
        """Record that it is sent when this turn of the loop is over: behind the bytes, before its end.

        Neither the disk nor its thread keeps the bytes waiting.
        """
        asyncio.get_running_loop().call_soon(self._record.sent, intent)

    async def _kept_back(self, asked: Asked) -> Outcome | None:
        """The refusal where the device is blocked. What a stop settles is settled by then."""
        try:
            async with asyncio.timeout(max(self._time_left(asked), 0.0)):
                records = self._stop_records.get(asked.device)
                if records and self.stops[asked.device] == asked.stops:
                    await asyncio.wait(set(records))
                why = await self._record.blocked(asked.device)
        except TimeoutError:
            return self._too_late(asked)
        return refused(why, Cause.BLOCKED) if why else None

    def _refused_meanwhile(self, asked: Asked) -> Outcome | None:
        """Why it is not sent any more: what a file and the disk were waited for has changed things."""
        if self.stops[asked.device] != asked.stops:
            text = Message(
                "{device} was stopped before anything was sent for {target}",
                device=asked.device,
                target=asked.target,
            )
            return refused(
                Message("{text}; ask again if it is still wanted", text=text), Cause.BUSY
            )
        if not asked.is_off:
            if self._time_left(asked) < 0:
                return self._too_late(asked)
            if why := self._record.doubted(asked.device):
                return refused(why, Cause.BLOCKED)
        return self._refused_now(asked)

    def _time_left(self, asked: Asked) -> float:
        """Seconds within which it may still be sent."""
        return asked.at + SEND_WITHIN_S - self._clock.monotonic()

    def _too_late(self, asked: Asked) -> Outcome:
        taken = self._clock.monotonic() - asked.at
        text = Message(
            "{target} was not sent: the disk took {taken:.1f} s, and after "
            "{send_within_s:g} s nobody expects it any more; ask again if it is still "
            "wanted",
            target=asked.target,
            taken=taken,
            send_within_s=SEND_WITHIN_S,
        )
        return refused(text, Cause.NOT_RECORDED)

    async def _record_stop(
        self, actor: Actor, device: str, number: int, outcome: Outcome, at: float
    ) -> None:
        """Record a stop when all that was asked before it is on record, or takes too long for that."""
        under_way = self._under_way.get(device, {})
        if before := [task for task, stops in under_way.items() if stops < number]:
            await asyncio.wait(before, timeout=STOP_RECORD_WAITS_S)
        try:
            await self._record.stopped(actor, device, outcome, at)
        except Exception:
            log.exception("recording the stop of %s", device)


def refused(why: str, cause: Cause) -> Outcome:
    """The outcome of what was not sent, for a reason that the caller can mend."""
    return Outcome(status=Status.REFUSED, message=why, cause=cause)


def _defect(asked: Asked, error: Exception) -> Outcome:
    text = Message(
        "{target}: an error of the agent, {error}; whether it was done is unknown",
        target=asked.target,
        error=repr(error),
    )
    return Outcome(
        status=Status.UNKNOWN,
        message=Message("{text}: look at the device before going on", text=text),
    )


def _unrecorded(error: AgentError) -> Outcome:
    text = Message("{error}; nothing was sent: what is not on record is not done", error=str(error))
    return Outcome(status=Status.FAILED, message=text, cause=Cause.NOT_RECORDED)
