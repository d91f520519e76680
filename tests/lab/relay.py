"""A wire between two programs that a test can cut."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Relay:
    """Passes bytes on between whoever connects to `port` and the port behind it."""

    host = "127.0.0.1"
    port = 0

    def __init__(self, behind: int) -> None:
        self._behind = behind
        self._writers: set[asyncio.StreamWriter] = set()
        self._whole = True

    def mend(self) -> None:
        """Pass new connections on again."""
        self._whole = True

    def cut(self) -> None:
        """Break every connection, as a pulled plug does, and new ones until it is mended."""
        self._whole = False
        for writer in self._writers:
            writer.transport.abort()

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass one connection on until either end closes it."""
        if not self._whole:
            writer.transport.abort()
            return
        far_reader, far_writer = await asyncio.open_connection(self.host, self._behind)
        self._writers |= {writer, far_writer}
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_pass_on(reader, far_writer))
                tasks.create_task(_pass_on(far_reader, writer))
        except* OSError:
            pass  # cut
        finally:
            self._writers -= {writer, far_writer}


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


@asynccontextmanager
async def relay(behind: int) -> AsyncIterator[Relay]:
    """A relay to a loopback port until the context ends."""
    passing = Relay(behind)
    server = await asyncio.start_server(passing.connected, passing.host, 0)
    passing.port = server.sockets[0].getsockname()[1]
    async with server:
        yield passing
        passing.cut()
