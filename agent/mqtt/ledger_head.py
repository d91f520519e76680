"""The head of the ledger at the broker, out of reach of whoever could cut off the ledger's end."""

import asyncio
from typing import Final

from agent.jobs.states import FINAL
from agent.mqtt import payloads
from agent.mqtt.outbox import Outbox
from agent.mqtt.topics import Topics
from agent.station import Station
from agent.store.chain import EMPTY, Head
from agent.store.ledger import Ledger

EVERY_S: Final = 5.0
"""Least time between two heads, but at the end of a job."""
ENTERED_S: Final = 0.5
"""How soon after the end of a job its last row is on the disk."""
ENDS: Final = frozenset(f"job.{state}" for state in FINAL)


class LedgerHead:
    """Follows the ledger while there is a broker."""

    name = "ledger"
    kept = ""

    def __init__(self, station: Station, ledger: Ledger, topics: Topics, outbox: Outbox) -> None:
        self._station, self._ledger = station, ledger
        self._topics, self._outbox = topics, outbox
        self._said: Head = EMPTY

    def announce(self) -> None:
        """Say it, whatever was said before."""
        self._said = EMPTY
        self.catch_up()

    async def follow(self) -> None:
        """Say it from time to time where there is more, and after the end of each job."""
        clock = self._station.clock
        async with self._station.events.listen() as heard, asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep_looking(), name="mqtt.ledger.head")
            async for event in heard:
                if event.kind in ENDS:
                    await clock.sleep(ENTERED_S)
                    self.catch_up()

    def catch_up(self) -> None:
        """Say it where it is another one."""
        head = self._ledger.head
        if head != self._said:
            now = self._station.clock.utc()
            form = payloads.ledger(self._station.name, head.seq, head.hash.hex(), now)
            self._outbox.retain(self._topics.ledger, payloads.encode(form))
            self._said = head

    def see_kept(self, topic: str) -> None:
        """There is one such topic, and it is of a ledger that is there."""

    async def _keep_looking(self) -> None:
        while True:
            await self._station.clock.sleep(EVERY_S)
            self.catch_up()
