"""Requests over MQTT: each is refused with a reason, or carried out once and answered."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from agent.fleet.events import Severity
from agent.fleet.samples import Outcome, Status
from agent.mqtt import payloads
from agent.mqtt.answers import Answers
from agent.mqtt.outbox import Message
from agent.mqtt.request import BadRequest, Request, parse
from agent.mqtt.topics import Topics, answerable
from agent.roles import Actor
from agent.station import Station
from drivers import Role
from drivers.errors import DriverError

AHEAD_S: Final = 600.0
"""How far in the future a request may expire: it is known at least until then."""
AT_ONCE: Final = 32
"""Requests that may be under way at the same time. Stops are not counted: they always work."""

log = logging.getLogger("labkeeper")


@dataclass(frozen=True, kw_only=True, slots=True)
class Letter:
    """A message on one of the station's command topics."""

    verb: str
    payload: bytes
    retained: bool = False
    response_topic: str | None = None
    correlation: bytes | None = None


class Inbox:
    """Takes requests for the station; `role` is what they may do."""

    def __init__(self, station: Station, topics: Topics, role: Role) -> None:
        self.refused = 0
        self.closed = False
        """Whether only stops are still carried out, because the agent is ending."""
        self._station, self._topics, self._role = station, topics, role
        self._answers = Answers(station.clock)
        self._under_way = 0

    async def answer(self, letter: Letter) -> Message | None:
        """Carry out what the letter asks, and return the answer; None where nobody can get one."""
        if letter.retained and not letter.payload:
            return None  # this is how a retained message is removed
        try:
            request = self._accepted(letter)
        except BadRequest as refusal:
            return self._refusal(letter, refusal)
        if request.verb == "stop":
            return self._addressed(letter, request.id, await self._carry_out(request))
        try:
            payload = await self._once(request)
        except BadRequest as refusal:
            return self._refusal(letter, BadRequest(str(refusal), _told(request)))
        return self._addressed(letter, request.id, payload)

    def _accepted(self, letter: Letter) -> Request:
        request = parse(letter.verb, letter.payload)
        told = _told(request)
        if letter.retained:
            raise BadRequest("it is retained; requests are published without retain", told)
        if letter.response_topic is not None and not answerable(letter.response_topic):
            raise BadRequest(
                f"the response topic {letter.response_topic[:LONGEST_SHOWN]!r} is not one that "
                f"answers may go to; use {self._topics.reply(request.id)}",
                told,
            )
        return request

    async def _once(self, request: Request) -> bytes:
        """The answer of a request, which is carried out only where its id is new."""
        known = self._answers.find(request.id)
        if known is not None and known.fingerprint != request.fingerprint:
            raise BadRequest(f"the id {request.id} was used before for another request")
        if known is None:
            self._check_time(request)
            if self.closed:
                raise BadRequest("the agent is ending; ask again when it is back")
            if self._answers.full:
                raise BadRequest("busy: too many requests have come that have not expired yet")
        if self._under_way >= AT_ONCE:
            raise BadRequest(f"busy: {AT_ONCE} requests are under way; ask again later")
        self._under_way += 1
        try:
            if known is not None:
                return await asyncio.shield(known.answer)
            self._answers.begin(request.id, request.fingerprint, self._left(request))
            payload = await self._carry_out(request)
            self._answers.end(request.id, payload)
            return payload
        finally:
            self._under_way -= 1

    def _left(self, request: Request) -> float:
        """Seconds until the request expires."""
        return (request.not_after or 0.0) - self._station.clock.utc()

    def _check_time(self, request: Request) -> None:
        left = self._left(request)
        if left < 0:
            raise BadRequest(
                f"it came {-left:.3f} s after its not_after; ask again, and compare the clocks"
            )
        if left > AHEAD_S:
            raise BadRequest(
                f"its not_after is {left:.0f} s ahead; allowed: {AHEAD_S:g} s, since it must not be "
                "carried out again when nobody remembers it; compare the clocks"
            )

    async def _carry_out(self, request: Request) -> bytes:
        read: dict[str, Any] = {}
        try:
            outcome, read = await self._outcome(request)
        except Exception as error:
            log.exception("request %s ended with an error of the agent", request.id)
            outcome = Outcome(
                status=Status.UNKNOWN,
                message=f"an error of the agent, {error!r}; whether it was done is unknown: "
                "look at the device before going on",
            )
        self.refused += outcome.status is Status.REFUSED
        return self._reply(request.verb, _told(request), outcome, read)

    async def _outcome(self, request: Request) -> tuple[Outcome, dict[str, Any]]:
        gate, device = self._station.gate, request.device
        actor = Actor(name=request.by or "mqtt", origin="mqtt", role=self._role)
        match request.verb:
            case "set":
                return await gate.set(actor, device, request.name, request.value), {}
            case "do":
                return await gate.do(actor, device, request.name, request.arguments), {}
            case "stop":
                return await gate.stop(actor, device), {}
        return await self._read(request)

    async def _read(self, request: Request) -> tuple[Outcome, dict[str, Any]]:
        worker = self._station.workers.get(request.device)
        if worker is None:
            known = ", ".join(sorted(self._station.workers)) or "none"
            return self._unread(request, f"no device is called {request.device}; devices: {known}")
        readings = worker.plan.driver_class.readings
        if request.name and request.name not in readings:
            offered = ", ".join(readings) or "none"
            return self._unread(request, f"{request.name} is no reading; readings: {offered}")
        try:
            samples = await worker.read((request.name,) if request.name else tuple(readings))
        except DriverError as error:
            return Outcome(status=Status.FAILED, message=str(error)), {}
        return Outcome(status=Status.DONE), payloads.values(worker.plan, samples)

    def _unread(self, request: Request, why: str) -> tuple[Outcome, dict[str, Any]]:
        self._say_refused(request.verb, _told(request), why)
        return Outcome(status=Status.REFUSED, message=why), {}

    def _refusal(self, letter: Letter, refusal: BadRequest) -> Message | None:
        self.refused += 1
        self._say_refused(letter.verb, refusal.told, str(refusal))
        outcome = Outcome(status=Status.REFUSED, message=str(refusal))
        payload = self._reply(letter.verb, refusal.told, outcome, {})
        return self._addressed(letter, refusal.told.get("id", ""), payload)

    def _say_refused(self, verb: str, told: Mapping[str, str], why: str) -> None:
        device, actor = told.get("device", ""), told.get("by", "mqtt")
        self._station.events.add(
            "mqtt.refused",
            f"{actor} (mqtt) {verb[:LONGEST_SHOWN]} {device}".rstrip() + f": refused: {why}",
            device=device if device in self._station.workers else "",
            severity=Severity.WARNING,
            actor=actor,
            origin="mqtt",
            request=told.get("id", ""),
        )

    def _reply(
        self, verb: str, told: Mapping[str, str], outcome: Outcome, read: dict[str, Any]
    ) -> bytes:
        request = {"id": told.get("id", ""), "command": verb, "device": told.get("device", "")}
        now = self._station.clock.utc()
        return payloads.encode(payloads.reply(self._station.name, request, outcome, read, now))

    def _addressed(self, letter: Letter, request: str, payload: bytes) -> Message | None:
        """The answer to where the letter wants it, else to the topic of its id."""
        if letter.response_topic is not None and answerable(letter.response_topic):
            return Message(
                topic=letter.response_topic, payload=payload, correlation=letter.correlation
            )
        if not request:
            return None
        return Message(
            topic=self._topics.reply(request), payload=payload, correlation=letter.correlation
        )


LONGEST_SHOWN: Final = 80


def _told(request: Request) -> dict[str, str]:
    told = {"id": request.id, "device": request.device, "by": request.by}
    return {key: text for key, text in told.items() if text}
