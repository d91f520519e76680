"""What the broker does not let the station write: heard in its answers, and tried when asked for.

A broker acknowledges what it throws away as well, and the MQTT library passes over how. With MQTT 5
the acknowledgement says it; before that nobody can know.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from agent.station import Written

WITHIN_S: Final = 2.0
"""How long the broker may take to answer a trial."""


class Rights:
    """Of one session. `topic` is one of the station's own that nobody waits for.

    Args:
        topic: What a trial writes to.
        denied: Called once per connection with why the broker takes not all of it.
        tells: Whether the protocol tells what was thrown away.
    """

    def __init__(self, topic: str, denied: Callable[[str], None], *, tells: bool) -> None:
        self._topic, self._tells, self._denied = topic, tells, denied
        self._waiting: dict[int, asyncio.Future[str]] = {}
        self._paho: Any = None

    def begin(self, paho: Any) -> None:
        """Hear what the broker answers on a new connection, before anything is published there."""
        after, is_told = paho.on_publish, False

        def acknowledged(client: Any, data: Any, mid: int, code: Any, properties: Any) -> None:
            nonlocal is_told
            why = str(code) if self._tells and code.is_failure else ""
            if (trial := self._waiting.pop(mid, None)) and not trial.done():
                trial.set_result(why)
            if why and not is_told:
                is_told = True
                self._denied(why)
            after(client, data, mid, code, properties)

        paho.on_publish, self._paho = acknowledged, paho

    async def tried(self) -> Written:
        """Write an empty message that is not kept, and wait for the answer of the broker."""
        if self._paho is None:
            return Written(self._topic, None)
        sent = self._paho.publish(self._topic, b"", qos=1, retain=False)
        answer = asyncio.get_running_loop().create_future()
        self._waiting[sent.mid] = answer
        why: str | None = None
        with suppress(TimeoutError):
            async with asyncio.timeout(WITHIN_S):
                why = await answer
        self._waiting.pop(sent.mid, None)
        return Written(self._topic, why if self._tells else None)
