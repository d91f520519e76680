"""Requests over HTTP to one host. httpx speaks it, and its exceptions end here, by a table.

Requests and answers belong together by the connection that they are on, so that a late answer
can't be taken for another's: nothing has to be brought back in step.
"""

import asyncio
import json as jsonlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, contextmanager
from functools import partial
from importlib import import_module
from ssl import PROTOCOL_TLS_CLIENT, SSLCertVerificationError, SSLContext
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Self

from drivers.errors import (
    AccessRefused,
    BadReply,
    ConnectFailed,
    DriverError,
    LinkClosed,
    LinkTimeout,
)
from drivers.transport.access import Access
from drivers.transport.link import WebSocket
from drivers.transport.message import Answer, Body, without_secrets
from drivers.transport.recorder import Recorder
from drivers.transport.threads import in_thread
from drivers.transport.websocket import connected

if TYPE_CHECKING:
    import httpx

CONNECT_S: Final = 5.0
WHOLE: Final = 2
"""How many times the longest silence a whole exchange may take."""
MOST_BYTES: Final = 1 << 23
"""Of one answer. What a printer says of itself has some kilobytes."""

ERRORS: Final[tuple[tuple[str, type[DriverError], str], ...]] = (
    ("ConnectTimeout", ConnectFailed, "no answer: is it on, and in this network?"),
    ("ConnectError", ConnectFailed, "nothing listens there: is it on, and the address right?"),
    ("TimeoutException", LinkTimeout, "no answer in time"),
    ("NetworkError", LinkClosed, "the connection was lost"),
    ("RemoteProtocolError", LinkClosed, "the connection was lost in the middle of an answer"),
    ("DecodingError", BadReply, "the answer can't be decoded"),
    ("HTTPError", LinkClosed, "the request failed"),
    ("InvalidURL", ConnectFailed, "this is no address of a host"),
)
"""httpx's errors by name, the more special first; what they are here; and what a person is told."""


class HttpLink:
    """One host. `base` is its address, such as `http://192.0.2.30:7125`.

    `kept` is what a wire wants to know again when the connection was lost; who makes links hands
    in the same one each time.
    """

    def __init__(
        self, base: str, access: Access | None = None, kept: dict[str, str] | None = None
    ) -> None:
        self.name = base
        self._access = access or Access()
        self.kept = {} if kept is None else kept
        self.recorder = Recorder()
        self._client: httpx.AsyncClient | None = None
        self._key = ""
        self._login: Callable[[], httpx.DigestAuth] | None = None
        self._at_close = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Read the secrets, and make ready; the first request connects. Raises ConnectFailed."""
        httpx = await in_thread(partial(import_module, "httpx"), "import httpx")
        self._key = await in_thread(self._access.key, "read a key")
        if self._access.user:
            password = await in_thread(self._access.password, "read a password")
            self._login = partial(httpx.DigestAuth, self._access.user, password)
        trust = await in_thread(partial(_trust, self.name), "read whom to trust")
        self._client = httpx.AsyncClient(
            base_url=self.name,
            auth=self._login() if self._login else None,
            # Not packed: what a few bytes unpack to is only known when the memory is full.
            headers={"Accept-Encoding": "identity"} | self._who(),
            timeout=httpx.Timeout(CONNECT_S),
            verify=trust,
            trust_env=False,  # no proxy, and no password of somebody's ~/.netrc
            follow_redirects=False,
        )
        self.recorder.opened(asyncio.get_running_loop().time)
        return self

    async def __aexit__(self, *exc: object) -> None:
        client, self._client = self._client, None
        self.recorder.closed()
        try:
            await self._at_close.aclose()
        finally:
            if client is not None:
                await client.aclose()

    def on_close(self, close: Callable[[], Awaitable[None]]) -> None:
        """Call this when the link closes, such as the end of a WebSocket that outlives a call."""
        self._at_close.push_async_callback(close)

    async def ask(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        body: Body | None = None,
        headers: Mapping[str, str] = MappingProxyType({}),
        within: float,
    ) -> Answer:
        """Send one request and return its answer, whatever its status. It is never repeated here.

        Args:
            method: GET, POST, PUT, DELETE or HEAD.
            path: From `/` on, with its query; what is no ASCII is escaped already.
            json: What becomes the body as JSON.
            body: A body that is sent piece by piece, with its length.
            headers: Further headers.
            within: Seconds of silence, while sending as while waiting, after which it is given up.

        Raises:
            AccessRefused: The host wants another key or password (401, 403).
            ConnectFailed: It can't be reached; nothing was sent.
            LinkTimeout: It took too long; it may have done what was asked.
            LinkClosed: The connection was lost; it may have done what was asked.
            BadReply: The answer is too long.
        """
        client = self._opened()
        if body is not None and self._login is not None:
            await self._log_in(client, path, within)
        self.recorder.sent(_shown(method, path, json, body))
        with translated(self.name):
            request = client.build_request(method, path, **_content(json, body, headers))
            request.extensions = {"timeout": dict.fromkeys(("read", "write", "pool"), within)}
            request.extensions["timeout"]["connect"] = CONNECT_S
            # A body takes as long as it is; the answer to a question must not drip in for ever.
            async with asyncio.timeout(None if body is not None else WHOLE * within):
                answer = await self._answer(client, request)
        self.recorder.received(without_secrets(f"{answer.status} {answer.text}").encode())
        if answer.status in {401, 403}:
            raise AccessRefused(_refusal(self.name, answer, self._access))
        return answer

    def socket(self, path: str) -> AbstractAsyncContextManager[WebSocket]:
        """A WebSocket of this host, open while the context lasts. Raises ConnectFailed, AccessRefused."""
        return connected(f"ws{self.name.removeprefix('http')}{path}", self._who(), self.recorder)

    def _who(self) -> dict[str, str]:
        return {"X-Api-Key": self._key} if self._key else {}

    async def _log_in(self, client: "httpx.AsyncClient", path: str, within: float) -> None:
        """Learn a new challenge from a small question, so that a body is not refused for an old one.

        A host says that a challenge is stale (RFC 7616, 3.3) when it has the headers, but who sends
        a body hears of it when all of that is sent, and would have to send it again.
        """
        if self._login is not None:
            client.auth = self._login()
        await self.ask("GET", path, within=within)

    def _opened(self) -> "httpx.AsyncClient":
        if self._client is None:
            raise LinkClosed(f"{self.name}: the link is closed").unsent()
        return self._client

    async def _answer(self, client: "httpx.AsyncClient", request: "httpx.Request") -> Answer:
        response = await client.send(request, stream=True)
        try:
            if response.headers.get("content-encoding", "identity") != "identity":
                raise BadReply(f"{self.name}: the answer is packed, which nobody asked for")
            text = bytearray()
            async for piece in response.aiter_bytes():
                text += piece
                if len(text) > MOST_BYTES:
                    raise BadReply(f"{self.name}: the answer is longer than {MOST_BYTES} bytes")
        finally:
            await response.aclose()
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, text.decode("utf-8", "replace"), headers)


@contextmanager
def translated(name: str) -> Iterator[None]:
    """Turn what httpx raises into ours, by the table."""
    try:
        yield
    except DriverError:
        raise
    except TimeoutError as error:
        raise LinkTimeout(f"{name}: the answer did not end in time") from error
    except Exception as error:
        if why := _distrust(error):
            raise ConnectFailed(f"{name}: its certificate is not trusted ({why})") from error
        kinds = {cls.__name__ for cls in type(error).__mro__}
        for kind, ours, words in ERRORS:
            if kind in kinds and type(error).__module__.startswith("httpx"):
                raise ours(f"{name}: {words}") from error
        raise


def _trust(base: str) -> SSLContext:
    """Who may say that a host is the one it says it is; plain HTTP asks nobody.

    httpx would read all authorities for each client, in 20 ms for which the loop stands still.
    """
    import httpx

    if base.startswith("https:"):
        return httpx.create_ssl_context(trust_env=False)
    return SSLContext(PROTOCOL_TLS_CLIENT)


def _distrust(error: BaseException | None) -> str:
    """Why the host's certificate is not trusted, "" where that is not what went wrong."""
    while error is not None:
        if isinstance(error, SSLCertVerificationError):
            return error.verify_message
        error = error.__cause__ or error.__context__
    return ""


def _content(json: Any, body: Body | None, headers: Mapping[str, str]) -> dict[str, Any]:
    if body is None:
        return {"json": json, "headers": dict(headers)}
    about = {"Content-Type": body.media_type, "Content-Length": str(body.size)}
    return {"content": _Pieces(body.pieces), "headers": {**about, **headers}}


class _Pieces:
    """A body that can be sent again, where its challenge was refused: httpx asks for that."""

    def __init__(self, begin: Callable[[], AsyncIterator[bytes]]) -> None:
        self._begin = begin

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._begin()


def _shown(method: str, path: str, json: Any, body: Body | None) -> bytes:
    """What the flight recorder keeps of a request: no headers, for these hold the key."""
    words = f" {without_secrets(jsonlib.dumps(json))}" if json is not None else ""
    size = f" ({body.size} bytes)" if body is not None else ""
    return f"{method} {path}{words}{size}".encode()


def _refusal(name: str, answer: Answer, access: Access) -> str:
    if not (access.user or access.key_file):
        return f"{name} wants a key or a password: give the device an `access` in its config"
    what = "the key in access.key_file" if access.key_file else "access.user and its password"
    return f"{name} does not accept {what} ({answer.status}): mend it, then reconnect"
