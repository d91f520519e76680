"""A hello within milliseconds, on a machine whose cores other tests have too."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from drivers.errors import LinkTimeout


async def until_greeted(hello: Callable[[], Awaitable[object]]) -> None:
    """Say hello until it is answered in time: what is tested begins only then."""
    async with asyncio.timeout(10):
        while True:
            with contextlib.suppress(LinkTimeout):
                await hello()
                return
