"""The narrow waist: a link carries bytes, a register link registers, a web link requests of HTTP."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, Protocol, Self, TypeAlias, runtime_checkable

from drivers.errors import LinkError, LinkTimeout
from drivers.transport.message import Answer, Body

Carried: TypeAlias = Literal["bytes", "registers", "requests"]
"""What a link carries, and what a wire needs."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Timeouts:
    """How long to wait, in seconds of the monotonic clock."""

    turn: float = 10.0  # for the link to be free
    first_byte: float = 1.0  # from the request to the first byte of its reply
    next_byte: float = 0.5  # between two bytes of a reply
    whole: float = 5.0  # from the request to the end of its reply

    def after(self, spent: float) -> "Timeouts":
        """What is left after so many seconds since the request. Raises LinkTimeout for nothing."""
        if spent > self.whole:
            raise LinkTimeout(f"no reply within {self.whole:g} s")
        return Timeouts(
            turn=self.turn,
            first_byte=self.first_byte - spent,
            next_byte=self.next_byte,
            whole=self.whole - spent,
        )


class Link(Protocol):
    """Bytes to and from one device. Every method may raise a LinkError."""

    clears: bool  # whether `resync` alone proves that no old reply can still come

    async def __aenter__(self) -> Self: ...
    async def __aexit__(self, *exc: object) -> None: ...
    async def send(self, data: bytes) -> None: ...
    def send_now(self, data: bytes) -> None: ...  # past every queue: realtime bytes, M112
    async def receive_until(self, end: bytes, timeouts: Timeouts) -> bytes: ...  # without `end`
    async def receive_exactly(self, count: int, timeouts: Timeouts) -> bytes: ...
    def discard(self) -> bytes: ...  # what has arrived unasked; never parsed
    async def resync(self, quiet: float) -> None: ...  # device clear, reopen, or silence


class BoardLink(Link, Protocol):
    """A link to a board that is told more than it has carried out, and may have to be stopped then."""

    kept: dict[str, str]  # what a wire knows of this board; it outlives connections

    @property
    def failure(self) -> LinkError | None: ...  # why it is lost, None while it is not
    @property
    def character(
        self,
    ) -> float: ...  # seconds that a byte takes on the line; 0 where none is known
    def drop_unsent(self) -> None: ...  # take back what has not left, where that can be done


class Line(Link, Protocol):
    """A link that knows when bytes last came, on the loop's clock; 0 before the first."""

    @property
    def heard_at(self) -> float: ...


@runtime_checkable
class QueryLink(Link, Protocol):
    """A link on which a question and the line that answers it cost less together than apart."""

    async def query(self, data: bytes, end: bytes, timeouts: Timeouts) -> bytes: ...


Bank = Literal["holding", "input", "coil", "discrete"]


class RegisterLink(Protocol):
    """Registers of one Modbus unit; addresses are the protocol's, from 0. Raises as Link does."""

    refused: set[tuple[Bank, int, int]]  # blocks asked for in vain, start and size; they outlive it

    async def __aenter__(self) -> Self: ...
    async def __aexit__(self, *exc: object) -> None: ...
    async def fetch(self, bank: Bank, start: int, count: int, timeouts: Timeouts) -> list[int]: ...
    async def store(
        self, bank: Bank, start: int, values: Sequence[int], timeouts: Timeouts
    ) -> None: ...
    async def mask(self, at: int, and_mask: int, or_mask: int, timeouts: Timeouts) -> None: ...


class WebSocket(Protocol):
    """Messages of text both ways. `receive` raises LinkTimeout, and LinkClosed at the end."""

    async def send(self, text: str) -> None: ...
    async def receive(self, within: float) -> str: ...


class WebLink(Protocol):
    """Requests to one host. Each has an answer of its own, so that nothing gets out of step."""

    kept: dict[str, str]  # what a wire knows of this host; it outlives connections

    async def __aenter__(self) -> Self: ...
    async def __aexit__(self, *exc: object) -> None: ...
    async def ask(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        body: Body | None = None,
        headers: Mapping[str, str] = MappingProxyType({}),
        within: float,
    ) -> Answer: ...  # whatever its status, but for 401 and 403: AccessRefused
    def socket(self, path: str) -> AbstractAsyncContextManager[WebSocket]: ...
    def on_close(self, close: Callable[[], Awaitable[None]]) -> None: ...
