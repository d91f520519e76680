"""What waits to be published: events and replies in order, of each retained topic only the last."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any, Final

KEPT: Final = 2000
"""Events and replies that wait for a broker; when there are more, the oldest is dropped."""


WINDOW: Final = 16
"""Messages on their way at once; the library keeps the order of up to 20."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One message. `correlation` is that of the request it answers (MQTT 5 only)."""

    topic: str
    payload: bytes
    retain: bool = False
    correlation: bytes | None = None


Publish = Callable[[Message], Coroutine[Any, Any, None]]
"""Hands a message to the broker, and returns when that has acknowledged it."""


class Outbox:
    """Filled without waiting, emptied by the one task that publishes."""

    def __init__(self) -> None:
        self.dropped = 0
        """Messages that had no room, since this was last set to 0."""
        self._numbers = count()
        self._queue: deque[tuple[int, Message]] = deque()
        self._retained: dict[str, tuple[int, Message]] = {}
        self._some = asyncio.Event()

    def __len__(self) -> int:
        return len(self._queue) + len(self._retained)

    def post(self, message: Message) -> None:
        """Let a message wait its turn, also until there is a broker."""
        if len(self._queue) >= KEPT:
            self._queue.popleft()
            self.dropped += 1
        self._queue.append((next(self._numbers), message))
        self._some.set()

    def retain(self, topic: str, payload: bytes) -> None:
        """Let the last word on a topic wait, in the place of an earlier one that was not sent."""
        message = Message(topic=topic, payload=payload, retain=True)
        self._retained[topic] = next(self._numbers), message
        self._some.set()

    async def deliver(self, publish: Publish) -> None:
        """Publish in order, without waiting for one to be acknowledged before the next.

        It ends only by being cancelled or by what `publish` raises; what was not acknowledged by
        then waits again.
        """
        window = asyncio.Semaphore(WINDOW)
        async with asyncio.TaskGroup() as tasks:
            while True:
                await window.acquire()
                number, message = await self.take()
                sending = tasks.create_task(publish(message), name="mqtt.publish")
                sending.add_done_callback(partial(self._sent, number, message, window))

    async def drain(self, publish: Publish) -> None:
        """Publish all that waits, one by one."""
        while len(self):
            _, message = self._next()
            await publish(message)

    async def take(self) -> tuple[int, Message]:
        """Wait for a message, and take it out with its number."""
        while not len(self):
            self._some.clear()
            await self._some.wait()
        return self._next()

    def forget_retained(self) -> None:
        """Let go of what is published anew with the next broker."""
        self._retained.clear()

    def _next(self) -> tuple[int, Message]:
        """Events and replies first: they are few."""
        if self._queue:
            return self._queue.popleft()
        return self._retained.pop(next(iter(self._retained)))

    def _sent(
        self, number: int, message: Message, window: asyncio.Semaphore, sending: asyncio.Task[None]
    ) -> None:
        window.release()
        if sending.cancelled() or sending.exception():
            self._put_back(number, message)

    def _put_back(self, number: int, message: Message) -> None:
        """Let a message wait again in its old place, and of a retained topic only the newest."""
        if not message.retain:
            waiting = [*self._queue, (number, message)]
            self._queue = deque(sorted(waiting, key=lambda numbered: numbered[0]))
        elif number > self._retained.get(message.topic, (-1, message))[0]:
            self._retained[message.topic] = number, message
        self._some.set()
