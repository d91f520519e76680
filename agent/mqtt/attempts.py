"""Trying again for ever, and more and more seldom where it does not last."""

from collections.abc import Awaitable, Callable
from random import Random
from typing import Final

from agent.clock import Clock
from agent.fleet.backoff import delays

FIRST_WAIT_S: Final = 0.25
MOST_WAIT_S: Final = 4.0
STEADY_S: Final = 5.0
"""A connection that lasted less counts as one more failed attempt: two agents of one client id
throw each other out, and must not do so ten times a second."""


async def again_and_again(once: Callable[[], Awaitable[None]], clock: Clock, rng: Random) -> None:
    """Call `once` until cancelled, with waits that begin anew after it has lasted."""
    waits = delays(FIRST_WAIT_S, MOST_WAIT_S, rng)
    while True:
        began = clock.monotonic()
        await once()
        if clock.monotonic() - began > STEADY_S:
            waits = delays(FIRST_WAIT_S, MOST_WAIT_S, rng)
        await clock.sleep(next(waits))
