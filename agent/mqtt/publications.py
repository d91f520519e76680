"""All that the station says by itself over MQTT: one line here for each kind of topic."""

import asyncio
from typing import Protocol

from agent.mqtt.alarms import AlarmTopics
from agent.mqtt.announcements import Announcements
from agent.mqtt.forwarding import forward_events
from agent.mqtt.job_announcements import JobAnnouncements
from agent.mqtt.ledger_head import LedgerHead
from agent.mqtt.outbox import Outbox
from agent.mqtt.topics import Topics
from agent.station import Station


class Retained(Protocol):
    """What the broker keeps of one kind of thing, beside the devices."""

    name: str
    """For the task that follows it."""
    kept: str
    """A filter for its topics, where some of them may be of things that are no more; else ""."""

    def announce(self) -> None:
        """Say everything: there is a broker that may know nothing, or what an earlier agent said."""
        ...

    async def follow(self) -> None:
        """Say what has changed since, and every change, until cancelled."""
        ...

    def catch_up(self) -> None:
        """Say what waits; there will be no later."""
        ...

    def see_kept(self, topic: str) -> None:
        """Look at a topic that the broker keeps, and clear it where it is of something that is no more."""
        ...


class Publications:
    """Fills the outbox. `interval`: least seconds between two states of one thing."""

    def __init__(self, station: Station, topics: Topics, outbox: Outbox, interval: float) -> None:
        self._station, self._topics, self._outbox = station, topics, outbox
        self._devices = Announcements(station, topics, outbox, interval)
        self._further: list[Retained] = []
        if station.jobs is not None:
            jobs = JobAnnouncements(station, station.jobs, topics, outbox, interval)
            self._further.append(jobs)
        if station.ledger is not None:
            self._further.append(LedgerHead(station, station.ledger, topics, outbox))
        if station.alarms is not None:
            self._further.append(AlarmTopics(station.name, station.alarms, topics, outbox))

    @property
    def filters(self) -> tuple[str, ...]:
        """What to subscribe to, so that `see_kept` hears what the broker has kept."""
        kept = (it.kept for it in self._further if it.kept)
        return (self._topics.descriptions, *kept)

    async def forward(self) -> None:
        """Post every event until cancelled, with or without a broker."""
        await forward_events(self._station, self._topics, self._outbox)

    async def run(self, birth: bytes) -> None:
        """Announce everything, then the birth, then every change until cancelled.

        The birth comes last, so that whoever hears it finds nothing older.
        """
        async with asyncio.TaskGroup() as tasks:
            for it in self._further:
                it.announce()
                tasks.create_task(it.follow(), name=f"mqtt.{it.name}")
            await self._devices.run(birth)

    def catch_up(self) -> None:
        """Announce what waits for its interval to end; there will be no later."""
        self._devices.catch_up()
        for it in self._further:
            it.catch_up()

    def see_kept(self, topic: str) -> None:
        """Look at a topic that the broker kept: what it tells of may be gone meanwhile."""
        self._devices.see_kept(topic)
        for it in self._further:
            it.see_kept(topic)
