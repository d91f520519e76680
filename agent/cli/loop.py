"""The event loop of a command that follows the agent, and that Ctrl-C ends at any moment."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end, or to Ctrl-C, which raises KeyboardInterrupt."""
    with asyncio.Runner() as runner:
        runner.get_loop().set_exception_handler(_told_of)
        return runner.run(work)


def _told_of(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Tell of what went wrong in a callback, unless it only came too late.

    anyio waits for a socket by a future. Where bytes come in the same turn of the loop in which the
    wait is cancelled, asyncio finds the future done, and would print a traceback of that.
    """
    if not isinstance(context.get("exception"), asyncio.InvalidStateError):
        loop.default_exception_handler(context)
