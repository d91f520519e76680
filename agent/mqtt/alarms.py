"""What the broker keeps of each alarm: how it stands, from the moment that it changes."""

from __future__ import annotations

from agent.mqtt import payloads
from agent.mqtt.outbox import Outbox
from agent.mqtt.topics import Topics
from agent.safety.alarms import Alarms


class AlarmTopics:
    """Follows the alarms while there is a broker."""

    def __init__(self, station: str, alarms: Alarms, topics: Topics, outbox: Outbox) -> None:
        self._station, self._alarms = station, alarms
        self._topics, self._outbox = topics, outbox
        self._said: dict[str, bytes] = {}
        self.name, self.kept = "alarms", topics.alarms

    def announce(self) -> None:
        """Say how every alarm stands."""
        self._said.clear()
        self.catch_up()

    async def follow(self) -> None:
        """Say every change until cancelled."""
        async with self._alarms.watch() as changes:
            self.catch_up()
            async for name in changes:
                self._say(name)

    def catch_up(self) -> None:
        """Say what is not as it was said last."""
        for name in {**self._alarms.all, **self._said}:
            self._say(name)

    def see_kept(self, topic: str) -> None:
        """Clear the topic of an alarm that is no more."""
        name = self._topics.alarm_of(topic)
        if name is not None and name not in self._alarms.all:
            self._outbox.retain(topic, b"")

    def _say(self, name: str) -> None:
        alarm = self._alarms.all.get(name)
        if alarm is None:
            self._said.pop(name, None)
            self._outbox.retain(self._topics.alarm(name), b"")
            return
        form = payloads.alarm(self._station, alarm, is_first=self._alarms.is_first(alarm))
        payload = payloads.encode(form)
        if self._said.get(name) != payload:
            self._said[name] = payload
            self._outbox.retain(self._topics.alarm(name), payload)
