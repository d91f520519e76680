"""WebSockets (RFC 6455). The library `websockets` speaks them, and its exceptions end here."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from drivers.errors import AccessRefused, ConnectFailed, LinkClosed, LinkTimeout
from drivers.transport.message import without_secrets
from drivers.transport.recorder import Recorder
from drivers.transport.threads import in_thread

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

OPEN_S: Final = 5.0
PING_S: Final = 5.0
"""How often the library asks whether the other end lives, and how long it waits for the answer."""
MOST_BYTES: Final = 1 << 21
MOST_WAITING: Final = 32
"""Messages kept while nobody takes them; beyond that the other end has to wait."""


class TextSocket:
    """An open WebSocket."""

    def __init__(self, name: str, connection: "ClientConnection", recorder: Recorder) -> None:
        self._name, self._connection, self._recorder = name, connection, recorder

    async def send(self, text: str) -> None:
        """Send one message. Raises LinkClosed."""
        from websockets.exceptions import ConnectionClosed

        self._recorder.sent(without_secrets(text).encode())
        try:
            await self._connection.send(text)
        except ConnectionClosed as error:
            raise LinkClosed(f"{self._name}: the connection was lost") from error

    async def receive(self, within: float) -> str:
        """Return the next message.

        Raises:
            LinkTimeout: None came within so many seconds.
            LinkClosed: The connection is lost.
        """
        from websockets.exceptions import ConnectionClosed

        try:
            async with asyncio.timeout(within):
                text = await self._connection.recv()
        except TimeoutError:
            raise LinkTimeout(f"{self._name}: nothing came within {within:g} s") from None
        except ConnectionClosed as error:
            raise LinkClosed(f"{self._name}: the connection was lost") from error
        told = text if isinstance(text, str) else text.decode("utf-8", "replace")
        self._recorder.received(without_secrets(told).encode())
        return told


@asynccontextmanager
async def connected(
    url: str, headers: Mapping[str, str], recorder: Recorder
) -> AsyncIterator[TextSocket]:
    """A WebSocket, open while the context lasts.

    Raises:
        ConnectFailed: The host can't be reached, or has no such socket.
        AccessRefused: It wants another key.
    """
    client: Any = await in_thread(
        partial(import_module, "websockets.asyncio.client"), "import websockets"
    )
    connection = await _open(client, url, headers)
    recorder.noted(f"open {url}")
    try:
        yield TextSocket(url, connection, recorder)
    finally:
        recorder.noted(f"closed {url}")
        await connection.close()


async def _open(client: Any, url: str, headers: Mapping[str, str]) -> "ClientConnection":
    from websockets.exceptions import InvalidStatus, WebSocketException

    try:
        opened: ClientConnection = await client.connect(
            url,
            additional_headers=dict(headers),
            open_timeout=OPEN_S,
            close_timeout=0.5,
            ping_interval=PING_S,
            ping_timeout=PING_S,
            max_size=MOST_BYTES,
            max_queue=MOST_WAITING,
            proxy=None,
            compression=None,  # a few bytes on the wire could fill the memory
        )
    except InvalidStatus as error:
        status = error.response.status_code
        if status in {401, 403}:
            raise AccessRefused(
                f"{url} does not accept the key ({status}): mend access.key_file, then reconnect"
            ) from error
        raise ConnectFailed(f"{url}: no WebSocket there (status {status})") from error
    except (OSError, TimeoutError, WebSocketException) as error:
        raise ConnectFailed(f"{url}: {error}: is it on, and the address right?") from error
    return opened
