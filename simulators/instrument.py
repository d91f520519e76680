"""What every simulated instrument is: state that time changes, and bytes in and out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, runtime_checkable


class Instrument(Protocol):
    """A device as its connector shows it. It holds no socket and never asks the time.

    `opened`, `handle` and `advance` are called by one owner, never at once from two threads.
    """

    def opened(self) -> bytes:
        """Begin a new connection, and return what the device says to it by itself.

        A half-received line of the connection before is forgotten. A board that resets when
        its port is opened resets here and returns its banner.
        """
        ...

    def handle(self, data: bytes) -> bytes:
        """Take bytes as they come off the wire, in pieces of any size; return what is answered at once."""
        ...

    def advance(self, dt: float) -> bytes:
        """Let `dt` seconds pass; return what the device says by itself meanwhile.

        That is an automatic report, or the acknowledgement of a move that has just ended.
        """
        ...


@runtime_checkable
class PowerCycled(Protocol):
    """An instrument that can be switched off and on."""

    def power_cycle(self) -> None:
        """Start anew: what is not kept without power is lost. What it says comes out of `advance`."""
        ...


@runtime_checkable
class Punctual(Protocol):
    """An instrument that knows when it will do something by itself, so that it can do it on time."""

    def due_in(self) -> float:
        """Seconds until it says something of itself, or changes what it would answer; inf for never."""
        ...


@runtime_checkable
class Played(Protocol):
    """An instrument with troubles of its own kind, which a test or a control port may call up."""

    def tricks(self) -> Mapping[str, Callable[..., object]]:
        """What can be done to it, by name; a result is such as JSON can carry."""
        ...
