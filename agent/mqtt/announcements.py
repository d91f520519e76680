"""What the broker keeps of each device: its description and its state, paced and conflated."""

import asyncio
from dataclasses import dataclass

from agent.fleet.plan import Plan
from agent.fleet.samples import Snapshot
from agent.mqtt import payloads
from agent.mqtt.outbox import Outbox
from agent.mqtt.topics import Topics
from agent.station import Station


@dataclass(frozen=True, slots=True)
class Announced:
    """What was said last of a device, and when (seconds, monotonic)."""

    snapshot: Snapshot
    at: float


def wait_before(last: Announced | None, snapshot: Snapshot, now: float, interval: float) -> float:
    """Seconds until this snapshot may be announced. A change of the link's state does not wait."""
    if last is None or last.snapshot.state is not snapshot.state:
        return 0.0
    return max(0.0, last.at + interval - now)


class Announcements:
    """Follows the board while there is a broker. `interval`: least seconds between two states."""

    def __init__(self, station: Station, topics: Topics, outbox: Outbox, interval: float) -> None:
        self._station, self._topics, self._outbox = station, topics, outbox
        self._interval = interval
        self._announced: dict[str, Announced] = {}
        self._described: dict[str, tuple[Plan, bytes]] = {}
        self._waiting: set[str] = set()

    async def run(self, birth: bytes) -> None:
        """Announce every device, then the birth, then every change until cancelled.

        The birth comes last, so that whoever hears it finds no older states.
        """
        self._waiting.clear()
        self._described.clear()
        async with self._station.board.watch() as changes, asyncio.TaskGroup() as tasks:
            for device in {**self._station.board.latest, **self._announced}:
                self._announce(device)
            self._outbox.retain(self._topics.status, birth)
            async for device in changes:
                wait = self._wait(device)
                if not wait:
                    self._announce(device)
                elif device not in self._waiting:
                    self._waiting.add(device)
                    tasks.create_task(self._later(device, wait), name=f"mqtt.{device}")

    def catch_up(self) -> None:
        """Announce what waits for its interval to end; there will be no later."""
        for device, snapshot in self._station.board.latest.items():
            last = self._announced.get(device)
            if last is None or last.snapshot is not snapshot:
                self._announce(device)

    def see_kept(self, topic: str) -> None:
        """Look at a topic that the broker kept: config may have lost its device meanwhile."""
        device = self._topics.described(topic)
        if device is not None and device not in self._station.workers:
            self._clear(device)

    def _clear(self, device: str) -> None:
        """Take back what the broker keeps of a device that the station no longer has."""
        for topic in (self._topics.state(device), self._topics.description(device)):
            self._outbox.retain(topic, b"")
        self._announced.pop(device, None)
        self._described.pop(device, None)

    def _wait(self, device: str) -> float:
        snapshot = self._station.board.latest.get(device)
        if snapshot is None:
            return 0.0
        now = self._station.clock.monotonic()
        return wait_before(self._announced.get(device), snapshot, now, self._interval)

    async def _later(self, device: str, wait: float) -> None:
        await self._station.clock.sleep(wait)
        self._waiting.discard(device)
        self._announce(device)

    def _announce(self, device: str) -> None:
        snapshot = self._station.board.latest.get(device)
        worker = self._station.workers.get(device)
        if snapshot is None:
            self._clear(device)
        elif worker is not None:  # else it is being retired, and leaves the board next
            self._describe(worker.plan)
            form = payloads.state(self._station.name, worker.plan, snapshot)
            self._outbox.retain(self._topics.state(device), payloads.encode(form))
            self._announced[device] = Announced(snapshot, self._station.clock.monotonic())

    def _describe(self, plan: Plan) -> None:
        """Publish the description where it is not what was published last."""
        known, published = self._described.get(plan.name, (None, b""))
        if known is plan:
            return
        payload = payloads.encode(payloads.description(self._station.name, plan))
        self._described[plan.name] = plan, payload
        if payload != published:
            self._outbox.retain(self._topics.description(plan.name), payload)
