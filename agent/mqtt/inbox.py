"""Requests over MQTT: each is refused with a reason, or carried out once and answered."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from agent.fleet.events import Severity
from agent.fleet.samples import Outcome, Status
from agent.mqtt import payloads
from agent.mqtt.deeds import device_deeds
from agent.mqtt.job_deeds import job_deeds
from agent.mqtt.outbox import Message
from agent.mqtt.request import BadRequest, Request, parse
from agent.mqtt.topics import Topics, answerable
from agent.mqtt.verbs import STOPS
from agent.roles import Actor
from agent.safety.answers import Answers
from agent.station import Station
from drivers import Role

AHEAD_S: Final = 600.0
"""How far in the future a request may expire: it is known at least until then."""
AT_ONCE: Final = 32
"""Requests that may be under way at the same time. Stops are not counted: they always work."""

LONGEST_SHOWN: Final = 80

log = logging.getLogger("labkeeper")


@dataclass(frozen=True, kw_only=True, slots=True)
class Letter:
    """A message on one of the station's command topics."""

    verb: str
    payload: bytes
    retained: bool = False
    response_topic: str | None = None
    correlation: bytes | None = None

    @classmethod
    def of(cls, verb: str, message: Any) -> "Letter":
        """A message of the MQTT library as a request."""
        properties = message.properties
        return cls(
            verb=verb,
            payload=message.payload,
            retained=message.retain,
            response_topic=getattr(properties, "ResponseTopic", None),
            correlation=getattr(properties, "CorrelationData", None),
        )


class Inbox:
    """Takes requests for the station; `role` is what they may do."""

    def __init__(self, station: Station, topics: Topics, role: Role) -> None:
        self.refused = 0
        self.closed = False
        """Whether only stops are still carried out, because the agent is ending."""
        self._station, self._topics, self._role = station, topics, role
        self._answers = Answers[bytes](station.clock)
        self._deeds = {**device_deeds(station), **job_deeds(station)}
        self._under_way = 0

    async def answer(self, letter: Letter) -> Message | None:
        """Carry out what the letter asks, and return the answer; None where nobody can get one."""
        if letter.retained and not letter.payload:
            return None  # this is how a retained message is removed
        try:
            request = self._accepted(letter)
        except BadRequest as refusal:
            return self._refusal(letter, refusal)
        if request.verb in STOPS:
            return self._addressed(letter, request.id, await self._carry_out(request))
        try:
            payload = await self._once(request)
        except BadRequest as refusal:
            return self._refusal(letter, BadRequest(str(refusal), request.told))
        return self._addressed(letter, request.id, payload)

    def _accepted(self, letter: Letter) -> Request:
        request = parse(letter.verb, letter.payload)
        told = request.told
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
            actor = Actor(name=request.by or "mqtt", origin="mqtt", role=self._role)
            outcome, read = await self._deeds[request.verb](request, actor)
        except BadRequest as refusal:
            self._say_refused(request.verb, request.told, str(refusal))
            outcome = Outcome(status=Status.REFUSED, message=str(refusal))
        except Exception as error:
            log.exception("request %s ended with an error of the agent", request.id)
            outcome = Outcome(
                status=Status.UNKNOWN,
                message=f"an error of the agent, {error!r}; whether it was done is unknown: "
                "look before going on",
            )
        self.refused += outcome.status is Status.REFUSED
        return self._reply(request.verb, request.told, outcome, read)

    def _refusal(self, letter: Letter, refusal: BadRequest) -> Message | None:
        self.refused += 1
        self._say_refused(letter.verb, refusal.told, str(refusal))
        outcome = Outcome(status=Status.REFUSED, message=str(refusal))
        payload = self._reply(letter.verb, refusal.told, outcome, {})
        return self._addressed(letter, refusal.told.get("id", ""), payload)

    def _say_refused(self, verb: str, told: Mapping[str, str], why: str) -> None:
        device, actor = told.get("device", ""), told.get("by", "mqtt")
        target = device or told.get("job", "")
        self._station.events.add(
            "mqtt.refused",
            f"{actor} (mqtt) {verb[:LONGEST_SHOWN]} {target}".rstrip() + f": refused: {why}",
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
