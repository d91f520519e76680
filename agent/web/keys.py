"""`Idempotency-Key`: a request that is sent again under its key has no second effect.

Keys of commands are remembered as ids of requests over MQTT are: in memory, for a quarter of an hour
at least. Those of jobs are on the disk, with the job; see `agent.jobs.submission`.
"""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Depends, Header, Request

from agent.clock import Clock
from agent.fleet.samples import Outcome, Status
from agent.languages.message import Message
from agent.roles import Actor
from agent.safety.answers import KEPT_S, Answers
from agent.web.problems import Problem

TheKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[!-~]{1,200}$",
        description="A name for this request: sent again with it, it begins nothing new.",
        examples=["5f0c2a3e-8f5d-4a57-9b0e-7f2b6a0c1d11"],
    ),
]


class Keys:
    """The keys of requests of one station, and what came of each."""

    def __init__(self, clock: Clock) -> None:
        self._answers = Answers[Outcome](clock)

    async def once(self, key: str, asked: str, act: Callable[[], Awaitable[Outcome]]) -> Outcome:
        """What came of `act`, which is done only where the key is new, or where there is none.

        `asked` is what was asked, and by whom. Raises Problem where the key belongs to another.
        """
        if not key:
            return await act()
        known = self._answers.find(key)
        if known is None:
            return await self._first(key, asked, act)
        if known.fingerprint != asked:
            raise Problem(
                "key-conflict",
                Message(
                    "the key {key} belongs to another request: use a new key for a new one",
                    key=key[:80],
                ),
            )
        return await asyncio.shield(known.answer)

    async def _first(self, key: str, asked: str, act: Callable[[], Awaitable[Outcome]]) -> Outcome:
        if self._answers.full:
            raise Problem(
                "refused", Message("too many keys came within a quarter of an hour: wait")
            )
        self._answers.begin(key, asked, KEPT_S)
        text = Message(
            "the agent met a defect; whether it was done is unknown: look before going on"
        )
        outcome = Outcome(status=Status.UNKNOWN, message=text)
        try:
            outcome = await act()
        finally:
            self._answers.end(key, outcome)
        return outcome


def asked_by(actor: Actor, what: str, body: Any) -> str:
    """One text for one request of one caller."""
    whole = json.dumps([actor.name, actor.origin, actor.role.name, what, body], sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()


async def _keys(request: Request) -> Keys:
    keys: Keys = request.app.state.keys
    return keys


TheKeys = Annotated[Keys, Depends(_keys)]
