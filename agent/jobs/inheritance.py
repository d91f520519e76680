"""When jobs go on from where the agent before has left them: at the start, or as soon as the disk lets it.

Until then nothing begins and nothing is submitted. Who does not know the jobs of before, the hold of
the queue or which plates are full would give numbers twice, and run what a person has held.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from agent.errors import AgentError
from agent.fleet.events import Severity
from agent.jobs.restart import take_over
from agent.jobs.shop import Shop
from agent.jobs.submission import Submission
from agent.jobs.turns import Turns
from agent.languages.message import Message
from agent.store.store_errors import NotRead, NotRecorded

AGAIN_S: Final = 5.0
"""How long to wait before the disk is tried again."""
NOT_YET: Final = Message(
    "the disk has not told of the jobs of before yet, and none begins until then"
)

log = logging.getLogger("labkeeper")


class Inheritance:
    """What the agent before has left, of which this one has taken over all or nothing."""

    def __init__(self, shop: Shop, turns: Turns, submission: Submission) -> None:
        self._shop, self._turns, self._submission = shop, turns, submission
        self._again: asyncio.Task[None] | None = None
        self.taken_over = asyncio.Event()

    @property
    def is_taken_over(self) -> bool:
        """Whether all of it is taken over."""
        return self.taken_over.is_set()

    async def begin(self) -> None:
        """Take it over. Where the disk does not let it, that is told, and tried again.

        The start may go on before this returns, when the disk hangs: until then nothing begins.
        """
        self._turns.closed = NOT_YET
        if not (trouble := await self._why_not()):
            await self._go_on(is_late=self._turns.is_open)
            return
        why = Message(
            "the jobs of before can't be taken over, and none begins until they are: {trouble}",
            trouble=trouble,
        )
        self._turns.closed = Message(
            "{why}; it is tried again every {seconds:g} s", why=why, seconds=AGAIN_S
        )
        self._shop.events.add("jobs.unkept", self._turns.closed, severity=Severity.ERROR)
        self._again = self._shop.tasks.create_task(self._until_taken(), name="jobs.take-over")

    async def end(self) -> None:
        """Try no more."""
        if self._again is not None:
            self._again.cancel()
            await asyncio.wait([self._again])

    def must_be_here(self) -> None:
        """Raise NotRecorded as long as it is not taken over."""
        if self._turns.closed:
            raise NotRecorded(self._turns.closed)

    def must_tell_of(self, job: str) -> None:
        """Raise NotRead as long as a job that is not listed may be one of before."""
        if self._turns.closed:
            text = Message(
                "nobody knows of job {job} yet: {why}. Devices can be stopped one by one, or all",
                job=job,
                why=self._turns.closed,
            )
            raise NotRead(text)

    async def _until_taken(self) -> None:
        while not self.is_taken_over:
            await self._shop.clock.sleep(AGAIN_S)
            if trouble := await self._why_not():
                log.debug("%s", trouble)
        await self._go_on(is_late=True)

    async def _go_on(self, *, is_late: bool) -> None:
        """Let jobs begin, and say so where somebody was told that none does."""
        self._turns.closed = ""
        if is_late:
            text = Message(
                "the disk is read again: the jobs of before are taken over, and jobs may begin"
            )
            self._shop.events.add("jobs.taken_over", text)
            self._turns.next()
        await self._turns.plates.keep_seen()

    async def _why_not(self) -> str:
        """Take it over; return why that is not possible now, "" when it is done."""
        try:
            await take_over(self._shop, self._turns, self._submission)
        except AgentError as error:
            return str(error)
        except Exception as error:  # a defect of ours keeps jobs from beginning, and ends no agent
            if self._again is None:
                log.exception("taking over the jobs of before")
            return Message(
                "a defect of the agent, {error!r}: report it with the agent's log", error=error
            )
        self.taken_over.set()
        return ""
